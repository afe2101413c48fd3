import AgentCore
import Envelope
import Keyring

/// A job over a source that can be read again: records numbered 0, 1, 2, … up to an end, at a pace.
final class SimulatedJob {
    struct Plan: Sendable {
        var name: String
        /// Number of the job among all jobs of the mesh: what its records say they are from.
        var number: Int
        var destination: NodeName
        var lane: Lane
        var compression: Compression
        /// Records the source has.
        var records: UInt64
        var recordsAtOnce: ClosedRange<Int>
        var valueBytes: ClosedRange<Int>
        var pace: ClosedRange<Duration>
    }

    let plan: Plan
    private let chain: UInt64
    private let source: NodeID
    private let destination: NodeID
    /// The first record not read yet.
    private(set) var next: UInt64
    private var sealer: Sealer?
    private var stream: OutboxStream?
    private var sequence = Sequence(1)
    private var floor = Sequence(1)
    private(set) var due: Instant

    /// - Parameter checkpoint: the first record to read, eight bytes; nil for the beginning.
    init(_ plan: Plan, chain: UInt64, from checkpoint: [UInt8]?, source: NodeID, at now: Instant) {
        self.plan = plan
        self.chain = chain
        self.source = source
        destination = Identity.id(of: plan.destination)
        next = checkpoint.map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } } ?? 0
        due = next < plan.records ? now : .never
    }

    var isDone: Bool { next >= plan.records }

    func wait(until time: Instant) { due = time }

    func raiseFloor(of stream: StreamID, to floor: Sequence) {
        if self.stream?.id == stream { self.floor = floor }
    }

    /// Reads the next records and seals them.
    /// - Returns: nil where the destination's window has no room.
    func make(_ keychain: Keychain, _ host: Host, _ ledger: DataLedger) -> Submission? {
        guard sequence.number < floor.number + Limits.window - 1024, let stream = prepare(keychain, host) else {
            return nil
        }
        let count = min(UInt64(host.random.number(in: plan.recordsAtOnce)), plan.records - next)
        guard let batch = read(count, host) else { return nil }
        var envelope: [UInt8] = []
        do throws(SealError) {
            try sealer?.seal(
                batch, sequence: sequence, floor: min(floor, sequence), created: host.wall, lifetime: 90 * 86_400,
                lane: plan.lane, compression: plan.compression, into: &envelope)
        } catch {
            host.fail("a batch cannot be sealed: \(error)")
            return nil
        }
        ledger.sealed(stream.id, sequence, envelope, at: host)
        host.trace("seals", stream.id.value.low & 0xFFFF, sequence.number)
        next += count
        due = isDone ? .never : host.now + host.random.duration(in: plan.pace)
        defer { sequence = sequence.next }
        return Submission(
            stream: stream, sequence: sequence, envelope: envelope, lifetime: 90 * 86_400, records: Int(count),
            checkpoint: withUnsafeBytes(of: next.littleEndian) { Array($0) }, madeAt: host.now)
    }

    /// A stream begins with the process.
    private func prepare(_ keychain: Keychain, _ host: Host) -> OutboxStream? {
        if let stream { return stream }
        guard let keys = keychain.sealing(for: destination, at: host.wall) else { return nil }
        let id = StreamID(Bytes16(low: host.random.next(), high: host.random.next()))
        sealer = Sealer(keys, from: source, to: destination, stream: id)
        stream = OutboxStream(id: id, job: plan.name, destination: destination, lane: plan.lane, chain: chain)
        return stream
    }

    /// A record's value is the job's number and its own, and some bytes that follow from these.
    private func read(_ count: UInt64, _ host: Host) -> [UInt8]? {
        guard var builder = try? RecordBatch.Builder(topic: "simulated", limit: Limits.batchBytes) else { return nil }
        for index in next..<next + count {
            let value = DataLedger.value(job: plan.number, index: index, bytes: host.random.number(in: plan.valueBytes))
            guard (try? builder.append(key: nil, value: value, headers: [], at: host.wall)) != nil else { return nil }
        }
        return builder.finish()
    }
}
