import TestSupport
import Testing

@testable import Journal

/// What comes of operations that are done together, on a disk that works and on one that fails.
struct CommitterTests {
    private let disk = MemoryDisk()

    /// With a segment ready: without one an append is refused at once where the disk fails.
    private func committer() throws -> Committer<MemoryDisk> {
        var log = try openLog(disk)
        while try log.prepare() {}
        return Committer(log)
    }

    private func append(_ tokens: [UInt64], chain: UInt64 = 0) -> JournalBatch {
        var batch = JournalBatch()
        for token in tokens {
            payload(Int(token), 100).withUnsafeBytes { bytes in
                _ = batch.append(data, token: token, bytes, chain: chain)
            }
        }
        return batch
    }

    /// A word an outcome.
    private func words(_ completions: [JournalCompletion]) -> [String] {
        completions.map { completion in
            switch completion.outcome {
            case .durable: "\(completion.token) durable"
            case .released: "\(completion.token) released"
            case .bytes(_, let bytes): "\(completion.token) has \(bytes.count)"
            case .refused: "\(completion.token) refused"
            case .stalled: "stalled"
            case .resumed: "resumed"
            }
        }
    }

    @Test func eachOperationIsAnswered() throws {
        var committer = try committer()
        let first = committer.run(append([1, 2]))
        #expect(words(first) == ["1 durable", "2 durable"])
        var batch = JournalBatch()
        batch.read(first[0].lsn, token: 3)
        batch.release(first[1].lsn, token: 4)
        batch.read(LSN(999), token: 5)
        do {
            let done = committer.run(batch)
            #expect(words(done) == ["3 has 100", "5 refused", "4 released"])
        }
        let (usage, report, damage) = (committer.usage, committer.report, committer.damageFound)
        #expect(usage.records == 1 && report.isClean && damage.isEmpty)
        do {
            let done = committer.finish()
            #expect(words(done) == [])
        }
        #expect(try inspect(disk.settled()).shown.map(\.prefix) == [payload(1, 100)])
    }

    /// Until a commit goes through nothing more is taken; what waited is durable then.
    @Test func aDiskThatFailsStopsAppendsUntilItWorks() throws {
        var committer = try committer()
        disk.faults.when = { operation, _ in operation == .synchronize }
        do {
            let done = committer.run(append([1]))
            #expect(words(done) == ["stalled"])
        }
        let isStalled = committer.isStalled
        #expect(isStalled)
        do {
            let done = committer.run(append([2]))
            #expect(words(done) == ["2 refused"])
        }
        let isBusy = committer.tidy(isIdle: true)
        #expect(!isBusy)
        disk.faults = .init()
        do {
            let done = committer.run(JournalBatch())
            #expect(words(done) == ["resumed", "1 durable"])
        }
        let isStalledStill = committer.isStalled
        #expect(!isStalledStill)
        do {
            let done = committer.run(append([2]))
            #expect(words(done) == ["2 durable"])
        }
    }

    /// Twenty records of which seven are staged at once.
    private let lengths = Staging.commitBytes / 7 - 100

    private func much() -> JournalBatch {
        var batch = JournalBatch()
        for token in 1...20 {
            payload(token, lengths).withUnsafeBytes { _ = batch.append(data, token: UInt64(token), $0, chain: 7) }
        }
        return batch
    }

    private let large = smallOptions(segmentBytes: 16 << 20)

    /// What is staged has its bytes in memory twice, so a batch without end is not staged as a whole.
    @Test func aLongBatchIsCommittedInParts() throws {
        var committer = Committer(try openLog(disk, large))
        var synchronized = 0
        disk.faults.when = { operation, _ in
            synchronized += operation == .synchronize ? 1 : 0
            return false
        }
        _ = committer.run(append([0]))
        synchronized = 0
        var parts: [[String]] = []
        committer.run(much()) { parts.append(words($0)) }
        #expect(parts == [1...7, 8...14, 15...20].map { $0.map { "\($0) durable" } })
        #expect(synchronized == 3)
        let shown = try inspect(disk.settled(), large).shown
        #expect(shown.dropFirst().map(\.prefix) == (1...20).map { payload($0, lengths) })
    }

    /// The part that failed is durable with a later commit; of the rest nothing was taken.
    @Test func whatFollowsAPartThatFailsIsRefused() throws {
        var committer = Committer(try openLog(disk, large))
        _ = committer.run(append([0]))
        var (synchronized, failed) = (0, 0)
        disk.faults.when = { operation, _ in
            synchronized += operation == .synchronize ? 1 : 0
            failed += synchronized > 1 ? 1 : 0
            return synchronized > 1
        }
        do {
            let done = committer.run(much())
            let refused = (15...20).map { "\($0) refused" }
            #expect(words(done) == (1...7).map { "\($0) durable" } + ["stalled"] + refused)
        }
        #expect(failed < 6, "the disk is not tried again for each append that it refuses")
        disk.faults = .init()
        do {
            let done = committer.run(JournalBatch())
            #expect(words(done) == ["resumed"] + (8...14).map { "\($0) durable" })
        }
    }

    @Test func aChainIsRefusedFromTheFirstRefusalOn() throws {
        var committer = try committer()
        disk.faults.when = { operation, _ in operation == .synchronize }
        _ = committer.run(append([1]))
        do {
            let done = committer.run(append([2, 3], chain: 7))
            #expect(words(done) == ["2 refused", "3 refused"])
        }
        disk.faults = .init()
        _ = committer.run(JournalBatch())
        do {
            let done = committer.run(append([4], chain: 7))
            #expect(words(done) == ["4 refused"])
        }
        do {
            let done = committer.run(append([5], chain: 8))
            #expect(words(done) == ["5 durable"])
        }
        var batch = JournalBatch()
        batch.mend(chain: 7)
        var rest = append([2, 3], chain: 7)
        batch.take(&rest)
        do {
            let done = committer.run(batch)
            #expect(words(done) == ["2 durable", "3 durable"])
        }
    }

    @Test func idleTimeMakesSegmentsReadyAndGivesRoomBack() throws {
        var committer = try committer()
        let made = committer.run(append(Array(1...200)))
        let full = committer.usage
        var batch = JournalBatch()
        for completion in made { batch.release(completion.lsn) }
        _ = committer.run(batch)
        var turns = 0
        while committer.tidy(isIdle: true), turns < 1000 { turns += 1 }
        #expect(turns < 1000)
        let usage = committer.usage
        #expect(usage.liveBytes < full.liveBytes && usage.records == 0)
        disk.faults.when = { operation, _ in operation != .synchronize }
        _ = committer.run(append([1]))
        let isBusy = committer.tidy(isIdle: true)
        #expect(!isBusy, "what fails is tried with the next commit")
    }

    @Test func whatCannotBeMadeDurableAtTheEndIsRefused() throws {
        var committer = try committer()
        disk.faults.when = { operation, _ in operation == .synchronize }
        _ = committer.run(append([1]))
        do {
            let done = committer.finish()
            #expect(words(done) == ["1 refused"])
        }
    }

    @Test func aBatchTellsWhatItAsks() {
        var batch = append([1, 2])
        batch.release(LSN(7))
        var told: [String] = []
        batch.forEachAppend { token, bytes in told.append("\(token) \(bytes.count)") }
        batch.forEachRelease { told.append("\($0.number) released") }
        #expect(told == ["1 100", "2 100", "7 released"])
    }
}

/// A look at a journal that is not open changes nothing.
struct InspectionTests {
    private func look(_ disk: MemoryDisk) throws(JournalError) -> (shown: [[UInt8]], report: RecoveryReport) {
        var shown: [[UInt8]] = []
        let report = try SegmentedLog.inspect(disk, directory: directory, replayPrefix: 8) { record in
            shown.append(Array(record.prefix))
        }
        return (shown, report)
    }

    @Test func recordsAreShownAndFilesStayAsTheyAre() throws {
        let disk = MemoryDisk()
        do {
            var log = try openLog(disk)
            for index in 0..<3 { _ = try log.append(data, payload(index, 100)) }
            try log.commit()
            #expect(throws: JournalError.self) { try look(disk) }
        }
        let files = disk.paths.map { ($0, disk.contents($0)) }
        let (shown, report) = try look(disk)
        #expect(shown == (0..<3).map { Array(payload($0, 100).prefix(8)) } && report.records == 3)
        #expect(disk.paths == files.map(\.0) && files.allSatisfy { disk.contents($0.0) == $0.1 })
    }

    @Test func whereThereIsNoneItSaysSo() throws {
        let disk = MemoryDisk()
        do throws(JournalError) {
            _ = try look(disk)
            Issue.record("there is no journal")
        } catch {
            var isMissing = false
            if case .noJournal = error { isMissing = true }
            #expect(isMissing, "\(error)")
        }
        _ = try openLog(disk)
        disk.faults = .init(failAt: disk.operations)
        #expect(throws: JournalError.self) { try look(disk) }
    }
}
