import Crypto
import Envelope
import Journal
import Keyring
import Node
import Platform
import Synchronization

@testable import Agent
@testable import AgentCore

/// A journal with a port before it, as an agent has them, and all that becomes durable, in that order.
final class OutboxScene: Sendable {
    struct Durable {
        var lsn: LSN
        var sequence: Sequence
        var stream: StreamID
        var job: String
        var envelope: [UInt8]
        var records: Int
        var checkpoint: [UInt8]?
    }

    let port = OutboxPort()
    let durable = Collected<Durable>()
    /// Numbers of what the journal refused, and 0 each time the port asks for a retry.
    let refused = Collected<UInt64>()
    private let journal = Mutex<JournalThread?>(nil)

    func open(_ directory: TemporaryDirectory, segments: Int = 20) throws {
        let options = LogOptions(
            segmentBytes: 64 << 10, maxBytes: segments * (64 << 10), entropy: Entropy.word(),
            kinds: [OutboxRecord.envelopeKind.number])
        let journal = try JournalThread(
            directory: directory.path("outbox"), options: options, replay: { _ in },
            completed: { [port, durable, refused] completions in
                var submissions = port.take(completions)
                for completion in completions {
                    switch completion.outcome {
                    case .durable:
                        guard let taken = submissions.take(completion.token) else { continue }
                        durable.append(
                            Durable(
                                lsn: completion.lsn, sequence: taken.sequence, stream: taken.stream.id,
                                job: taken.stream.job, envelope: taken.envelope, records: taken.records,
                                checkpoint: taken.checkpoint))
                    case .refused:
                        refused.append(completion.token)
                        port.refuse(completion.token)
                    case .released, .bytes, .stalled, .resumed: break
                    }
                }
            })
        self.journal.withLock { $0 = journal }
        port.open(journal) { [refused] in refused.append(0) }
    }

    func release(_ lsns: [LSN]) {
        journal.withLock { $0 }?.submit { batch in for lsn in lsns { batch.release(lsn) } }
    }

    func close() {
        port.close()
        journal.withLock { $0 }?.stop()
    }

    static func handle(_ number: UInt64, job: String = "job") -> StreamHandle {
        StreamHandle(
            OutboxStream(
                id: Sample.stream(number), job: job, destination: Sample.destination, lane: .live,
                chain: StreamHandle.nextChain()))
    }

    /// An envelope of which only the length matters.
    static func submission(_ stream: StreamHandle, _ sequence: UInt64, bytes: Int) -> Submission {
        Submission(
            stream: stream.stream, sequence: Sequence(sequence), envelope: [UInt8](repeating: 1, count: bytes),
            lifetime: 3600, records: 1, checkpoint: [UInt8(truncatingIfNeeded: sequence)], madeAt: Clock.now)
    }
}

/// Two agents that share keys.
struct KeyedPair {
    static let source = "plant-a/agent"
    static let destination = "plant-b/agent"

    let sourceName: NodeName
    let destinationName: NodeName
    let records: [KeyRecord]

    init(salts: [UInt8] = [0]) throws {
        sourceName = try NodeName(Self.source)
        destinationName = try NodeName(Self.destination)
        records = try salts.map { try Sample.record(salt: $0) }
    }

    /// The keys as of so many epochs.
    func sourceKeys(_ epochs: Int = 1) throws -> Keychain {
        try Sample.keychain(Self.source, with: [Self.destination], Array(records.prefix(epochs)))
    }

    func destinationKeys(_ epochs: Int = 1) throws -> Keychain {
        try Sample.keychain(Self.destination, with: [Self.source], Array(records.prefix(epochs)))
    }

    func maker(
        _ keys: KeyRing, _ port: OutboxPort, begun: @escaping @Sendable (StreamHandle, StreamID?) -> Void = { _, _ in }
    ) -> EnvelopeMaker {
        let settings = EnvelopeMaker.Settings(
            job: "job", destination: destinationName, lane: .live, compression: .none, lifetime: 3600)
        return EnvelopeMaker(settings, source: NodeID(of: sourceName), keys: keys, port: port, begun: begun)
    }
}
