import Envelope
import Journal
import Synchronization
import Testing

@testable import Platform

/// Appends of one chain become durable in their order or not at all.
@Suite(.timeLimit(.minutes(1))) struct FilesJournalChainTests {
    private let directory: TemporaryDirectory
    private let completions = Completions()

    init() throws { directory = try TemporaryDirectory() }

    /// Room for four records of 30,000 bytes.
    private func start() throws -> JournalThread {
        let options = LogOptions(segmentBytes: 64 << 10, maxBytes: 4 * (64 << 10), entropy: Entropy.word())
        return try JournalThread(
            directory: directory.path + "/journal", options: options, replay: { _ in },
            completed: { [completions] in completions.add($0) })
    }

    private func append(_ batch: inout JournalBatch, _ token: UInt64, bytes: Int, chain: UInt64) {
        let payload = [UInt8](repeating: 7, count: bytes)
        payload.withUnsafeBytes { _ = batch.append(RecordKind(1), token: token, $0, chain: chain) }
    }

    /// The tokens that became durable and those that were refused, once `count` are answered.
    private func answers(_ count: Int) -> (durable: [UInt64], refused: [UInt64]) {
        let all = completions.wait(for: count)
        let durable = all.filter { if case .durable = $0.outcome { true } else { false } }
        let refused = all.filter { if case .refused = $0.outcome { true } else { false } }
        return (durable.map(\.token), refused.map(\.token))
    }

    @Test func behindARefusalAllOfTheChainIsRefused() throws {
        let journal = try start()
        journal.submit { batch in
            append(&batch, 1, bytes: 10, chain: 5)
            // Longer than a segment.
            append(&batch, 2, bytes: 100_000, chain: 5)
            append(&batch, 3, bytes: 10, chain: 5)
            append(&batch, 4, bytes: 10, chain: 6)
            append(&batch, 5, bytes: 10, chain: 0)
        }
        let first = answers(5)
        #expect(first.durable == [1, 4, 5])
        #expect(first.refused == [2, 3])
        // In later batches, too.
        journal.submit { append(&$0, 6, bytes: 10, chain: 5) }
        #expect(answers(6).refused == [2, 3, 6])
        journal.stop()
    }

    @Test func mendedTheChainGoesOn() throws {
        let journal = try start()
        journal.submit { batch in
            append(&batch, 1, bytes: 100_000, chain: 5)
            append(&batch, 2, bytes: 10, chain: 5)
            batch.mend(chain: 6)
            append(&batch, 3, bytes: 10, chain: 5)
            batch.mend(chain: 5)
            append(&batch, 4, bytes: 10, chain: 5)
            append(&batch, 5, bytes: 100_000, chain: 5)
            append(&batch, 6, bytes: 10, chain: 5)
        }
        let all = answers(6)
        #expect(all.durable == [4])
        #expect(all.refused == [1, 2, 3, 5, 6])
        journal.stop()
    }

    @Test func standingAloneARefusalConcernsNobodyElse() throws {
        let journal = try start()
        journal.submit { batch in
            append(&batch, 1, bytes: 100_000, chain: 0)
            append(&batch, 2, bytes: 10, chain: 0)
        }
        let all = answers(2)
        #expect(all.durable == [2])
        #expect(all.refused == [1])
        journal.stop()
    }

    /// A full journal has room for a small record where a large one was refused: of one chain it stays out.
    @Test func aSmallOneDoesNotSlipPastALargeOneThatFoundNoRoom() throws {
        let journal = try start()
        journal.submit { batch in
            for token: UInt64 in 1...10 { append(&batch, token, bytes: 30_000, chain: 5) }
            append(&batch, 11, bytes: 10, chain: 5)
            append(&batch, 12, bytes: 10, chain: 0)
        }
        let all = answers(12)
        #expect(all.durable == [1, 2, 3, 4, 12])
        #expect(all.refused == [5, 6, 7, 8, 9, 10, 11])
        journal.stop()
    }
}

/// Gathers completions of a journal.
private final class Completions: Sendable {
    private let gathered = Mutex<[JournalCompletion]>([])
    private let bell = Bell()

    func add(_ completions: [JournalCompletion]) {
        gathered.withLock { $0 += completions }
        bell.ring()
    }

    /// - Returns: what there is after at most ten seconds.
    func wait(for count: Int) -> [JournalCompletion] {
        let end = Clock.now + .seconds(10)
        while true {
            let all = gathered.withLock { $0 }
            if all.count >= count || Clock.now > end { return all }
            bell.wait(within: .seconds(1))
        }
    }
}
