import Envelope
import TestSupport
import Testing

@testable import Journal

@Suite struct RecoveryTests {
    private let file = directory + "/0000000000000003.segment"

    /// Two commits of three records and, where asked for, an orderly end.
    private func store(closed: Bool) throws -> MemoryDisk {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        for commit in 0..<2 {
            for index in 0..<3 { _ = try log.append(data, payload(commit * 3 + index, 100 + 13 * index)) }
            try log.commit()
        }
        if closed { try log.close() }
        return disk.settled()
    }

    private func lastCommitStart(_ disk: MemoryDisk) throws -> (start: Int, end: Int) {
        var recovery = Recovery(disk, directory, smallOptions())
        try recovery.run()
        let commit = try #require(recovery.scans.last?.commits.last)
        return (Int(commit.mark.spanStart), commit.end)
    }

    /// Whatever prefix of the last commit got to the disk, all that was committed before is there, and of the last
    /// commit all or nothing.
    @Test func everyPrefixOfTheLastCommitRecovers() throws {
        let whole = try store(closed: false)
        let bytes = try #require(whole.contents(file))
        let (start, end) = try lastCommitStart(whole)
        for cut in start..<end {
            let disk = whole.settled()
            disk.setContents(file, Array(bytes[..<cut]) + [UInt8](repeating: 0, count: bytes.count - cut))
            let (shown, report) = try inspect(disk)
            // The last eight bytes are the commit record's own zeros.
            let isThere = cut >= end - 4
            #expect(shown.map(\.lsn.number) == (isThere ? [1, 2, 3, 4, 5, 6] : [1, 2, 3]), "cut at \(cut)")
            #expect(report.damage.isEmpty, "cut at \(cut)")
        }
    }

    /// The same where the file itself ends early.
    @Test func everyTruncationOfTheLastCommitRecovers() throws {
        let whole = try store(closed: false)
        let bytes = try #require(whole.contents(file))
        let (start, end) = try lastCommitStart(whole)
        for cut in start..<end {
            let disk = whole.settled()
            disk.setContents(file, Array(bytes[..<cut]))
            let (shown, report) = try inspect(disk)
            #expect(shown.map(\.lsn.number) == [1, 2, 3], "cut at \(cut)")
            #expect(report.damage.isEmpty, "cut at \(cut)")
        }
    }

    /// A flipped bit costs the record it lies in, and that is told; the others stay.
    @Test func flippedByteCostsOneRecord() throws {
        let whole = try store(closed: true)
        let bytes = try #require(whole.contents(file))
        let (intact, _) = try inspect(whole.settled())
        #expect(intact.count == 6)
        for offset in bytes.indices {
            let disk = whole.settled()
            var changed = bytes
            changed[offset] ^= 1 << UInt8(offset % 8)
            disk.setContents(file, changed)
            let (shown, report) = try inspect(disk)
            #expect(shown.count >= 5, "at \(offset)")
            #expect(shown.allSatisfy { intact.contains($0) }, "at \(offset)")
            if shown.count < 6 { #expect(!report.damage.isEmpty, "at \(offset)") }
            for damage in report.damage {
                #expect((damage.offset..<damage.offset + damage.bytes).contains(offset), "at \(offset)")
            }
        }
    }

    /// The same for a release: damage to it brings the record back and costs no other.
    @Test func damagedReleaseRepeatsWorkOnly() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        for index in 0..<4 { _ = try log.append(data, payload(index, 50)) }
        try log.commit()
        let start = log.place
        log.release(LSN(2))
        try log.commit()
        try log.close()
        let whole = disk.settled()
        let bytes = try #require(whole.contents(file))
        for offset in start..<start + 48 {
            let disk = whole.settled()
            var changed = bytes
            changed[offset] ^= 0x10
            disk.setContents(file, changed)
            let (shown, report) = try inspect(disk)
            #expect(shown.map(\.lsn.number) == [1, 2, 3, 4])
            #expect(report.damage.count == 1)
        }
    }

    /// Damage in the last commit before a crash looks like a torn one; it is cut whole and told to be uncertain.
    @Test func damageToTheVeryLastCommitIsUncertain() throws {
        let disk = try store(closed: false)
        let (start, _) = try lastCommitStart(disk)
        var bytes = try #require(disk.contents(file))
        bytes[start + 40] ^= 1
        disk.setContents(file, bytes)
        let (shown, report) = try inspect(disk)
        #expect(shown.count == 3)
        #expect(report.tornTails.map(\.isUncertain) == [true])
        #expect(report.tornTails.map(\.records) == [2])
    }

    /// A cut lasts: later commits do not make what was cut come back or look damaged.
    @Test func cutsLast() throws {
        var disk = try store(closed: false)
        let (start, _) = try lastCommitStart(disk)
        var bytes = try #require(disk.contents(file))
        bytes[start + 40] ^= 1
        disk.setContents(file, bytes)
        for round in 0..<4 {
            var shown: [Shown] = []
            var log = try openLog(disk, shown: &shown)
            #expect(shown.count == 3 + round)
            #expect(log.report.damage.isEmpty)
            #expect(log.report.tornTails.count == (round == 0 ? 1 : 0))
            let lsn = try log.append(data, payload(round, 20))
            #expect(lsn > LSN(5))
            try log.commit()
            disk = disk.settled()
        }
    }

    /// Bytes that a stranger wraps in a payload are never taken for records, where the record around them is
    /// damaged either.
    @Test func recordsInsidePayloadsAreNotRecords() throws {
        let disk = try store(closed: true)
        let inner = try #require(disk.contents(file))[Layout.firstRecord..<Layout.firstRecord + 400]
        let second = MemoryDisk()
        var log = try openLog(second)
        _ = try log.append(data, Array(inner))
        _ = try log.append(data, payload(9, 10))
        try log.commit()
        try log.close()
        let after = second.settled()
        var bytes = try #require(after.contents(file))
        bytes[Layout.firstRecord] ^= 1
        after.setContents(file, bytes)
        let (shown, report) = try inspect(after)
        #expect(shown.map(\.lsn.number) == [2])
        #expect(report.damage.count == 1)
    }

    @Test func lostSegmentHeaderIsReportedAndTheFileKept() throws {
        let disk = try store(closed: true)
        var bytes = try #require(disk.contents(file))
        bytes[3] ^= 1
        disk.setContents(file, bytes)
        #expect(try inspect(disk.settled()).shown.count == 6, "the second header serves")
        bytes[Layout.secondHeader] ^= 1
        disk.setContents(file, bytes)
        let (shown, report) = try inspect(disk)
        #expect(shown.isEmpty)
        #expect(report.damage.count == 1)
        #expect(disk.contents(file) == bytes)
    }

    @Test func laterVersionIsRefused() throws {
        let disk = try store(closed: true)
        var bytes = try #require(disk.contents(file))
        for start in [0, Layout.secondHeader] {
            bytes[start + 8] = 2
            let sum = bytes[start..<start + 60].withUnsafeBytes { CRC32C.checksum(of: $0) }
            for index in 0..<4 { bytes[start + 60 + index] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(index))) }
        }
        disk.setContents(file, bytes)
        #expect(throws: JournalError.unknownVersion(path: file, version: 2)) { try inspect(disk) }
        #expect(disk.contents(file) == bytes)
    }

    /// Random bytes in the place of a segment: no trap, no loss elsewhere.
    @Test(arguments: 0..<30)
    func garbageIsSurvived(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let disk = try store(closed: true)
        var bytes = try #require(disk.contents(file))
        let start = Int.random(in: 0..<bytes.count, using: &random)
        for index in start..<min(bytes.count, start + Int.random(in: 1...2000, using: &random)) {
            bytes[index] = UInt8.random(in: 0...255, using: &random)
        }
        disk.setContents(file, bytes)
        let (shown, _) = try inspect(disk)
        #expect(shown.count <= 6)
    }
}
