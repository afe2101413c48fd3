import Envelope

/// What an agent knows of the streams it makes and of those it delivers: the answer to `GET /v1/streams`.
///
/// Numbers only rise. After a crash some are lower than the truth until more of their stream comes.
public struct StreamReport: Codable, Equatable, Sendable {
    /// The layout of this JSON; rises only when a field changes its meaning or goes.
    public static let schema = 1

    /// Sequences from the first to the last, both among them.
    public struct Range: Codable, Equatable, Sendable {
        public var first: UInt64
        public var last: UInt64

        public init(first: UInt64, last: UInt64) { (self.first, self.last) = (first, last) }
    }

    /// A stream that this agent makes or made.
    public struct Outgoing: Codable, Equatable, Sendable {
        public var stream: String
        public var job: String
        /// `zone/name`, or the identifier in hexadecimal where the name is not known here.
        public var destination: String
        /// Records in the envelopes that became durable here.
        public var records: UInt64
        /// The agent was killed meanwhile: there may have been more.
        public var recordsAreAtLeast: Bool
        /// All up to here have been durable here.
        public var sent: UInt64
        /// All up to here have a receipt, or have expired.
        public var receipted: UInt64
        /// Given up because their lifetime was over; the highest of them.
        public var expired: [Range]
        /// Of all that were given up.
        public var expiredEnvelopes: UInt64
        /// When something of it was made first.
        public var first: WallTime
        /// When something of it was made, receipted or given up last.
        public var last: WallTime
        /// It gets no more, and all of it is receipted or expired.
        public var hasEnded: Bool

        public init(
            stream: String, job: String, destination: String, records: UInt64 = 0, recordsAreAtLeast: Bool = false,
            sent: UInt64, receipted: UInt64, expired: [Range] = [], expiredEnvelopes: UInt64 = 0, first: WallTime,
            last: WallTime, hasEnded: Bool = false
        ) {
            self.stream = stream
            self.job = job
            self.destination = destination
            self.records = records
            self.recordsAreAtLeast = recordsAreAtLeast
            self.sent = sent
            self.receipted = receipted
            self.expired = expired
            self.expiredEnvelopes = expiredEnvelopes
            self.first = first
            self.last = last
            self.hasEnded = hasEnded
        }

        /// All of it is receipted.
        public var isReceipted: Bool { receipted >= sent }
    }

    /// A stream that this agent delivers.
    public struct Incoming: Codable, Equatable, Sendable {
        /// `zone/name`, or the identifier in hexadecimal where the name is not known here.
        public var source: String
        public var stream: String
        /// The sink's durable mark: all up to here have had their effect, or are done with for good.
        public var delivered: UInt64
        /// Of these, those that never came: their source cared for them no more. The highest of them.
        public var skipped: [Range]
        /// When its mark was told first and last.
        public var first: WallTime
        public var last: WallTime

        public init(
            source: String, stream: String, delivered: UInt64, skipped: [Range] = [], first: WallTime, last: WallTime
        ) {
            self.source = source
            self.stream = stream
            self.delivered = delivered
            self.skipped = skipped
            self.first = first
            self.last = last
        }
    }

    /// Streams that had to make room for others.
    public struct Forgotten: Codable, Equatable, Sendable {
        public var outgoing: UInt64
        public var incoming: UInt64

        public init(outgoing: UInt64 = 0, incoming: UInt64 = 0) {
            self.outgoing = outgoing
            self.incoming = incoming
        }
    }

    public var schema: Int
    /// `zone/name` of the agent that answers.
    public var node: String
    public var asOf: WallTime
    /// Those touched least recently come first.
    public var outgoing: [Outgoing]
    public var incoming: [Incoming]
    public var forgotten: Forgotten

    public init(
        node: String, asOf: WallTime, outgoing: [Outgoing], incoming: [Incoming], forgotten: Forgotten = .init()
    ) {
        schema = Self.schema
        self.node = node
        self.asOf = asOf
        self.outgoing = outgoing
        self.incoming = incoming
        self.forgotten = forgotten
    }
}

/// What the sinks of an agent themselves say of one stream: the answer to `GET /v1/streams/STREAM`.
public struct StreamMarks: Codable, Equatable, Sendable {
    public static let schema = 1

    public struct Sink: Codable, Equatable, Sendable {
        public var name: String
        /// The sink's durable mark, 0 where it knows nothing of the stream; nil where it gave no answer.
        public var delivered: UInt64?

        public init(name: String, delivered: UInt64?) { (self.name, self.delivered) = (name, delivered) }
    }

    public var schema: Int
    public var node: String
    public var stream: String
    public var sinks: [Sink]

    public init(node: String, stream: String, sinks: [Sink]) {
        schema = Self.schema
        self.node = node
        self.stream = stream
        self.sinks = sinks
    }
}
