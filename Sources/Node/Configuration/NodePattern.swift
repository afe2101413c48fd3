import Envelope

/// A set of nodes by name, in the three forms that a flow at a relay can check: `zone/name`, `zone/*` and `*`.
public enum NodePattern: Hashable, Sendable, CustomStringConvertible {
    /// `*`: every node of the mesh.
    case everyone
    /// `plant-a/*`: every node of a zone.
    case zone(ZoneName)
    /// `plant-a/agent-1`: one node.
    case node(NodeName)

    /// nil for a text in no such form.
    public init?(_ text: String) {
        if text == "*" {
            self = .everyone
        } else if text.hasSuffix("/*"), let zone = try? ZoneName(text.dropLast(2)) {
            self = .zone(zone)
        } else if let node = try? NodeName(text) {
            self = .node(node)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .everyone: "*"
        case .zone(let zone): "\(zone)/*"
        case .node(let node): "\(node)"
        }
    }

    public func matches(_ name: NodeName) -> Bool {
        switch self {
        case .everyone: true
        case .zone(let zone): name.zone == zone
        case .node(let node): name == node
        }
    }

    /// True where some node could match both.
    public func overlaps(_ other: NodePattern) -> Bool {
        switch (self, other) {
        case (.everyone, _), (_, .everyone): true
        case (.zone(let one), .zone(let two)): one == two
        case (.node(let node), _): other.matches(node)
        case (_, .node(let node)): matches(node)
        }
    }
}
