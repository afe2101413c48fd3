import Envelope
import TestSupport
import Testing

@testable import Journal

/// Records that a later version of the journal may write.
@Suite struct RecoveryUnknownKindTests {
    private static let unknown = RecordKind(.max - 7)
    private let seal = SegmentSeal(number: 3, salt: 9)

    /// A segment with one record of data and one of an unknown reserved kind, in one commit.
    private func store() throws -> MemoryDisk {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        try log.close()
        var file = [UInt8](repeating: 0, count: smallOptions().segmentBytes)
        file.withUnsafeMutableBytes { file in
            let header = SegmentHeader(
                segmentBytes: UInt32(file.count), number: seal.number, salt: seal.salt, nextLSN: LSN(1),
                acknowledged: 0,
                previous: 0, previousEnd: 0)
            for place in [0, Layout.secondHeader] {
                header.write(to: UnsafeMutableRawBufferPointer(rebasing: file[place...]))
            }
            var place = Layout.firstRecord
            var digest: UInt32 = 0
            for (kind, lsn) in [(data, 1), (Self.unknown, 0)] as [(RecordKind, UInt64)] {
                let checksum = put(kind, lsn, payload(1, 40), at: &place, file)
                digest = withUnsafeBytes(of: checksum.littleEndian) { CRC32C.extend(digest, $0) }
            }
            let mark = CommitMark(
                number: 1, acknowledged: 0, spanStart: UInt32(Layout.firstRecord), records: 2, previous: 0, flags: 0,
                digest: digest)
            var commit = [UInt8](repeating: 0, count: Layout.commitPayload)
            commit.withUnsafeMutableBytes { mark.write(to: $0) }
            put(.commit, 0, commit, at: &place, file)
        }
        let settled = disk.settled()
        for name in try settled.list(directory) where name.hasSuffix(".segment") {
            try settled.remove(directory + "/" + name)
        }
        settled.setContents(directory + "/0000000000000003.segment", file)
        return settled
    }

    @discardableResult
    private func put(
        _ kind: RecordKind, _ lsn: UInt64, _ payload: [UInt8], at place: inout Int,
        _ file: UnsafeMutableRawBufferPointer
    ) -> UInt32 {
        let record = RecordHeader(
            length: payload.count, lsn: LSN(lsn), kind: kind, flags: 0, payloadChecksum: CRC32C.checksum(of: payload))
        let room = UnsafeMutableRawBufferPointer(rebasing: file[place..<place + record.footprint])
        record.write(to: room)
        payload.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: room[Layout.recordHeader...]).copyMemory(from: $0)
        }
        place += record.footprint
        return RecordHeader.seal(room, at: place - record.footprint, by: seal)
    }

    /// What it means is not known, so it is told of and its segment stays, whatever becomes of the rest.
    @Test func aReservedKindIsToldAndKeepsItsSegment() throws {
        let disk = try store()
        var shown: [Shown] = []
        var log = try openLog(disk, shown: &shown)
        #expect(shown.map(\.lsn.number) == [1])
        #expect(log.report.unknownKinds.values.reduce(0, +) == 1)
        #expect(log.report.damage.isEmpty && log.report.tornTails.isEmpty)
        log.release(LSN(1))
        try log.commit()
        _ = try log.clean(budget: 10_000)
        try log.close()
        #expect(disk.contents(directory + "/0000000000000003.segment") != nil, "nothing in it lives, and it stays")
        #expect(try inspect(disk.settled()).report.unknownKinds.values.reduce(0, +) == 1)
    }
}
