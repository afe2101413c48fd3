import Crypto
import Glibc
import Testing

@testable import Envelope
@testable import Keyring

/// docs/protocol.md must tell the truth: its tables marked "checked" are compared with the code.
@Suite struct DocumentTests {
    /// The rows of the table under a heading, without its head; each row its trimmed cells.
    private func table(_ heading: String, beside path: String = #filePath) throws -> [[String]] {
        let root = path.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = try #require(fopen("/\(root)/docs/protocol.md", "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = getc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.hasPrefix("#") && $0.hasSuffix(" \(heading)") })
        let rows = lines[(start + 1)...].drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }.dropFirst(2)
        return rows.map { row in
            row.split(separator: "|").map { cell in
                String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
        }
    }

    private func offsets(_ heading: String) throws -> [String: Int] {
        var offsets: [String: Int] = [:]
        for row in try table(heading) { offsets[row[2]] = Int(row[0]) }
        return offsets
    }

    @Test func headerTable() throws {
        let expected = [
            "version": Header.Offset.version, "kind": Header.Offset.kind, "lane": Header.Offset.lane,
            "flags": Header.Offset.flags, "source": Header.Offset.source, "destination": Header.Offset.destination,
            "stream": Header.Offset.stream, "sequence": Header.Offset.sequence, "floor": Header.Offset.floor,
            "created": Header.Offset.created, "lifetime": Header.Offset.lifetime, "key": Header.Offset.key,
            "bodyLength": Header.Offset.bodyLength, "checksum": Header.Offset.checksum,
        ]
        #expect(try offsets("Header (checked)") == expected)
        try rowsAreWithoutGaps("Header (checked)", size: Header.size)
    }

    @Test func batchHeadTable() throws {
        typealias Offset = RecordBatch.Offset
        let expected = [
            "magic": 0, "version": Offset.version, "count": Offset.count, "baseTime": Offset.baseTime,
            "attributes": Offset.attributes, "topicLength": Offset.topicLength,
        ]
        #expect(try offsets("Head (checked)") == expected)
        try rowsAreWithoutGaps("Head (checked)", size: RecordBatch.headSize)
    }

    private func rowsAreWithoutGaps(_ heading: String, size: Int) throws {
        var next = 0
        for row in try table(heading) {
            #expect(Int(row[0]) == next)
            next += try #require(Int(row[1]))
        }
        #expect(next == size)
    }

    @Test func limitsTable() throws {
        let expected: [String: UInt64] = [
            "bodyBytes": UInt64(Limits.bodyBytes), "batchBytes": UInt64(Limits.batchBytes),
            "defaultBatchBytes": UInt64(Limits.defaultBatchBytes), "topicBytes": UInt64(Limits.topicBytes),
            "window": Limits.window, "streamEnvelopes": Limits.streamEnvelopes, "hops": UInt64(Limits.hops),
        ]
        var found: [String: UInt64] = [:]
        for row in try table("Limits (checked)") { found[row[0]] = UInt64(row[1]) }
        #expect(found == expected)
    }

    @Test func structureTexts() throws {
        var found: [String: String] = [:]
        for row in try table("Body") { found[row[0] + row[1]] = row[2] }
        for (kind, version) in Header.Kind.allCases.flatMap({ kind in
            StructureCode.Version.allCases.map { (kind, $0) }
        }) {
            #expect(found["\(kind)\(version.rawValue)"] == "`\(StructureCode.text(kind, version))`")
        }
        #expect(found.count == Header.Kind.allCases.count * StructureCode.Version.allCases.count)
    }

    @Test func batchLimitLeavesRoomForTheCodes() {
        #expect(Limits.batchBytes + Compression.headSize + SealedBody.overhead <= Limits.bodyBytes)
    }
}
