import Envelope

/// A permission as the configuration declares it: these sources may send to these destinations in this lane.
public struct FlowDeclaration: Equatable, Sendable {
    /// Not empty, at most ``Limits/flowNameLength`` characters, unlike every other flow's.
    public var name: String
    public var from: [FlowPattern]
    public var to: [FlowPattern]
    public var lane: Lane
    /// A disabled flow permits nothing but keeps its place in reports.
    public var isEnabled: Bool
    /// Of all its envelopes together at one relay; nil: as much as there is. At least 1.
    public var bytesPerSecond: UInt64?
    /// What one relay may hold of its envelopes.
    public var quota: Quota
    /// When custody of its envelopes is passed upstream; nil: as the relay does.
    public var durability: Durability?

    public init(
        name: String, from: [FlowPattern], to: [FlowPattern], lane: Lane = .live, isEnabled: Bool = true,
        bytesPerSecond: UInt64? = nil, quota: Quota = .none, durability: Durability? = nil
    ) {
        self.name = name
        self.from = from
        self.to = to
        self.lane = lane
        self.isEnabled = isEnabled
        self.bytesPerSecond = bytesPerSecond
        self.quota = quota
        self.durability = durability
    }
}

/// Why declared flows cannot be used; the text names the flow and what to change.
public enum FlowError: Error, Equatable, CustomStringConvertible {
    case pattern(String)
    case name(String)
    case repeated(String)
    case noSource(String)
    case noDestination(String)
    case serviceAsSource(String, ServiceName)
    case tooManyFlows(Int)
    case tooManyPatterns(String, Int)
    case noBytes(String)

    public var description: String {
        switch self {
        case .pattern(let text):
            "'\(text)' names no nodes; write zone/name, zone/*, * or an anycast name such as manager"
        case .name(let name):
            "a flow's name has 1 to \(Limits.flowNameLength) characters; change '\(name.prefix(80))'"
        case .repeated(let name): "two flows are called '\(name)'; rename one"
        case .noSource(let name): "flow '\(name)' has no sources; list nodes under from"
        case .noDestination(let name): "flow '\(name)' has no destinations; list nodes under to"
        case .serviceAsSource(let name, let service):
            "flow '\(name)' is from '\(service)', but only a node can send; name the nodes that do"
        case .tooManyFlows(let count): "\(count) flows are declared, the limit is \(Limits.flows); use zone/* patterns"
        case .tooManyPatterns(let name, let count):
            "flow '\(name)' lists \(count) nodes, the limit is \(Limits.flowPatterns) a side; use zone/* patterns"
        case .noBytes(let name): "flow '\(name)' may send 0 bytes a second; disable it or raise the limit"
        }
    }
}
