import Envelope

/// A stream being made, as the outbox needs to know it.
public struct OutboxStream: Sendable {
    public let id: StreamID
    /// Whose stream it is; streams of one job go out one after the other.
    public let job: String
    public let destination: NodeID
    public let lane: Lane
    /// The journal keeps the records of the job's streams in order by it; unlike that of other jobs of the process, never 0.
    public let chain: UInt64

    public init(id: StreamID, job: String, destination: NodeID, lane: Lane, chain: UInt64) {
        self.id = id
        self.job = job
        self.destination = destination
        self.lane = lane
        self.chain = chain
    }
}

/// A sealed envelope on its way into the outbox.
public struct Submission: Sendable {
    public var stream: OutboxStream
    public var sequence: Sequence
    public var envelope: [UInt8]
    /// Seconds.
    public var lifetime: UInt32
    public var records: Int
    /// Where the source goes on behind this envelope.
    public var checkpoint: [UInt8]?
    public var madeAt: Instant

    public init(
        stream: OutboxStream, sequence: Sequence, envelope: [UInt8], lifetime: UInt32, records: Int,
        checkpoint: [UInt8]?, madeAt: Instant
    ) {
        self.stream = stream
        self.sequence = sequence
        self.envelope = envelope
        self.lifetime = lifetime
        self.records = records
        self.checkpoint = checkpoint
        self.madeAt = madeAt
    }
}
