import AgentCore
import Crypto
import Envelope
import Keyring
import Node
import Platform
import Synchronization

/// Makes the envelopes of one job: seals batches in the order given and hands them to the outbox. In which stream and
/// under which number, ``AgentCore/StreamWriter`` says.
final class EnvelopeMaker: Sendable {
    struct Settings: Sendable {
        var job: String
        var destination: NodeName
        var lane: Lane
        var compression: Compression
        /// Seconds.
        var lifetime: UInt32
    }

    let settings: Settings
    private let source: NodeID
    private let destination: NodeID
    private let keys: KeyRing
    private let port: OutboxPort
    private let begun: @Sendable (StreamHandle, StreamID?) -> Void
    private let state: Mutex<State>
    private let ahead = Atomic<Bool>(false)

    private struct State: ~Copyable {
        var writer: StreamWriter
        var sealer: Sealer?
        var handle: StreamHandle?
        var pair: KnownPair?
    }

    /// The secrets to seal with, and how long that is the answer.
    private struct KnownPair {
        var keys: PairKeys
        var revision: UInt64
        var span: Range<WallTime>
    }

    /// - Parameter begun: told of each new stream before its first envelope, with the id of the one before, which
    ///   gets no more.
    init(
        _ settings: Settings, source: NodeID, keys: KeyRing, port: OutboxPort,
        begun: @escaping @Sendable (StreamHandle, StreamID?) -> Void
    ) {
        self.settings = settings
        self.source = source
        destination = NodeID(of: settings.destination)
        self.keys = keys
        self.port = port
        self.begun = begun
        let writer = StreamWriter(
            .init(
                job: settings.job, destination: destination, lane: settings.lane, chain: StreamHandle.nextChain()))
        state = Mutex(State(writer: writer))
    }

    /// Whether one more may be made now.
    var hasRoom: Bool {
        let (handle, next) = state.withLock { ($0.handle, $0.writer.next) }
        return port.hasRoom && handle?.mayMake(next) ?? true
    }

    /// So much waits for its way that the source should wait too, says the outbox.
    var isAhead: Bool {
        get { ahead.load(ordering: .acquiring) }
        set { ahead.store(newValue, ordering: .releasing) }
    }

    /// Whether ``awaitRoom(bell:isCancelled:)`` would not wait now.
    var mayReadOn: Bool { hasRoom && !isAhead }

    /// Waits until the outbox takes one more; false when the agent stops.
    func awaitRoom(bell: Bell, isCancelled: () -> Bool) -> Bool {
        let (handle, next) = state.withLock { ($0.handle, $0.writer.next) }
        return port.awaitRoom(bell: bell, isCancelled: isCancelled) { !isAhead && handle?.mayMake(next) ?? true }
    }

    /// Seals a batch and hands it to the outbox.
    /// - Returns: the stream and its number there.
    @discardableResult
    func make(
        _ batch: RawSpan, records: Int, checkpoint: [UInt8]?
    ) throws(JobFailure) -> (stream: StreamID, sequence: Sequence) {
        try state.withLock { (state) throws(JobFailure) in
            let wall = Clock.wall
            let handle = try prepare(&state, at: wall)
            var envelope: [UInt8] = []
            envelope.reserveCapacity(batch.byteCount + SealedBody.envelopeOverhead)
            let sequence = state.writer.next
            do throws(SealError) {
                try state.sealer?.seal(
                    batch, sequence: sequence, floor: min(handle.floor, sequence), created: wall,
                    lifetime: settings.lifetime, lane: settings.lane, compression: settings.compression,
                    into: &envelope)
            } catch {
                throw .seal(error)
            }
            state.writer.advance()
            port.submit(
                Submission(
                    stream: handle.stream, sequence: sequence, envelope: envelope, lifetime: settings.lifetime,
                    records: records, checkpoint: checkpoint, madeAt: Clock.now))
            return (handle.id, sequence)
        }
    }

    @discardableResult
    func make(
        _ batch: [UInt8], records: Int, checkpoint: [UInt8]?
    ) throws(JobFailure) -> (stream: StreamID, sequence: Sequence) {
        try make(batch.span.bytes, records: records, checkpoint: checkpoint)
    }

    /// The stream to seal in: a new one at first, where a newer key is there, and where the last one fell behind.
    private func prepare(_ state: inout State, at wall: WallTime) throws(JobFailure) -> StreamHandle {
        let pair = try pair(&state, at: wall)
        if let handle = state.handle, handle.isBehind { state.writer.fellBehind(handle.id) }
        if let handle = state.handle, !state.writer.mustBegin(with: pair.id) { return handle }
        let (stream, last) = state.writer.begin(StreamID(Entropy.bytes16()), with: pair.id)
        let handle = StreamHandle(stream)
        state.sealer = Sealer(pair, from: source, to: destination, stream: handle.id)
        state.handle = handle
        begun(handle, last)
        return handle
    }

    /// The secrets to seal with now; looked for again where the keys were replaced or an epoch has begun or ended.
    private func pair(_ state: inout State, at wall: WallTime) throws(JobFailure) -> PairKeys {
        let revision = keys.revision
        if let pair = state.pair, pair.revision == revision, pair.span.contains(wall) { return pair.keys }
        let keychain = keys.current
        guard let found = keychain.sealing(for: destination, at: wall) else {
            throw .noKey(settings.destination.description)
        }
        let end = keychain.nextChange(after: wall)
        state.pair = KnownPair(keys: found, revision: revision, span: wall..<end)
        return found
    }

    /// The stream being made; it gets no more once its maker is done with.
    var currentStream: StreamID? { state.withLock { $0.handle?.id } }
}

/// The node's keys, replaced as a whole on reload.
final class KeyRing: Sendable {
    private let keychain: Mutex<Keychain>
    private let replacements = Atomic<UInt64>(0)

    init(_ keychain: Keychain) { self.keychain = Mutex(keychain) }

    var current: Keychain { keychain.withLock { $0 } }

    /// Another one after each replacement. Who keeps something of the keys asks before it looks at them.
    var revision: UInt64 { replacements.load(ordering: .acquiring) }

    func replace(with keychain: Keychain) {
        self.keychain.withLock { $0 = keychain }
        replacements.add(1, ordering: .releasing)
    }
}
