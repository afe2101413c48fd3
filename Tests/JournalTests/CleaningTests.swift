import TestSupport
import Testing

@testable import Journal

@Suite struct CleaningTests {
    /// A journal in which one record in ten lives, over several segments.
    private func sparse(_ disk: MemoryDisk, records: Int = 120) throws -> SegmentedLog<MemoryDisk> {
        var log = try openLog(disk)
        for index in 0..<records {
            _ = try log.append(data, payload(index, 200))
            if index % 8 == 7 { try log.commit() }
        }
        for index in 0..<records where index % 10 != 0 { log.release(LSN(UInt64(index + 1))) }
        try log.commit()
        return log
    }

    private var expected: [Shown] {
        stride(from: 0, to: 120, by: 10).map {
            Shown(lsn: LSN(UInt64($0 + 1)), kind: data, length: 200, prefix: payload($0, 200))
        }
    }

    @Test func mostlyDeadSegmentsAreCopiedAndFreed() throws {
        let disk = MemoryDisk()
        var log = try sparse(disk)
        let before = log.usage
        while try !log.clean(budget: 600).isIdle {}
        #expect(log.usage.segments < before.segments / 2)
        #expect(log.usage.records == before.records)
        var bytes: [UInt8] = []
        for record in expected {
            try log.read(record.lsn, into: &bytes)
            #expect(bytes == record.prefix, "a copy keeps its lsn and its bytes")
        }
        let (shown, report) = try inspect(disk.settled())
        #expect(shown == expected, "in the order of their lsn")
        #expect(report.isClean)
    }

    @Test func budgetBoundsWhatIsCopied() throws {
        var log = try sparse(MemoryDisk())
        let nothing = try log.clean(budget: 0)
        #expect(nothing.bytesCopied == 0)
        while true {
            let report = try log.clean(budget: 500)
            #expect(report.bytesCopied <= 500)
            if report.isIdle { break }
        }
    }

    /// The power goes at each operation of the cleaning, and the disk keeps what it likes.
    @Test func crashAnywhereInCleaningIsHarmless() throws {
        let probe = MemoryDisk()
        var log = try sparse(probe)
        let start = probe.operations
        while try !log.clean(budget: 1000).isIdle {}
        let steps = probe.operations - start
        #expect(steps > 20)
        for step in 0..<steps {
            let disk = MemoryDisk()
            var log = try sparse(disk)
            disk.faults = .init(failAt: disk.operations + step, forEver: true)
            let error = failure(of: &log) { log throws(JournalError) in
                while try !log.clean(budget: 1000).isIdle {}
            }
            #expect(error != nil)
            let (shown, report) = try inspect(disk.crashed(UInt64(step)))
            #expect(shown == expected, "step \(step)")
            #expect(report.damage.isEmpty, "step \(step)")
        }
    }

    /// A released copy stays released when the segments with its copy and its release are gone before the original.
    @Test func originalsNeverComeBack() throws {
        var disk = MemoryDisk()
        var log = try sparse(disk)
        _ = try log.clean(budget: 300)
        for lsn in stride(from: 1, through: 111, by: 10) { log.release(LSN(UInt64(lsn))) }
        try log.commit()
        for round in 0..<30 {
            _ = try log.append(data, payload(round, 3000))
            try log.commit()
            log.release(LSN(UInt64(121 + round)))
            _ = try log.clean(budget: 300)
            let (shown, _) = try inspect(disk.crashed(UInt64(round)))
            #expect(shown.map(\.lsn.number).allSatisfy { $0 > 120 }, "round \(round)")
        }
        disk = disk.settled()
        #expect(try inspect(disk).report.damage.isEmpty)
    }

    @Test func aSegmentWithDamageIsSetAside() throws {
        let disk = MemoryDisk()
        var log = try sparse(disk)
        try log.close()
        let after = disk.settled()
        let first = directory + "/0000000000000003.segment"
        var bytes = try #require(after.contents(first))
        bytes[Layout.firstRecord + 40] ^= 1
        after.setContents(first, bytes)
        var again = try openLog(after)
        #expect(again.report.damage.map(\.lsn) == [LSN(1)])
        while try !again.clean(budget: 5000).isIdle {}
        #expect(after.paths.contains(directory + "/0000000000000003.damaged"))
        #expect(try inspect(after.settled()).report.damagedFiles.count == 1)
    }

    @Test func fullJournalRefusesAndWorksAgain() throws {
        let disk = MemoryDisk()
        let options = smallOptions(segments: 5)
        var log = try openLog(disk, options)
        var accepted: [LSN] = []
        while true {
            do throws(JournalError) {
                accepted.append(try log.append(data, payload(1, 700)))
            } catch {
                guard case .full(_, options.maxBytes) = error else { throw error }
                break
            }
            if accepted.count % 3 == 0 { try log.commit() }
        }
        try log.commit()
        #expect(accepted.count > 12)
        let urgent = try log.append(data, payload(2, 700), urgent: true)
        #expect(urgent > accepted[0])
        try log.commit()
        for lsn in accepted.dropLast() { log.release(lsn) }
        try log.commit()
        while try !log.clean(budget: 5000).isIdle {}
        _ = try log.append(data, payload(3, 700))
        try log.commit()
        #expect(try inspect(disk.settled(), options).shown.count == 3)
    }

    @Test func fullDiskRefusesAndWorksAgain() throws {
        let disk = MemoryDisk()
        disk.capacity = 5 * (8 << 10)
        var log = try openLog(disk)
        var accepted = 0
        var refusal: JournalError?
        while refusal == nil {
            do throws(JournalError) {
                _ = try log.append(data, payload(accepted, 700))
                accepted += 1
            } catch {
                refusal = error
            }
            try log.commit()
        }
        guard case .file(let error)? = refusal else { throw try #require(refusal) }
        #expect(error.kind == .noSpace)
        #expect(disk.paths.allSatisfy { !$0.hasSuffix(".new") }, "half a file takes no room")
        for lsn in 1..<UInt64(accepted) { log.release(LSN(lsn)) }
        try log.commit()
        #expect(log.usage.records == 1, "releases are taken by a full disk")
        while try !log.clean(budget: 5000).isIdle {}
        _ = try log.append(data, payload(5, 700))
        try log.commit()
        #expect(try inspect(disk.settled()).shown.count == 2)
    }
}
