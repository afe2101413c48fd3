import Crypto
import Envelope
import Testing

/// Bytes of a published vector.
func hex(_ text: String) throws -> [UInt8] {
    try #require(Hexadecimal.decode(text), "the vector is no hexadecimal text")
}

extension SecretBytes {
    /// What a test looks at; nothing else should.
    var exposed: [UInt8] { withUnsafeBytes { Array($0) } }
}

/// Repeats one byte.
func bytes(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }
