import Envelope

/// Reads the fields of link-state messages; checks every length before it uses it.
struct WireReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var remaining: Int { bytes.count - position }

    mutating func byte(_ field: String) throws(LinkStateError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated(field) }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func word<Word: FixedWidthInteger>(_ field: String) throws(LinkStateError) -> Word {
        let size = Word.bitWidth / 8
        guard remaining >= size else { throw .truncated(field) }
        var value: Word = 0
        for index in 0..<size { value |= Word(truncatingIfNeeded: bytes[position + index]) << Word(8 * index) }
        position += size
        return value
    }

    /// The only form read is the shortest, so that equal values are equal bytes.
    mutating func varint(_ field: String, most limit: UInt64 = .max) throws(LinkStateError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let next = try byte(field)
            let payload = UInt64(next & 0x7F)
            guard shift < 63 || payload <= 1 else { throw .illegal(field, .max) }
            value |= payload << shift
            guard next & 0x80 == 0 else { continue }
            guard next != 0 || shift == 0 else { throw .notCanonical(field) }
            guard value <= limit else { throw .tooMuch(field, value, limit: limit) }
            return value
        }
        throw .illegal(field, .max)
    }

    mutating func raw(_ count: Int, _ field: String) throws(LinkStateError) -> [UInt8] {
        guard remaining >= count else { throw .truncated(field) }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// A 16-bit count of things of at least `least` bytes each: refused before anything is allocated for them.
    mutating func count(_ field: String, most limit: Int, least size: Int) throws(LinkStateError) -> Int {
        let count = Int(try word(field) as UInt16)
        guard count <= limit else { throw .tooMuch(field, UInt64(count), limit: UInt64(limit)) }
        guard count * size <= remaining else { throw .truncated(field) }
        return count
    }

    mutating func text(_ field: String, most limit: Int) throws(LinkStateError) -> String {
        let count = Int(try byte(field))
        guard count <= limit else { throw .tooMuch(field, UInt64(count), limit: UInt64(limit)) }
        guard remaining >= count else { throw .truncated(field) }
        let raw = bytes[position..<position + count]
        position += count
        for byte in raw where !(0x20...0x7E).contains(byte) { throw .badText(field) }
        return String(decoding: raw, as: UTF8.self)
    }

    mutating func nodeName(_ field: String) throws(LinkStateError) -> NodeName {
        let text = try text(field, most: 2 * Limits.nameLength + 1)
        do { return try NodeName(text) } catch { throw .badName(error) }
    }

    mutating func serviceName(_ field: String) throws(LinkStateError) -> ServiceName {
        let text = try text(field, most: Limits.nameLength)
        do { return try ServiceName(text) } catch { throw .badName(error) }
    }

    func end() throws(LinkStateError) {
        guard remaining == 0 else { throw .trailingBytes(remaining) }
    }
}
