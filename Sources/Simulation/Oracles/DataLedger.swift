import Envelope

/// What is known of every record from outside the code under test: which number of each job comes next at its
/// destination, what has been sealed under which number, and the marks that sinks keep with their effects.
///
/// Rules it holds the mesh to: records of a job have their effect in their order, each once; of a job that gives up its
/// order those of each stream do; no number of a stream is ever sealed with other content (which would repeat a key with
/// a nonce).
final class DataLedger {
    private struct Sink {
        var marks: [StreamID: Sequence] = [:]
    }

    private struct Seal: Hashable {
        var stream: StreamID
        var sequence: Sequence
    }

    /// By the host's index.
    private var sinks: [Sink]
    /// The next record due of each job, by its number.
    private var due: [UInt64]
    /// Of jobs that give up their order: what had its effect beyond that, and the last of each stream.
    private var early: [Set<UInt64>]
    private var last: [StreamID: UInt64] = [:]
    private let targets: [Target]
    private var seals: [Seal: UInt64] = [:]
    /// What lies in quarantines instead of having its effect.
    private var kept: [Seal: [UInt8]] = [:]
    private(set) var effects = 0
    /// Of these, those that came before one of an earlier record.
    private(set) var overtakings = 0

    /// Where a job's records go, and whether they may leave their order.
    struct Target {
        var destination: NodeName
        var freshFirst = false
    }

    /// - Parameter targets: of each job, by its number.
    init(hosts: Int, targets: [Target]) {
        sinks = Array(repeating: Sink(), count: hosts)
        due = Array(repeating: 0, count: targets.count)
        early = Array(repeating: [], count: targets.count)
        self.targets = targets
    }

    /// Records of which there is none without effect before the last.
    func applied(of job: Int) -> UInt64 { due[job] }

    func mark(of stream: StreamID, at host: Host) -> Sequence { sinks[host.index].marks[stream] ?? .none }

    func sealed(_ stream: StreamID, _ sequence: Sequence, _ envelope: [UInt8], at host: Host) {
        let digest = envelope.withUnsafeBytes { TraceHash.digest(of: $0) }
        if let before = seals.updateValue(digest, forKey: Seal(stream: stream, sequence: sequence)), before != digest {
            host.fail("number \(sequence) of a stream was sealed twice, with another content")
        }
    }

    /// A sink's commit: effect and mark together.
    func apply(_ batch: [UInt8], _ stream: StreamID, _ sequence: Sequence, at host: Host) {
        raiseMark(of: stream, to: sequence, at: host)
        takeEffect(of: batch, stream, sequence, at: host)
    }

    func raiseMark(of stream: StreamID, to sequence: Sequence, at host: Host) {
        let mark = mark(of: stream, at: host)
        guard sequence > mark else {
            return host.fail("envelope \(sequence) of a stream is applied behind mark \(mark)")
        }
        sinks[host.index].marks[stream] = sequence
        host.trace("applies", stream.value.low & 0xFFFF, sequence.number)
    }

    func takeEffect(of batch: [UInt8], _ stream: StreamID, _ sequence: Sequence, at host: Host) {
        do throws(EnvelopeError) {
            var reader = try RecordBatch.Reader(batch)
            if reader.count == 0 { reader = try passed(Seal(stream: stream, sequence: sequence), at: host) ?? reader }
            while let record = try reader.next() {
                record.withBytes { _, value in
                    note(value ?? UnsafeRawBufferPointer(start: nil, count: 0), stream, at: host)
                }
            }
        } catch {
            host.fail("what was opened is no batch: \(error)")
        }
    }

    /// A batch that its sink rejects lies in a quarantine: its records are accounted for once the mark passes it.
    func keep(_ batch: [UInt8], _ stream: StreamID, _ sequence: Sequence, at host: Host) {
        kept[Seal(stream: stream, sequence: sequence)] = batch
        host.trace("keeps aside", stream.value.low & 0xFFFF, sequence.number)
    }

    /// What a batch without records stands for.
    private func passed(_ seal: Seal, at host: Host) throws(EnvelopeError) -> RecordBatch.Reader? {
        guard let batch = kept[seal] else {
            host.fail("the mark of a stream passes envelope \(seal.sequence), which is kept nowhere")
            return nil
        }
        return try RecordBatch.Reader(batch)
    }

    private func note(_ value: UnsafeRawBufferPointer, _ stream: StreamID, at host: Host) {
        guard let (job, index) = Self.read(value), due.indices.contains(job) else {
            return host.fail("a record is not as its source made it")
        }
        guard targets[job].destination == host.name else {
            return host.fail("a record of job \(job) went to another node")
        }
        effects += 1
        if index < due[job] || early[job].contains(index) {
            return host.fail("record \(index) of job \(job) has its effect twice")
        }
        if targets[job].freshFirst {
            if let last = last.updateValue(index, forKey: stream), last > index {
                return host.fail("record \(index) of job \(job) comes behind record \(last) of its stream")
            }
        } else if index > due[job] {
            return host.fail("record \(index) of job \(job) comes before record \(due[job])")
        }
        guard index == due[job] else {
            overtakings += 1
            early[job].insert(index)
            return
        }
        repeat { due[job] += 1 } while early[job].remove(due[job]) != nil
    }

    // MARK: Values

    /// Twelve bytes that say which record it is, and more that follow from these.
    static func value(job: Int, index: UInt64, bytes: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 12 + bytes) { value, count in
            for shift in 0..<4 { value[shift] = UInt8(truncatingIfNeeded: job >> (shift * 8)) }
            for shift in 0..<8 { value[4 + shift] = UInt8(truncatingIfNeeded: index >> (shift * 8)) }
            let first = filler(job, index)
            for place in 0..<bytes { value[12 + place] = first &+ UInt8(truncatingIfNeeded: place) &* fillerStep }
            count = 12 + bytes
        }
    }

    /// From byte to byte.
    static let fillerStep: UInt8 = 31

    /// The first byte that follows.
    private static func filler(_ job: Int, _ index: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: index &* 7 &+ UInt64(job))
    }

    private static func read(_ value: UnsafeRawBufferPointer) -> (job: Int, index: UInt64)? {
        guard value.count >= 12 else { return nil }
        let job = value[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        let index = value[4..<12].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let first = filler(job, index)
        // All bytes, without a branch at each: that is most of what the ledger costs.
        var difference: UInt8 = 0
        for place in 12..<value.count {
            difference |= value[place] ^ (first &+ UInt8(truncatingIfNeeded: place - 12) &* fillerStep)
        }
        return difference == 0 ? (job, index) : nil
    }
}
