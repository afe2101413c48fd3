import Envelope
import Mesh

/// What each flow, lane and source holds in a relay and may hold: the answer to `GET /v1/flows`.
public struct FlowReport: Codable, Equatable, Sendable {
    /// The layout of this JSON; rises only when a field changes its meaning or goes.
    public static let schema = 1

    /// Envelopes since the process started. Always: accepted = delivered + expired + unreadable + held.
    public struct Account: Codable, Equatable, Sendable {
        /// A flow's or lane's name, or a source's `zone/name`.
        public var name: String
        public var accepted: UInt64
        /// In the next hop's care, finished here, or receipted by their destination.
        public var delivered: UInt64
        public var expired: UInt64
        public var unreadable: UInt64
        /// Given back to the neighbour they came from, before custody.
        public var returned: UInt64
        /// Turned away because this quota was full.
        public var refused: UInt64
        public var bytesAccepted: UInt64
        public var bytesDelivered: UInt64
        /// Here now.
        public var held: UInt64
        public var bytesHeld: UInt64
        /// More is refused for now.
        public var isFull: Bool
        public var maxEnvelopes: Int?
        public var maxBytes: Int?
        public var maxAgeSeconds: Int?
        public var bytesPerSecond: UInt64?

        public init(
            _ name: String, accepted: UInt64 = 0, delivered: UInt64 = 0, expired: UInt64 = 0, unreadable: UInt64 = 0,
            returned: UInt64 = 0, refused: UInt64 = 0, bytesAccepted: UInt64 = 0, bytesDelivered: UInt64 = 0,
            held: UInt64 = 0, bytesHeld: UInt64 = 0, isFull: Bool = false, maxEnvelopes: Int? = nil,
            maxBytes: Int? = nil, maxAgeSeconds: Int? = nil, bytesPerSecond: UInt64? = nil
        ) {
            self.name = name
            self.accepted = accepted
            self.delivered = delivered
            self.expired = expired
            self.unreadable = unreadable
            self.returned = returned
            self.refused = refused
            self.bytesAccepted = bytesAccepted
            self.bytesDelivered = bytesDelivered
            self.held = held
            self.bytesHeld = bytesHeld
            self.isFull = isFull
            self.maxEnvelopes = maxEnvelopes
            self.maxBytes = maxBytes
            self.maxAgeSeconds = maxAgeSeconds
            self.bytesPerSecond = bytesPerSecond
        }
    }

    public var schema: Int
    /// `zone/name` of the node that answers.
    public var node: String
    public var asOf: WallTime
    public var flows: [Account]
    public var lanes: [Account]
    /// Those that hold something or were refused.
    public var sources: [Account]
    /// Envelopes of which no flow is known, such as those found in the store before the mesh was.
    public var other: Account
    /// Receipts and notices of expiry, which need no flow of their own.
    public var answers: Account

    public init(
        node: String, asOf: WallTime, flows: [Account], lanes: [Account], sources: [Account], other: Account,
        answers: Account
    ) {
        schema = Self.schema
        self.node = node
        self.asOf = asOf
        self.flows = flows
        self.lanes = lanes
        self.sources = sources
        self.other = other
        self.answers = answers
    }
}

extension FlowReport {
    /// - Parameter name: of a node, by what the mesh knows.
    public init(node: String, asOf: WallTime, _ forwarder: borrowing Forwarder, name: (NodeID) -> String) {
        let flows = forwarder.flowFigures
        self.init(
            node: node, asOf: asOf, flows: flows.flows.map { Account($0.name, $0.1) },
            lanes: forwarder.laneFigures.map { Account($0.lane.description, $0.1) },
            sources: forwarder.sourceFigures.map { Account(name($0.source), $0.1) }.sorted { $0.name < $1.name },
            other: Account("other", flows.other), answers: Account("answers", flows.answers))
    }
}

extension FlowReport.Account {
    public init(_ name: String, _ figures: Forwarder.AccountFigures) {
        let counters = figures.counters
        self.init(
            name, accepted: counters.accepted, delivered: counters.delivered, expired: counters.expired,
            unreadable: counters.lost, returned: counters.returned, refused: counters.refused,
            bytesAccepted: counters.bytesAccepted, bytesDelivered: counters.bytesDelivered,
            held: UInt64(figures.envelopes), bytesHeld: UInt64(figures.bytes), isFull: figures.isFull,
            maxEnvelopes: figures.quota.envelopes, maxBytes: figures.quota.bytes,
            maxAgeSeconds: figures.quota.age.map { Int($0.components.seconds) }, bytesPerSecond: figures.rate)
    }

    /// Whether the sum that must hold does hold.
    public var isBalanced: Bool { accepted == delivered + expired + unreadable + held }
}
