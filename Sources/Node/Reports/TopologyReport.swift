import Envelope

/// The mesh as one node sees it: the answer to `GET /v1/topology`.
public struct TopologyReport: Codable, Equatable, Sendable {
    /// The layout of this JSON; rises only when a field changes its meaning or goes.
    public static let schema = 1

    /// An isolated network and the nodes in it.
    public struct Zone: Codable, Equatable, Sendable {
        public var name: String
        public var nodes: [Member]

        public init(name: String, nodes: [Member]) {
            self.name = name
            self.nodes = nodes
        }
    }

    /// A node of the mesh.
    public struct Member: Codable, Equatable, Sendable {
        /// `zone/name`.
        public var name: String
        /// `relay`, `agent`, `manager` or `monitor`.
        public var role: String
        public var state: State
        /// nil where the node has not told.
        public var version: String?
        public var storedBytes: UInt64?
        public var parkedEnvelopes: UInt64?
        /// When the node last said something of itself.
        public var asOf: WallTime?

        public init(
            name: String, role: String, state: State, version: String? = nil, storedBytes: UInt64? = nil,
            parkedEnvelopes: UInt64? = nil, asOf: WallTime? = nil
        ) {
            self.name = name
            self.role = role
            self.state = state
            self.version = version
            self.storedBytes = storedBytes
            self.parkedEnvelopes = parkedEnvelopes
            self.asOf = asOf
        }
    }

    public enum State: String, Codable, CaseIterable, Sendable {
        /// Reachable from the node that answers.
        case up
        /// Known, and not reachable.
        case down
        /// Named by a configuration only, never heard of.
        case unknown
    }

    public var schema: Int
    public var asOf: WallTime
    /// `zone/name` of the node that answers.
    public var by: String
    public var zones: [Zone]
    public var links: [LinkReport]

    public init(asOf: WallTime, by: String, zones: [Zone], links: [LinkReport]) {
        schema = Self.schema
        self.asOf = asOf
        self.by = by
        self.zones = zones
        self.links = links
    }
}
