import TestSupport
import Testing

@testable import Journal

/// A segment whose end only an end record tells, since the segment behind it, whose header had told it, is gone.
@Suite struct RecoveryStatedEndTests {
    private let file = directory + "/0000000000000003.segment"

    /// Three segments of which the middle one is given back.
    private func store() throws -> MemoryDisk {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        var numbers: [UInt64: [LSN]] = [:]
        for index in 0..<80 where log.segments.count < 3 {
            let lsn = try log.append(data, payload(index, 150))
            try log.commit()
            numbers[log.segments.last?.number ?? 0, default: []].append(lsn)
        }
        try #require(log.segments.count == 3)
        for lsn in numbers[log.segments[1].number] ?? [] { log.release(lsn) }
        try log.commit()
        #expect(try log.clean(budget: 0).segmentsFreed == 1)
        try log.close()
        return disk.settled()
    }

    /// Where its last record of data ends, without and with what fills it up to eight bytes.
    private func lastRecord(_ disk: MemoryDisk) throws -> (lsn: UInt64, end: Int, filled: Int) {
        var recovery = Recovery(disk, directory, smallOptions())
        try recovery.run()
        let entry = try #require(recovery.scans.first?.segment.fresh.entries.last)
        let end = Int(entry.place) + Layout.recordHeader + entry.length
        return (entry.lsn, end, Int(entry.place) + Layout.footprint(entry.length))
    }

    /// Found by fuzzing: cut within the bytes that only fill a record up, a file lost a record that is whole.
    @Test func aRecordIsWholeWithoutWhatFillsItUp() throws {
        let whole = try store()
        let (lsn, end, filled) = try lastRecord(whole)
        #expect(end < filled, "there is something to cut")
        let bytes = try #require(whole.contents(file))
        let (intact, _) = try inspect(whole.settled())
        for cut in end...filled {
            let disk = whole.settled()
            disk.setContents(file, Array(bytes[..<cut]))
            let (shown, report) = try inspect(disk)
            #expect(shown == intact && shown.contains { $0.lsn.number == lsn }, "cut at \(cut)")
            #expect(report.damage.map(\.offset) == [filled], "the commit that is lost is told, cut at \(cut)")
        }
    }

    /// What was committed and is no more is told of wherever the file was cut.
    @Test func everyCutIsTold() throws {
        let whole = try store()
        let bytes = try #require(whole.contents(file))
        let (intact, report) = try inspect(whole.settled())
        #expect(report.isClean)
        let end = try lastRecord(whole).filled + Layout.commitRecord
        for cut in stride(from: Layout.firstRecord, to: end, by: 3) {
            let disk = whole.settled()
            disk.setContents(file, Array(bytes[..<cut]))
            let (shown, report) = try inspect(disk)
            #expect(shown.allSatisfy { intact.contains($0) }, "cut at \(cut)")
            #expect(!report.damage.isEmpty, "cut at \(cut), \(intact.count - shown.count) records lost")
            #expect(report.tornTails.isEmpty, "cut at \(cut)")
        }
    }

    /// The same for a flipped bit: at the end of the segment, too, it is damage and not a torn tail.
    @Test func everyFlippedBitIsTold() throws {
        let whole = try store()
        let bytes = try #require(whole.contents(file))
        let (intact, _) = try inspect(whole.settled())
        let end = try lastRecord(whole).filled + Layout.commitRecord
        for offset in Layout.firstRecord..<end {
            let disk = whole.settled()
            var changed = bytes
            changed[offset] ^= 1 << UInt8(offset % 8)
            disk.setContents(file, changed)
            let (shown, report) = try inspect(disk)
            #expect(shown.count >= intact.count - 1, "at \(offset)")
            if shown.count < intact.count { #expect(!report.damage.isEmpty, "at \(offset)") }
            #expect(report.tornTails.isEmpty, "at \(offset)")
        }
    }
}
