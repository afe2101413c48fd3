import Envelope
import Glibc
import Testing

/// Just enough of JSON to read the vector files without another library. Not for input that is not ours.
indirect enum Vector {
    case null
    case truth(Bool)
    case number(String)
    case text(String)
    case list([Vector])
    case object([String: Vector])

    /// Reads `Tests/Vectors/<name>.json`.
    static func file(_ name: String, beside path: String = #filePath) throws -> Vector {
        let tests = path.split(separator: "/").dropLast(2).joined(separator: "/")
        let file = try #require(fopen("/\(tests)/Vectors/\(name).json", "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = getc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        var parser = VectorParser(bytes: bytes)
        let value = parser.value()
        return try #require(value)
    }

    subscript(_ name: String) -> Vector {
        get throws {
            guard case .object(let members) = self else { throw OtherShape() }
            return try #require(members[name], "the vector has no '\(name)'")
        }
    }

    var list: [Vector] {
        get throws {
            guard case .list(let list) = self else { throw OtherShape() }
            return list
        }
    }

    var text: String {
        get throws {
            guard case .text(let text) = self else { throw OtherShape() }
            return text
        }
    }

    var truth: Bool {
        get throws {
            guard case .truth(let truth) = self else { throw OtherShape() }
            return truth
        }
    }

    func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws -> Number {
        guard case .number(let digits) = self else { throw OtherShape() }
        return try #require(Number(digits))
    }

    /// The bytes of hexadecimal text.
    var bytes: [UInt8] {
        get throws { try #require(Hexadecimal.decode(text)) }
    }

    /// As ``bytes``, nil for null.
    var optionalBytes: [UInt8]? {
        get throws {
            if case .null = self { return nil }
            return try bytes
        }
    }

    var bytes16: Bytes16 {
        get throws { try #require(Bytes16(hexadecimal: text)) }
    }
}

/// The file holds something else in this place.
struct OtherShape: Error {}

private struct VectorParser {
    let bytes: [UInt8]
    var position = 0

    mutating func value() -> Vector? {
        switch next() {
        case UInt8(ascii: "{"): return object()
        case UInt8(ascii: "["): return array()
        case UInt8(ascii: "\""): return text().map(Vector.text)
        case .some: return word()
        case .none: return nil
        }
    }

    /// The next byte that is no blank, not yet taken.
    private mutating func next() -> UInt8? {
        while position < bytes.count, bytes[position] <= UInt8(ascii: " ") { position += 1 }
        return position < bytes.count ? bytes[position] : nil
    }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        guard next() == UInt8(ascii: wanted) else { return false }
        position += 1
        return true
    }

    private mutating func object() -> Vector? {
        guard take("{") else { return nil }
        var members: [String: Vector] = [:]
        if take("}") { return .object(members) }
        repeat {
            guard next() == UInt8(ascii: "\""), let name = text(), take(":"), let value = value() else { return nil }
            members[name] = value
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array() -> Vector? {
        guard take("[") else { return nil }
        var values: [Vector] = []
        if take("]") { return .list(values) }
        repeat {
            guard let value = value() else { return nil }
            values.append(value)
        } while take(",")
        return take("]") ? .list(values) : nil
    }

    /// Text without escapes, which the vector files do not use.
    private mutating func text() -> String? {
        position += 1
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        defer { position = end + 1 }
        return String(validating: bytes[position..<end], as: UTF8.self)
    }

    private mutating func word() -> Vector? {
        let ends = Set(",]} \n\r\t".utf8)
        let end = bytes[position...].firstIndex(where: ends.contains) ?? bytes.count
        let word = String(decoding: bytes[position..<end], as: UTF8.self)
        position = end
        switch word {
        case "null": return .null
        case "true": return .truth(true)
        case "false": return .truth(false)
        default: return .number(word)
        }
    }
}
