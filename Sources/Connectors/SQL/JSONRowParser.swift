/// A value of a row's object. Numbers keep their digits.
enum JSONScalar: Equatable {
    case null
    case boolean(Bool)
    case number(String)
    case string(String)
}

/// Reads an object whose values are no objects or arrays.
struct JSONRowParser {
    struct Malformed: Error, Equatable {}
    /// Members of one object; databases allow fewer columns.
    static let members = 4_096

    private let bytes: [UInt8]
    private var position = 0

    /// - Throws: ``Malformed`` for anything but one such object.
    static func parse(_ bytes: [UInt8]) throws(Malformed) -> [(name: String, value: JSONScalar)] {
        var parser = JSONRowParser(bytes: bytes)
        let members = try parser.object()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw Malformed() }
        return members
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func object() throws(Malformed) -> [(name: String, value: JSONScalar)] {
        try expect("{")
        var members: [(name: String, value: JSONScalar)] = []
        if take("}") { return members }
        repeat {
            skipSpace()
            let name = try string()
            try expect(":")
            members.append((name, try scalar()))
            guard members.count <= Self.members else { throw Malformed() }
        } while take(",")
        try expect("}")
        return members
    }

    private mutating func scalar() throws(Malformed) -> JSONScalar {
        skipSpace()
        switch peek {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        default:
            let digits = bytes[position...].prefix { "+-.eE0123456789".utf8.contains($0) }
            guard JSONNumber.isNumber(digits) else { throw Malformed() }
            position += digits.count
            return .number(String(decoding: digits, as: UTF8.self))
        }
    }

    private mutating func word(_ text: String, _ value: JSONScalar) throws(Malformed) -> JSONScalar {
        guard bytes[position...].starts(with: text.utf8) else { throw Malformed() }
        position += text.utf8.count
        return value
    }

    private mutating func string() throws(Malformed) -> String {
        guard peek == UInt8(ascii: "\"") else { throw Malformed() }
        position += 1
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw Malformed() }
                return string
            case UInt8(ascii: "\\"): text += try escaped()
            case 0..<0x20: throw Malformed()
            default: text.append(byte)
            }
        }
        throw Malformed()
    }

    private mutating func escaped() throws(Malformed) -> [UInt8] {
        guard let byte = peek else { throw Malformed() }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"): return try unicode()
        default: throw Malformed()
        }
    }

    /// Four digits, or a pair of surrogates.
    private mutating func unicode() throws(Malformed) -> [UInt8] {
        var code = try fourDigits()
        if (0xd800..<0xdc00).contains(code) {
            guard bytes[position...].starts(with: "\\u".utf8) else { throw Malformed() }
            position += 2
            let low = try fourDigits()
            guard (0xdc00..<0xe000).contains(low) else { throw Malformed() }
            code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw Malformed() }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func fourDigits() throws(Malformed) -> UInt32 {
        guard position + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw Malformed() }
        position += 4
        return code
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Malformed) {
        guard take(character) else { throw Malformed() }
    }
}
