/// A place in a file, as an editor counts: the first line and the first character are 1.
public struct YAMLMark: Hashable, Sendable, CustomStringConvertible {
    /// The file's path as the person gave it.
    public var file: String
    public var line: Int
    /// In characters, not bytes.
    public var column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var description: String { line > 0 ? "\(file):\(line):\(column)" : file }

    /// The directory of the file, which relative paths in it are relative to; `.` where the file's path names none.
    public var directory: String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }
}

/// A value in a YAML file, with the place it stands at.
///
/// Two nodes are equal where they mean the same, wherever and however they are written.
public struct YAMLNode: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        /// In the order of the file; no key comes twice.
        case mapping([YAMLEntry])
    }

    public var content: Content
    public var mark: YAMLMark

    public init(_ content: Content, mark: YAMLMark) {
        self.content = content
        self.mark = mark
    }

    public static func == (left: Self, right: Self) -> Bool { left.content == right.content }
    public func hash(into hasher: inout Hasher) { hasher.combine(content) }

    /// The value of a key; nil where the node is no mapping or has no such key.
    public subscript(key: String) -> YAMLNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    public var scalar: YAMLScalar? {
        guard case .scalar(let scalar) = content else { return nil }
        return scalar
    }

    /// What the node is, for a message.
    var kind: String {
        switch content {
        case .scalar: "a single value"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A key and its value.
public struct YAMLEntry: Hashable, Sendable {
    public var key: String
    public var keyMark: YAMLMark
    public var value: YAMLNode

    public init(key: String, keyMark: YAMLMark, value: YAMLNode) {
        self.key = key
        self.keyMark = keyMark
        self.value = value
    }

    public static func == (left: Self, right: Self) -> Bool { left.key == right.key && left.value == right.value }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(value)
    }
}

/// A single value, before and after its variables were replaced.
public struct YAMLScalar: Hashable, Sendable {
    public enum Style: Hashable, Sendable {
        case plain, singleQuoted, doubleQuoted, literal, folded
    }

    /// As written, with `${NAME}` in it. Messages show this one, never ``text``.
    public var raw: String
    /// With the variables replaced; the same as ``raw`` where ``problem`` is set.
    public var text: String
    public var style: Style
    /// Why a variable could not be replaced. It is an error only once somebody reads the value.
    public var problem: String?

    public init(raw: String, text: String, style: Style, problem: String? = nil) {
        self.raw = raw
        self.text = text
        self.style = style
        self.problem = problem
    }

    /// True for nothing, `~` and `null` without quotes.
    public var isNull: Bool { style == .plain && Self.isNullWord(raw) }

    static func isNullWord(_ text: String) -> Bool { ["", "~", "null", "Null", "NULL"].contains(text) }

    public static func == (left: Self, right: Self) -> Bool {
        left.isNull || right.isNull ? left.isNull == right.isNull : left.text == right.text
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(isNull ? "" : text) }
}
