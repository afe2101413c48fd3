import Envelope

/// Appends the fields of link-state messages. Integers are little-endian or LEB128 varints.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ value: UInt8) { bytes.append(value) }

    mutating func append<Word: FixedWidthInteger>(word: Word) {
        for shift in stride(from: 0, to: Word.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> Word(shift)))
        }
    }

    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(raw: [UInt8]) { bytes.append(contentsOf: raw) }

    /// - Precondition: at most 255 bytes of UTF-8; every name and text here is shorter by its own rule.
    mutating func append(text: String) {
        bytes.append(UInt8(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ name: NodeName) { append(text: name.description) }
}
