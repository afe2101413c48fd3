import Journal
import TestSupport
import Testing

/// A journal and a model of it go through the same random actions; the disk fails or the power goes at any moment.
final class Workload {
    typealias Contents = [UInt64: [UInt8]]

    var disk: MemoryDisk
    var random: SeededGenerator
    let options = smallOptions(segments: 24)
    /// What is durable for sure.
    var durable: Contents = [:]
    /// What is staged on top; a crash may bring all of it or nothing.
    var appended: Contents = [:]
    var released: Set<UInt64> = []
    /// What commits that failed wanted to make durable; a crash may show any of them to have gone through.
    var attempts: [Contents] = []

    init(seed: UInt64) {
        random = SeededGenerator(seed)
        disk = MemoryDisk()
        disk.random = SeededGenerator(seed &+ 1)
    }

    var afterCommit: Contents {
        durable.merging(appended) { $1 }.filter { !released.contains($0.key) }
    }

    func settle() {
        durable = afterCommit
        appended = [:]
        released = []
        attempts = []
    }

    /// One action. A thrown error leaves the model as the journal promises to be.
    func act(_ log: inout SegmentedLog<MemoryDisk>) throws(JournalError) {
        let wanted = afterCommit
        do throws(JournalError) {
            try actOnce(&log)
        } catch {
            attempts.append(wanted)
            throw error
        }
    }

    private func actOnce(_ log: inout SegmentedLog<MemoryDisk>) throws(JournalError) {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45:
            let bytes = payload(Int.random(in: 0..<1000, using: &random), Int.random(in: 0...900, using: &random))
            do throws(JournalError) {
                let lsn = try log.append(data, bytes)
                #expect(durable[lsn.number] == nil && appended[lsn.number] == nil, "an lsn came twice")
                appended[lsn.number] = bytes
            } catch .full {
                // Releases and cleaning must make room again; they follow.
                released.formUnion(durable.keys.sorted().prefix(10))
                for lsn in released { log.release(LSN(lsn)) }
            }
        case 45..<70:
            for lsn in afterCommit.keys.sorted().prefix(8) where random.chance(70) {
                released.insert(lsn)
                log.release(LSN(lsn))
            }
        case 70..<75:
            if let lsn = afterCommit.keys.sorted().randomElement(using: &random) {
                released.insert(lsn)
                log.release(LSN(lsn))
            }
        case 75..<88:
            try log.commit()
            settle()
        case 88..<92:
            if let lsn = afterCommit.keys.sorted().randomElement(using: &random) {
                var bytes: [UInt8] = []
                try log.read(LSN(lsn), into: &bytes)
                #expect(bytes == afterCommit[lsn])
            }
        default:
            // Cleaning commits where it must, and may fail after that.
            defer { if !log.hasStaged { settle() } }
            _ = try log.clean(budget: 2000)
        }
    }

    /// True where the journal holds what the model allows; the model goes on from there.
    func accepts(_ shown: [Shown]) -> Bool {
        var found: Contents = [:]
        for record in shown { found[record.lsn.number] = record.prefix }
        guard shown.map(\.lsn) == shown.map(\.lsn).sorted(), found.count == shown.count else { return false }
        guard found == durable || found == afterCommit || attempts.contains(found) else { return false }
        durable = found
        appended = [:]
        released = []
        attempts = []
        return true
    }
}

@Suite struct ModelTests {
    @Test(arguments: Seeds.range(1...20))
    func randomActionsAgree(seed: UInt64) throws {
        let workload = Workload(seed: seed)
        for round in 0..<4 {
            var shown: [Shown] = []
            var log = try openLog(workload.disk, workload.options, shown: &shown)
            let isAccepted = workload.accepts(shown)
            #expect(isAccepted, "round \(round)")
            #expect(log.report.damage.isEmpty)
            for _ in 0..<150 { try workload.act(&log) }
            #expect(log.usage.records == workload.durable.count)
            #expect(log.usage.segmentBytes <= log.usage.maxBytes)
            try log.close()
            workload.settle()
        }
    }

    /// The power goes at a random operation, the disk loses and tears what was not synchronized, again and again.
    @Test(arguments: Seeds.range(1...60))
    func powerLossKeepsWhatWasCommitted(seed: UInt64) throws {
        let workload = Workload(seed: seed)
        for round in 0..<6 {
            var shown: [Shown] = []
            do throws(JournalError) {
                var log = try openLog(workload.disk, workload.options, shown: &shown)
                let isAccepted = workload.accepts(shown)
                #expect(isAccepted, "round \(round)")
                if !isAccepted { return }
                #expect(log.report.damage.isEmpty)
                let calm = Int.random(in: 0..<250, using: &workload.random)
                workload.disk.faults = .init(failAt: workload.disk.operations + calm, forEver: true)
                for _ in 0..<400 { try workload.act(&log) }
            } catch .file {
                // The moment the power went.
            }
            workload.disk = workload.disk.crashed(workload.random.next())
        }
        let (shown, report) = try inspect(workload.disk, workload.options)
        let isAccepted = workload.accepts(shown)
        #expect(isAccepted)
        #expect(report.damage.isEmpty)
    }

    /// Single operations fail, failed synchronizes among them; the journal goes on, and then the power goes.
    @Test(arguments: Seeds.range(1...60))
    func passingFaultsLoseNothing(seed: UInt64) throws {
        let workload = Workload(seed: seed &+ 1000)
        for round in 0..<5 {
            var shown: [Shown] = []
            var log = try openLog(workload.disk, workload.options, shown: &shown)
            let isAccepted = workload.accepts(shown)
            try #require(isAccepted, "round \(round)")
            #expect(log.report.damage.isEmpty)
            for _ in 0..<120 {
                if workload.random.chance(10) {
                    let soon = Int.random(in: 0..<6, using: &workload.random)
                    workload.disk.faults = .init(failAt: workload.disk.operations + soon)
                }
                do throws(JournalError) {
                    try workload.act(&log)
                } catch .file {
                    continue
                }
            }
            workload.disk.faults = .init()
            if workload.random.chance(50) {
                try log.commit()
                workload.settle()
            }
            workload.disk = workload.disk.crashed(workload.random.next())
        }
    }
}
