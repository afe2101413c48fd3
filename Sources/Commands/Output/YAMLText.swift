/// Writes JSON values as YAML in block style.
enum YAMLText {
    static func write(_ value: JSONValue) -> String {
        var text = ""
        block(value, indent: 0, into: &text)
        return text
    }

    private static func block(_ value: JSONValue, indent: Int, into text: inout String) {
        let margin = String(repeating: " ", count: indent)
        switch value {
        case .object(let members) where !members.isEmpty:
            for member in members { text += margin + entry(member.name, member.value, indent: indent) }
        case .list(let values) where !values.isEmpty:
            for value in values { text += margin + item(value, indent: indent) }
        default:
            text += margin + scalar(value) + "\n"
        }
    }

    /// One member without its margin.
    private static func entry(_ name: String, _ value: JSONValue, indent: Int) -> String {
        let key = plainOrQuoted(name) + ":"
        guard isBlock(value) else { return key + " " + scalar(value) + "\n" }
        var text = key + "\n"
        block(value, indent: indent + 2, into: &text)
        return text
    }

    /// One element without its margin; its first member stands on the line of the dash.
    private static func item(_ value: JSONValue, indent: Int) -> String {
        guard isBlock(value) else { return "- " + scalar(value) + "\n" }
        var text = ""
        block(value, indent: indent + 2, into: &text)
        return "- " + text.dropFirst(indent + 2)
    }

    private static func isBlock(_ value: JSONValue) -> Bool {
        switch value {
        case .object(let members): !members.isEmpty
        case .list(let values): !values.isEmpty
        default: false
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .unsigned(let value): String(value)
        case .number(let value): String(value)
        case .text(let value): plainOrQuoted(value)
        case .list: "[]"
        case .object: "{}"
        }
    }

    /// Quotes whatever a reader of YAML 1.1 or 1.2 might take for something else than this text.
    static func plainOrQuoted(_ text: String) -> String {
        let words: Set = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: " "):
                true
            default: false
            }
        }
        let isLetter = text.first.map { $0.isLetter } ?? false
        return isPlain && isLetter && text.last != " " && !words.contains(text.lowercased()) ? text : quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\x" + (digits.count < 2 ? "0" : "") + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
