import Envelope

extension Log {
    /// One line before it is bytes.
    struct Line {
        var time: WallTime
        var level: Level
        var event: String
        var message: String
        var fields: Fields

        /// The line with its line end. Whatever the values hold, it is one line.
        func rendered(as format: Format) -> [UInt8] {
            var writer = LineWriter()
            switch format {
            case .text: writeText(&writer)
            case .json: writeJSON(&writer)
            }
            writer.raw("\n")
            return writer.bytes
        }

        /// `2026-01-31T08:15:30.250Z info link.up: link is up peer=plant-a/relay-1`
        private func writeText(_ writer: inout LineWriter) {
            writer.raw("\(time.timestamp) \(level) ")
            writer.raw(event)
            writer.raw(": ")
            writer.escaped(message, quotes: false)
            for (name, value) in fields {
                writer.raw(" ")
                writer.name(name)
                writer.raw("=")
                writer.textValue(value)
            }
        }

        private func writeJSON(_ writer: inout LineWriter) {
            writer.raw("{\"time\":\"\(time.timestamp)\",\"level\":\"\(level)\",\"event\":")
            writer.quoted(event)
            writer.raw(",\"message\":")
            writer.quoted(message)
            for (name, value) in fields {
                writer.raw(",")
                writer.quoted(Self.reserved.contains(name) ? name + "_" : name)
                writer.raw(":")
                writer.jsonValue(value)
            }
            writer.raw("}")
        }

        /// Names a field must not take, since the line has them itself.
        private static let reserved: Set<String> = ["time", "level", "event", "message"]
    }
}

/// Puts values into a line so that none can end it, or pass for another field.
struct LineWriter {
    private(set) var bytes: [UInt8] = []
    private static let digits = Array("0123456789abcdef".utf8)

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// A field's name in a text line: what would break the line's form becomes `_`.
    mutating func name(_ text: String) {
        for byte in text.utf8 {
            let isPlain = byte > 0x20 && byte != 0x7f && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "\"")
            bytes.append(isPlain ? byte : UInt8(ascii: "_"))
        }
    }

    mutating func textValue(_ value: any CustomStringConvertible) {
        let text = value.description
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\"")
                    && $0 != UInt8(ascii: "\\")
            }
        isPlain ? raw(text) : quoted(text)
    }

    mutating func jsonValue(_ value: any CustomStringConvertible) {
        switch value {
        case let number as any BinaryInteger: raw(number.description)
        case let flag as Bool: raw(flag ? "true" : "false")
        case let number as Double where number.isFinite: raw(number.description)
        default: quoted(value.description)
        }
    }

    mutating func quoted(_ text: String) {
        raw("\"")
        escaped(text, quotes: true)
        raw("\"")
    }

    /// Escapes as JSON does, and also what terminals obey or take for a line end: DEL, the C1 controls, the
    /// Unicode line ends and the marks that turn the direction of text.
    mutating func escaped(_ text: String, quotes: Bool) {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0a: raw("\\n")
            case 0x0d: raw("\\r")
            case 0x09: raw("\\t")
            case 0x22 where quotes: raw("\\\"")
            case 0x5c: raw("\\\\")
            case 0..<0x20, 0x7f...0x9f, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: code(scalar.value)
            default: bytes.append(contentsOf: String(scalar).utf8)
            }
        }
    }

    private mutating func code(_ value: UInt32) {
        raw("\\u")
        for shift in [12, 8, 4, 0] as [UInt32] { bytes.append(Self.digits[Int(value >> shift) & 15]) }
    }
}
