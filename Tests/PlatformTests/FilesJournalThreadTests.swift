import Glibc
import Journal
import Synchronization
import Testing

@testable import Platform

/// Gathers completions; a test waits for them without a clock.
private final class Ledger: Sendable {
    private let state = Mutex<[JournalCompletion]>([])
    private let bell = Bell()

    func add(_ completions: [JournalCompletion]) {
        state.withLock { $0 += completions }
        bell.ring()
    }

    var all: [JournalCompletion] { state.withLock { $0 } }

    func wait(for count: Int) -> [JournalCompletion] {
        while all.count < count { bell.wait(within: .seconds(20)) }
        return all
    }
}

@Suite(.timeLimit(.minutes(1))) struct FilesJournalThreadTests {
    private let directory: TemporaryDirectory
    private let kind = RecordKind(1)

    init() throws { directory = try TemporaryDirectory() }

    private var path: String { directory.path + "/journal" }

    private func start(
        _ ledger: Ledger, segments: Int = 20, replay: (ReplayedRecord) -> Void = { _ in }
    ) throws -> JournalThread {
        let options = LogOptions(
            segmentBytes: 64 << 10, maxBytes: segments * (64 << 10), entropy: Entropy.word())
        return try JournalThread(
            directory: path, options: options, replay: replay, completed: { ledger.add($0) })
    }

    private func append(_ journal: JournalThread, _ tokens: Range<UInt64>, bytes: Int = 100) {
        journal.submit { batch in
            for token in tokens {
                let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: token), count: bytes)
                payload.withUnsafeBytes { _ = batch.append(kind, token: token, $0) }
            }
        }
    }

    @Test func whatIsCompletedIsThereAfterwards() throws {
        let ledger = Ledger()
        let journal = try start(ledger)
        for round in 0..<20 { append(journal, UInt64(round * 50)..<UInt64(round * 50 + 50)) }
        let lsns = ledger.wait(for: 1000).map(\.lsn)
        #expect(ledger.all.map(\.token) == Array(0..<1000), "in the order they were handed over")
        journal.submit { batch in
            for lsn in lsns.dropLast(10) { batch.release(lsn) }
            batch.read(lsns[999], token: 5000)
            batch.read(LSN(99_999), token: 5001)
        }
        let answers = ledger.wait(for: 1002).suffix(2)
        guard case .bytes(kind, let bytes)? = answers.first?.outcome else { throw Stop.unexpected }
        #expect(bytes == [UInt8](repeating: UInt8(truncatingIfNeeded: 999), count: 100))
        guard case .refused(.notFound(LSN(99_999)))? = answers.last?.outcome else { throw Stop.unexpected }
        journal.stop()
        var shown: [LSN] = []
        let again = try start(Ledger()) { shown.append($0.lsn) }
        #expect(shown == Array(lsns.suffix(10)))
        #expect(again.report.isClean)
        again.stop()
    }

    @Test func stopMakesDurableWhatWasHandedOver() throws {
        let ledger = Ledger()
        let journal = try start(ledger)
        append(journal, 0..<100)
        journal.stop()
        #expect(ledger.all.count == 100)
        append(journal, 100..<101)
        var count = 0
        try start(Ledger()) { _ in count += 1 }.stop()
        #expect(count == 100)
    }

    @Test func fullIsACompletionAndRoomComesBack() throws {
        let ledger = Ledger()
        let journal = try start(ledger, segments: 4)
        append(journal, 0..<10, bytes: 30_000)
        let first = ledger.wait(for: 10)
        let durable = first.filter { if case .durable = $0.outcome { true } else { false } }
        let full = first.filter { if case .refused(.full) = $0.outcome { true } else { false } }
        #expect(durable.count == 2 * 2 && full.count == 6)
        journal.submit { batch in
            for completion in durable { batch.release(completion.lsn, token: 77) }
        }
        _ = ledger.wait(for: 14)
        // Cleaning follows on its own; each round asks once more.
        var tries: UInt64 = 0
        while true {
            append(journal, 100 + tries..<101 + tries, bytes: 30_000)
            let last = ledger.wait(for: 15 + Int(tries)).last
            if case .durable? = last?.outcome { break }
            tries += 1
        }
        journal.stop()
        #expect(journal.usage.records == 1)
    }

    @Test func manyThreadsHandOver() throws {
        let ledger = Ledger()
        let journal = try start(ledger)
        let threads = try (0..<4).map { thread in
            try Threads.start(name: "producer") {
                for index in 0..<50 {
                    let token = UInt64(thread * 1000 + index)
                    journal.submit { batch in
                        [UInt8(1)].withUnsafeBytes { _ = batch.append(RecordKind(1), token: token, $0) }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        let completions = ledger.wait(for: 200)
        #expect(Set(completions.map(\.lsn)).count == 200)
        journal.stop()
    }

    @Test func aSecondProcessIsRefused() throws {
        let journal = try start(Ledger())
        #expect(throws: JournalError.inUse(path: path)) { try start(Ledger()) }
        journal.stop()
    }

    @Test func openDirectoryIsRefused() throws {
        try Files.createDirectory(path, mode: 0o755)
        #expect(throws: JournalError.tooOpen(path: path, permissions: 0o755)) { try start(Ledger()) }
    }

    @Test func filesAreForTheirOwnerOnly() throws {
        let ledger = Ledger()
        let journal = try start(ledger)
        append(journal, 0..<1)
        _ = ledger.wait(for: 1)
        journal.stop()
        let system = PosixFileSystem()
        for name in try system.list(path) {
            #expect(try system.attributes(of: path + "/" + name)?.permissions == 0o600, "\(name)")
        }
    }

    private enum Stop: Error { case unexpected }
}
