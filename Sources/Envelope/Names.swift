/// The name of an isolated network, such as `plant-a`.
///
/// One to ``Limits/nameLength`` characters, each a lower-case letter, a digit or `-`, beginning with a letter and
/// not ending with `-` (the label rule of RFC 1123, narrowed to lower case so that a name has one spelling).
public struct ZoneName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    /// - Throws: ``NameError`` that says which rule the text breaks.
    public init(_ text: some StringProtocol) throws(NameError) {
        description = try NameError.checked(label: text)
    }

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}

/// The name of a process with an identity in the mesh: `zone/name`, such as `plant-a/relay-1`.
public struct NodeName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let zone: ZoneName
    /// The part after the slash; same rule as a zone's name.
    public let local: String

    /// - Throws: ``NameError`` that says which rule the text breaks.
    public init(_ text: some StringProtocol) throws(NameError) { try self.init(checking: String(text)) }

    /// Not generic: a mesh's messages are full of names, and to go through a text without knowing its type costs ten
    /// times as much.
    private init(checking text: String) throws(NameError) {
        let bytes = text.utf8
        let slash = UInt8(ascii: "/")
        guard let end = bytes.firstIndex(of: slash) else { throw .notZoneAndName(text) }
        let start = bytes.index(after: end)
        guard !bytes[start...].contains(slash) else { throw .notZoneAndName(text) }
        zone = try ZoneName(text[..<end])
        local = try NameError.checked(label: text[start...])
    }

    public init(zone: ZoneName, local: some StringProtocol) throws(NameError) {
        self.zone = zone
        self.local = try NameError.checked(label: local)
    }

    public var description: String { "\(zone)/\(local)" }

    /// Zones first, then names within a zone.
    public static func < (left: Self, right: Self) -> Bool {
        left.zone == right.zone ? left.local < right.local : left.zone < right.zone
    }
}

/// Why a text is not the name of a zone or a node.
public enum NameError: Error, Equatable, CustomStringConvertible {
    case empty
    case tooLong(String)
    case illegalCharacter(String)
    case notZoneAndName(String)

    public var description: String {
        switch self {
        case .empty:
            "a name is empty; write one such as plant-a or plant-a/relay-1"
        case .tooLong(let text):
            "the name '\(text.prefix(80))' is longer than \(Limits.nameLength) characters"
        case .illegalCharacter(let text):
            "the name '\(text.prefix(80))' may hold lower-case letters, digits and '-', begins with a letter and does not end with '-'"
        case .notZoneAndName(let text):
            "'\(text.prefix(80))' is not a node's name; write zone/name, such as plant-a/relay-1"
        }
    }

    static func checked(label: some StringProtocol) throws(NameError) -> String {
        guard let first = label.utf8.first else { throw .empty }
        guard label.utf8.count <= Limits.nameLength else { throw .tooLong(String(label)) }
        let hyphen = UInt8(ascii: "-")
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        var last = first
        for byte in label.utf8 {
            guard letters.contains(byte) || digits.contains(byte) || byte == hyphen else {
                throw .illegalCharacter(String(label))
            }
            last = byte
        }
        guard letters.contains(first), last != hyphen else { throw .illegalCharacter(String(label)) }
        return String(label)
    }
}
