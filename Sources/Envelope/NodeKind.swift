/// What a node is in the mesh.
public enum NodeKind: UInt8, CaseIterable, Sendable, CustomStringConvertible {
    case relay = 1
    case agent = 2
    case manager = 3
    case monitor = 4

    public var description: String {
        switch self {
        case .relay: "relay"
        case .agent: "agent"
        case .manager: "manager"
        case .monitor: "monitor"
        }
    }
}
