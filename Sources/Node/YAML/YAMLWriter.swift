/// Writes a tree as YAML in block style, two spaces a level.
///
/// Scalars are written as they were read, with `${NAME}` in them, so that what was passed on says what its author wrote.
public enum YAMLWriter {
    public static func write(_ node: YAMLNode) -> String {
        var text = ""
        switch node.content {
        case .mapping(let entries) where !entries.isEmpty: write(entries, indent: 0, into: &text)
        case .sequence(let items) where !items.isEmpty: write(items, indent: 0, into: &text)
        default: text = inline(node) + "\n"
        }
        return text
    }

    private static func write(_ entries: [YAMLEntry], indent: Int, into text: inout String, isFirstPlaced: Bool = false)
    {
        for (index, entry) in entries.enumerated() {
            if index > 0 || !isFirstPlaced { text += String(repeating: " ", count: indent) }
            text += scalar(entry.key, isPlain: true) + ":"
            switch entry.value.content {
            case .mapping(let children) where !children.isEmpty:
                text += "\n"
                write(children, indent: indent + 2, into: &text)
            case .sequence(let items) where !items.isEmpty:
                text += "\n"
                write(items, indent: indent + 2, into: &text)
            default: text += " " + inline(entry.value) + "\n"
            }
        }
    }

    private static func write(_ items: [YAMLNode], indent: Int, into text: inout String, isFirstPlaced: Bool = false) {
        for (index, item) in items.enumerated() {
            if index > 0 || !isFirstPlaced { text += String(repeating: " ", count: indent) }
            text += "- "
            switch item.content {
            case .mapping(let children) where !children.isEmpty:
                write(children, indent: indent + 2, into: &text, isFirstPlaced: true)
            case .sequence(let children) where !children.isEmpty:
                write(children, indent: indent + 2, into: &text, isFirstPlaced: true)
            default: text += inline(item) + "\n"
            }
        }
    }

    private static func inline(_ node: YAMLNode) -> String {
        switch node.content {
        case .scalar(let value): value.isNull ? "~" : scalar(value.raw, isPlain: value.style == .plain)
        case .sequence: "[]"
        case .mapping: "{}"
        }
    }

    /// Without quotes where that cannot be misread, else in double quotes.
    private static func scalar(_ text: String, isPlain: Bool) -> String {
        if isPlain, !YAMLScalar.isNullWord(text), let first = text.utf8.first, isSafe(first),
            text.utf8.allSatisfy({ isSafe($0) || $0 == 45 })
        {
            return text
        }
        var quoted = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case _ where character.value < 0x20 || (0x7F...0x9F).contains(character.value):
                quoted += escape(character, "x", 2)
            case "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFE}", "\u{FFFF}": quoted += escape(character, "u", 4)
            default: quoted.unicodeScalars.append(character)
            }
        }
        return quoted + "\""
    }

    private static func escape(_ character: Unicode.Scalar, _ letter: String, _ digits: Int) -> String {
        let number = String(character.value, radix: 16)
        return "\\\(letter)" + String(repeating: "0", count: digits - number.count) + number
    }

    /// Letters, digits and what has no meaning of its own anywhere in a plain scalar.
    private static func isSafe(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}

extension YAMLNode {
    /// A place for what no file holds.
    static let made = YAMLMark(file: "", line: 0, column: 0)

    /// A value that stands for exactly this text, dollars and all.
    static func text(_ value: some CustomStringConvertible) -> YAMLNode {
        let text = value.description
        let raw = text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
        return YAMLNode(
            .scalar(YAMLScalar(raw: raw, text: text, style: YAMLScalar.isNullWord(raw) ? .doubleQuoted : .plain)),
            mark: made)
    }

    static func list(_ items: [YAMLNode]) -> YAMLNode { YAMLNode(.sequence(items), mark: made) }

    /// A mapping of those keys that have a value.
    static func mapping(_ entries: [(String, YAMLNode?)]) -> YAMLNode {
        let present = entries.compactMap { key, value in
            value.map { YAMLEntry(key: key, keyMark: made, value: $0) }
        }
        return YAMLNode(.mapping(present), mark: made)
    }
}
