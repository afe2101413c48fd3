import Envelope
import TestSupport
import Testing

@testable import AgentCore

/// The outbox beside a source, a journal that forgets what is not durable, a careless network and a destination that
/// applies each stream in order. Whatever dies when, each record must have its effect once and in its order.
@Suite struct OutboxModelTests {
    @Test(arguments: Seeds.range(1...60)) func recordsHaveTheirEffectOnceAndInOrder(seed: UInt64) throws {
        var world = World(seed)
        for step in 0..<600 {
            try world.step()
            #expect(world.isInOrder, "seed \(seed), step \(step)")
            guard world.isInOrder else { return }
        }
        try world.comeToRest()
        #expect(world.applied == Array(1...world.made), "seed \(seed)")
        #expect(world.outbox.itemCount == 0)
        // At rest one record is left: the checkpoint's own.
        #expect(world.durable.count == 1)
    }
}

private struct World {
    struct Record {
        var lsn: UInt64
        var content: Content

        enum Content {
            case item(stream: UInt64, sequence: UInt64, range: ClosedRange<UInt64>)
            case checkpoint(UInt64, origin: UInt64)
        }
    }

    enum Operation {
        case append(Record, job: Int?)
        case release(UInt64)
    }

    struct Copy {
        var stream: UInt64
        var sequence: UInt64
        var range: ClosedRange<UInt64>
    }

    var random: SeededGenerator
    var now = Sample.now
    var outbox = Outbox(resendAfter: .seconds(5))
    // The source.
    var made: UInt64 = 0
    var read: UInt64 = 0
    var stream: UInt64 = 1
    var sequence: UInt64 = 0
    // The journal.
    var durable: [Record] = []
    var operations: [Operation] = []
    var lsn: UInt64 = 0
    // The network: handed to the forwarder, in relays, receipts.
    var queue: [UInt64] = []
    var relays: [Copy] = []
    var receipts: [(stream: UInt64, mark: UInt64)] = []
    // The destination.
    var marks: [UInt64: UInt64] = [:]
    var applied: [UInt64] = []

    init(_ seed: UInt64) { random = SeededGenerator(seed + 1) }

    /// What was applied is 1, 2, 3, …; and what a restart would not read again is applied or in the journal.
    var isInOrder: Bool { applied.indices.allSatisfy { applied[$0] == UInt64($0 + 1) } }

    mutating func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<25: make()
        case 25..<50: commit(Int.random(in: 0...operations.count, using: &random))
        case 50..<62: depart()
        case 62..<78: arrive(isLost: Int.random(in: 0..<8, using: &random) == 0)
        case 78..<88: takeReceipt()
        case 88..<96: pass(.milliseconds(Int64.random(in: 0..<3000, using: &random)))
        case 96..<98: crash()
        default: relays.removeAll { _ in Bool.random(using: &random) }
        }
    }

    mutating func comeToRest() throws {
        for _ in 0..<40 {
            commit(operations.count)
            while !queue.isEmpty { depart() }
            for _ in 0..<relays.count * 8 { arrive(isLost: false) }
            while !receipts.isEmpty { takeReceipt() }
            pass(.seconds(6))
        }
        made = max(1, made)
        if applied.isEmpty {
            make()
            try comeToRest()
        }
    }

    private mutating func make() {
        guard outbox.itemCount + operations.count < 60 else { return }
        let range = read + 1...read + UInt64.random(in: 1...3, using: &random)
        read = range.upperBound
        made = max(made, read)
        sequence += 1
        lsn += 1
        let record = Record(lsn: lsn, content: .item(stream: stream, sequence: sequence, range: range))
        operations.append(.append(record, job: nil))
    }

    /// Makes the first of what was handed over durable and reports it.
    private mutating func commit(_ count: Int) {
        let done = operations.prefix(count)
        operations.removeFirst(count)
        for operation in done { write(operation) }
        for case .append(let record, let job) in done { completed(record, job) }
    }

    private mutating func write(_ operation: Operation) {
        switch operation {
        case .append(let record, _): durable.append(record)
        case .release(let lsn): durable.removeAll { $0.lsn == lsn }
        }
    }

    private mutating func completed(_ record: Record, _ job: Int?) {
        if let job { outbox.checkpointSaved(job: job, as: record.lsn) } else { add(record) }
        carryOut()
    }

    private mutating func add(_ record: Record) {
        guard case .item(let stream, let sequence, let range) = record.content else { return }
        let index = outbox.stream(Sample.stream(stream), job: "job", destination: Sample.destination, lane: .live)
        let goes = outbox.added(
            index, Sequence(sequence), stored: record.lsn, length: 1, lifetime: .max, age: .zero,
            checkpoint: withUnsafeBytes(of: range.upperBound) { Array($0) }, at: now)
        if goes { queue.append(record.lsn) }
    }

    private mutating func carryOut() {
        for effect in outbox.takeEffects() {
            switch effect {
            case .send(let stored, _, _, _, _, _, _, _): queue.append(stored)
            case .forget(let stored): operations.append(.release(stored))
            case .saveCheckpoint(let job, _, let origin, let checkpoint):
                lsn += 1
                let place = checkpoint.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
                let record = Record(lsn: lsn, content: .checkpoint(place, origin: origin))
                operations.append(.append(record, job: job))
            case .receipted, .fellBehind, .ahead, .ended: break
            case .expired: Issue.record("nothing expires here")
            }
        }
    }

    private mutating func depart() {
        guard !queue.isEmpty else { return }
        let stored = queue.removeFirst()
        // What was receipted meanwhile is gone from the journal.
        if let record = durable.first(where: { $0.lsn == stored }),
            case .item(let stream, let sequence, let range) = record.content
        {
            relays.append(Copy(stream: stream, sequence: sequence, range: range))
        }
        outbox.departed(stored: stored, at: now)
    }

    private mutating func arrive(isLost: Bool) {
        guard let place = relays.indices.randomElement(using: &random) else { return }
        let copy = relays[place]
        if Int.random(in: 0..<5, using: &random) != 0 { relays.remove(at: place) }
        guard !isLost else { return }
        let mark = marks[copy.stream, default: 0]
        // A gap: given back to the relay. The first that is seen of a stream tells where it begins.
        guard copy.sequence <= mark + 1 else { return relays.append(copy) }
        if copy.sequence == mark + 1 {
            applied += copy.range
            marks[copy.stream] = copy.sequence
        }
        receipts.append((copy.stream, marks[copy.stream, default: 0]))
    }

    private mutating func takeReceipt() {
        guard let place = receipts.indices.randomElement(using: &random) else { return }
        let receipt = receipts[place]
        if Bool.random(using: &random) { receipts.remove(at: place) }
        outbox.receipt(stream: Sample.stream(receipt.stream), through: Sequence(receipt.mark), at: now)
        carryOut()
    }

    private mutating func pass(_ time: Duration) {
        now = now + time
        outbox.timeReached(now)
        carryOut()
    }

    /// kill -9: of what was handed to the disk a beginning is durable, and nobody was told.
    private mutating func crash() {
        for operation in operations.prefix(Int.random(in: 0...operations.count, using: &random)) { write(operation) }
        operations = []
        queue = []
        outbox = Outbox(resendAfter: .seconds(5))
        for record in durable.sorted(by: { $0.lsn < $1.lsn }) {
            switch record.content {
            case .item: add(record)
            case .checkpoint(let place, let origin):
                outbox.recovered(
                    checkpoint: withUnsafeBytes(of: place) { Array($0) }, of: "job", stored: record.lsn, origin: origin)
            }
        }
        carryOut()
        read = outbox.checkpoint(of: "job").map { $0.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } } ?? 0
        made = max(read, applied.last ?? 0)
        stream += 1
        sequence = 0
    }
}
