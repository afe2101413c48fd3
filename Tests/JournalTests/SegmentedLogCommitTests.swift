import TestSupport
import Testing

@testable import Journal

/// Where a commit goes that does not fit the rest of its segment, and how often the disk is waited for.
@Suite struct SegmentedLogCommitTests {
    private let options = smallOptions(segmentBytes: 64 << 10)

    /// A journal whose segment has so many bytes left, after a commit of records 1 and 2.
    private func log(_ disk: MemoryDisk, left: Int) throws(JournalError) -> SegmentedLog<MemoryDisk> {
        var log = try openLog(disk, options)
        while try log.prepare() {}
        _ = try log.append(data, payload(1, 100))
        try log.commit()
        let frames = Layout.recordHeader + Layout.commitRecord
        _ = try log.append(data, payload(2, options.segmentBytes - log.place - frames - left))
        try log.commit()
        return log
    }

    /// Stages records that with their commit record take so many bytes.
    private func stage(_ log: inout SegmentedLog<MemoryDisk>, bytes: Int) throws(JournalError) {
        var rest = bytes - Layout.commitRecord
        var tag = 10
        while rest > 0 {
            let footprint = rest >= 1200 ? 600 : rest
            _ = try log.append(data, payload(tag, footprint - Layout.recordHeader))
            rest -= footprint
            tag += 1
        }
    }

    private func records(_ segment: Segment) -> Int { segment.fresh.entries.count }

    @Test func aCommitThatFitsANewSegmentIsNotSplit() throws {
        let disk = MemoryDisk()
        var log = try log(disk, left: 2000)
        let end = log.segments[0].end
        try stage(&log, bytes: 6000)
        let count = log.staging.records.count
        var waits: [FileError.Operation] = []
        disk.faults.when = { operation, _ in
            if operation == .synchronize || operation == .synchronizeDirectory { waits.append(operation) }
            return false
        }
        try log.commit()
        #expect(waits == [.synchronize, .synchronizeDirectory])
        #expect(log.segments.map(records) == [2, count])
        #expect(log.segments[0].end == end, "nothing of it is in the segment before")
        let (shown, report) = try inspect(disk.crashed(1), options)
        #expect(shown.count == 2 + count && report.isClean)
    }

    /// An eighth of the segment is 8192 bytes here.
    @Test(arguments: [
        (left: 8192, bytes: 8192, segments: 1, isSplit: false),
        (left: 8192, bytes: 8200, segments: 2, isSplit: false),
        (left: 8200, bytes: 8208, segments: 2, isSplit: true),
        (left: 8192, bytes: 60 << 10, segments: 2, isSplit: false),
        (left: 8192, bytes: 60 << 10 + 8, segments: 2, isSplit: true),
        (left: 0, bytes: 1000, segments: 2, isSplit: false),
    ])
    func whatIsGivenUpIsAnEighthAtMost(left: Int, bytes: Int, segments: Int, isSplit: Bool) throws {
        let disk = MemoryDisk()
        var log = try log(disk, left: left)
        #expect(options.segmentBytes - log.place == left)
        try stage(&log, bytes: bytes)
        let count = log.staging.records.count
        #expect(log.plan.newSegments == segments - 1)
        try log.commit()
        #expect(log.segments.count == segments, "as many as were planned")
        #expect((records(log.segments[0]) > 2) == (isSplit || segments == 1))
        let (shown, report) = try inspect(disk.crashed(1), options)
        #expect(shown.count == 2 + count && report.isClean)
    }

    /// Whatever operation fails, the commit is there whole or not at all after a crash, and in one segment once the next try
    /// went through. (Where the disk fails for long, an empty segment may stand between.)
    @Test(arguments: [true, false]) func wholeOrNotAtAll(forEver: Bool) throws {
        var step = 0
        while true {
            let disk = MemoryDisk()
            var log = try log(disk, left: 2000)
            try stage(&log, bytes: 6000)
            let count = log.staging.records.count
            disk.faults = .init(failAt: disk.operations + step, forEver: forEver)
            let error = failure(of: &log) { log throws(JournalError) in try log.commit() }
            for seed in 0..<10 as Range<UInt64> {
                let (shown, report) = try inspect(disk.crashed(seed), options)
                #expect(shown.count == 2 + count || error != nil && shown.count == 2, "operation \(step), seed \(seed)")
                #expect(report.damage.isEmpty, "operation \(step), seed \(seed)")
            }
            if error == nil { break }
            disk.faults = .init()
            #expect(log.plan.newSegments == 1)
            try log.commit()
            #expect(log.segments.map(records).filter { $0 > 0 } == [2, count], "operation \(step)")
            for seed in 0..<10 as Range<UInt64> {
                let (shown, report) = try inspect(disk.crashed(seed), options)
                #expect(shown.count == 2 + count && report.isClean, "operation \(step), seed \(seed)")
            }
            step += 1
        }
        #expect(step > 6)
    }
}
