import Envelope
import TestSupport
import Testing

@Suite struct CRC32CTests {
    /// RFC 3720 appendix B.4, and the check value every catalogue of checksums gives for "123456789".
    static let published: [(bytes: [UInt8], checksum: UInt32)] = [
        (Array(repeating: 0, count: 32), 0x8A91_36AA),
        (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0...31), 0x46DD_794E),
        (Array((0...31).reversed()), 0x113F_DB5C),
        (Array("123456789".utf8), 0xE306_9283),
        ([], 0),
    ]

    @Test func publishedVectors() {
        for (bytes, checksum) in Self.published {
            #expect(CRC32C.checksum(of: bytes) == checksum)
            #expect(bytes.withUnsafeBytes { CRC32C.portable(0, $0) } == checksum)
            #expect(CRC32C.checksum(of: bytes.span.bytes) == checksum)
        }
    }

    /// Lengths around the blocks in which the three streams run, at every alignment.
    @Test func bothPathsAgree() {
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.bytes(60_000)
        let lengths = [0, 1, 7, 8, 9, 100, 767, 768, 769, 1536, 8191, 24_575, 24_576, 24_577, 25_345, 49_152, 59_990]
        for length in lengths {
            for start in 0..<8 {
                let piece = Array(bytes[start..<start + length])
                let portable = bytes.withUnsafeBytes {
                    CRC32C.portable(0, UnsafeRawBufferPointer(rebasing: $0[start..<start + length]))
                }
                #expect(CRC32C.checksum(of: piece) == portable)
            }
        }
    }

    @Test func extendingEqualsOnePiece() {
        var generator = SeededGenerator(seed: 2)
        let bytes = generator.bytes(2000)
        let whole = CRC32C.checksum(of: bytes)
        for cut in stride(from: 0, through: 2000, by: 37) {
            let first = CRC32C.checksum(of: Array(bytes[..<cut]))
            #expect(CRC32C.extend(first, Array(bytes[cut...])) == whole)
        }
    }
}
