import Envelope

/// An anycast name such as `manager`: an envelope to it goes to the nearest node that offers it.
///
/// Same rule as a zone's name. It holds no slash, so it never equals the name of a node.
public struct ServiceName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    /// - Throws: ``NameError`` that says which rule the text breaks.
    public init(_ text: some StringProtocol) throws(NameError) {
        description = try ZoneName(text).description
    }

    private init(checked: String) { description = checked }

    /// Offered by every manager, through each relay it is attached to.
    public static let manager = ServiceName(checked: "manager")

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
