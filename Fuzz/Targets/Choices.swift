/// Reads an input as a list of choices. Past its end every choice is zero, so that each input means something.
struct Choices {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    /// A number from 0 to 255 at most, below the bound.
    mutating func number(below bound: Int) -> Int { Int(byte()) % bound }

    mutating func short() -> Int { Int(byte()) | Int(byte()) << 8 }

    mutating func word() -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(byte()) << (8 * UInt64($1)) } }

    /// At most so many bytes, fewer at the end.
    mutating func run(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[min(position, end)..<end])
    }

    mutating func rest() -> [UInt8] { run(bytes.count) }
}

extension [UInt8] {
    mutating func append(word: UInt64) {
        Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
    }

    mutating func append(short: Int) {
        append(UInt8(truncatingIfNeeded: short))
        append(UInt8(truncatingIfNeeded: short >> 8))
    }

    mutating func append(word32: UInt32) {
        Swift.withUnsafeBytes(of: word32.littleEndian) { append(contentsOf: $0) }
    }

    mutating func replace(_ word: UInt32, at offset: Int) {
        Swift.withUnsafeBytes(of: word.littleEndian) { replaceSubrange(offset..<offset + 4, with: $0) }
    }
}
