/// Writes a row as one JSON object, members in the order of the columns (RFC 8259).
enum JSONRow {
    static func encode(_ columns: [SQLColumn], _ values: [SQLValue]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (index, (column, value)) in zip(columns, values).enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(string: column.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            append(value, of: column.type, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// What the columns hold, as an object of name and type.
    static func encode(_ columns: [SQLColumn]) -> [UInt8] {
        encode(
            columns.map { SQLColumn(name: $0.name, type: .text) }, columns.map { SQLValue.text($0.type.rawValue) })
    }

    /// Values as an array, for a key of several columns.
    static func encode(key values: [SQLValue]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(value, of: .text, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    private static func append(_ value: SQLValue, of type: SQLColumnType, to bytes: inout [UInt8]) {
        switch value {
        case .null: bytes += "null".utf8
        case .integer(let integer): bytes += String(integer).utf8
        case .real(let real) where real.isFinite: bytes += real.description.utf8
        case .real(let real): append(string: real.description, to: &bytes)
        case .binary(let content): append(string: Base64Text.encode(content), to: &bytes)
        case .text(let text): append(text, of: type, to: &bytes)
        }
    }

    /// Numbers too long for a machine word keep all their digits.
    private static func append(_ text: String, of type: SQLColumnType, to bytes: inout [UInt8]) {
        switch type {
        case .integer, .decimal, .real:
            if JSONNumber.isNumber(text.utf8) { bytes += text.utf8 } else { append(string: text, to: &bytes) }
        case .boolean where ["1", "t", "true", "TRUE"].contains(text): bytes += "true".utf8
        case .boolean where ["0", "f", "false", "FALSE"].contains(text): bytes += "false".utf8
        case .boolean, .text, .binary, .date, .time, .timestamp: append(string: text, to: &bytes)
        }
    }

    private static func append(string: String, to bytes: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes += "\\\"".utf8
            case UInt8(ascii: "\\"): bytes += "\\\\".utf8
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case UInt8(ascii: "\r"): bytes += "\\r".utf8
            case UInt8(ascii: "\t"): bytes += "\\t".utf8
            case 0..<0x20: bytes += "\\u00".utf8 + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

enum JSONNumber {
    /// Whether a text is a number as JSON writes them.
    static func isNumber(_ text: some Collection<UInt8>) -> Bool {
        var rest = text[...]
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        guard let first = rest.first, isDigit(first) else { return false }
        rest = first == UInt8(ascii: "0") ? rest.dropFirst() : rest.drop(while: isDigit)
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard let digit = rest.first, isDigit(digit) else { return false }
            rest = rest.drop(while: isDigit)
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard let digit = rest.first, isDigit(digit) else { return false }
            rest = rest.drop(while: isDigit)
        }
        return rest.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

/// Base64 (RFC 4648, section 4).
enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            let word = (0..<3).reduce(UInt32(0)) { word, place in
                word << 8 | (place < group.count ? UInt32(group[index + place]) : 0)
            }
            for place in 0..<4 {
                let digit = alphabet[Int(word >> UInt32(18 - 6 * place) & 63)]
                text.append(place <= group.count ? digit : UInt8(ascii: "="))
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// nil for a text that is not padded base64.
    static func decode(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 4) else { return nil }
        let padding = digits.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        for (index, digit) in digits.enumerated() {
            let value = digit == UInt8(ascii: "=") && index >= digits.count - padding ? 0 : value(of: digit)
            guard let value else { return nil }
            word = word << 6 | value
            if index % 4 == 3 {
                bytes += [UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)]
                word = 0
            }
        }
        return Array(bytes.dropLast(padding))
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case 65...90: UInt32(digit - 65)
        case 97...122: UInt32(digit - 71)
        case 48...57: UInt32(digit + 4)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
