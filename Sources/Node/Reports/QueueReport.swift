import Envelope

/// What waits in a node, by destination and lane: the answer to `GET /v1/queues`.
public struct QueueReport: Codable, Equatable, Sendable {
    /// The layout of this JSON; rises only when a field changes its meaning or goes.
    public static let schema = 1

    public enum State: String, Codable, CaseIterable, Sendable {
        /// On its way to the next hop.
        case forwarding
        /// No route, or hops used up: waits for the routes to change.
        case parked
        /// Waits for something else, such as a key or credit.
        case held
    }

    public struct Queue: Codable, Equatable, Sendable {
        /// `zone/name`, or the identifier in hexadecimal where the name is not known here.
        public var destination: String
        /// `control`, `live` or `bulk`.
        public var lane: String
        /// Waiting, and sent without a confirmation so far.
        public var envelopes: UInt64
        public var bytes: UInt64
        /// Of these, sent without a confirmation so far.
        public var inFlight: UInt64
        public var oldestAgeSeconds: Double?
        public var state: State
        /// `zone/name`; nil where there is no route.
        public var nextHop: String?
        /// Until it is empty if it goes on shrinking as it did lately; nil where it does not shrink.
        public var secondsToDrain: Double?

        public init(
            destination: String, lane: String, envelopes: UInt64, bytes: UInt64, inFlight: UInt64 = 0,
            oldestAgeSeconds: Double? = nil, state: State, nextHop: String? = nil, secondsToDrain: Double? = nil
        ) {
            self.destination = destination
            self.lane = lane
            self.envelopes = envelopes
            self.bytes = bytes
            self.inFlight = inFlight
            self.oldestAgeSeconds = oldestAgeSeconds
            self.state = state
            self.nextHop = nextHop
            self.secondsToDrain = secondsToDrain
        }
    }

    public var schema: Int
    /// `zone/name` of the node that answers.
    public var node: String
    public var asOf: WallTime
    public var queues: [Queue]
    /// The store that what waits is kept in; nil from a node that does not tell.
    public var store: StoreReport?

    public init(node: String, asOf: WallTime, queues: [Queue], store: StoreReport? = nil) {
        schema = Self.schema
        self.node = node
        self.asOf = asOf
        self.queues = queues
        self.store = store
    }
}
