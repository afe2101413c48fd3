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

    /// Lengths around those at which the three streams begin and are at their longest, at every alignment.
    @Test func bothPathsAgree() {
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.bytes(60_000)
        let lengths =
            Array(0...400) + [1060, 4096, 8191, 12_287, 12_288, 12_289, 12_431, 12_432, 12_433, 24_576, 49_152, 59_990]
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
