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

    /// Not generic, and over bytes that lie in one piece: a mesh's messages are full of names, and to go through a text
    /// without knowing its type costs ten times as much.
    private init(checking text: String) throws(NameError) {
        var text = text
        let parts = text.withUTF8 { bytes -> (zone: String, local: String)? in
            let slash = UInt8(ascii: "/")
            guard let end = bytes.firstIndex(of: slash) else { return nil }
            let rest = bytes[(end + 1)...]
            guard !rest.contains(slash) else { return nil }
            return (String(decoding: bytes[..<end], as: UTF8.self), String(decoding: rest, as: UTF8.self))
        }
        guard let parts else { throw .notZoneAndName(text) }
        zone = try ZoneName(parts.zone)
        local = try NameError.checked(label: parts.local)
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
        var text = String(label)
        let length = text.utf8.count
        guard length > 0 else { throw .empty }
        guard length <= Limits.nameLength else { throw .tooLong(text) }
        guard text.withUTF8(isLegal) else { throw .illegalCharacter(text) }
        return text
    }

    private static func isLegal(_ label: UnsafeBufferPointer<UInt8>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        for byte in label where !(letters.contains(byte) || digits.contains(byte) || byte == hyphen) { return false }
        return label.first.map(letters.contains) ?? false && label.last != hyphen
    }
}
