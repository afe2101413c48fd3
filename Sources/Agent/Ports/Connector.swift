import Envelope

/// A place in a source from which reading can go on after any crash: bytes only the connector understands.
public struct Checkpoint: Equatable, Sendable {
    public var bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// What one call of ``Source/read(into:after:)`` came to.
public struct ReadOutcome: Sendable {
    /// The place just behind the last record appended; equal to the argument where nothing was appended.
    public var checkpoint: Checkpoint?
    /// True where the source has more to give right now, so that the job reads on without waiting for its schedule.
    public var hasMore: Bool
    /// Where not nil, the source expects to have more after so long though nothing outside changes until then,
    /// such as a file that is not at rest yet or the pace of a rate: read again then, schedule or not.
    public var again: Duration?

    public init(checkpoint: Checkpoint?, hasMore: Bool, again: Duration? = nil) {
        self.checkpoint = checkpoint
        self.hasMore = hasMore
        self.again = again
    }
}

/// Reads records from a place outside the mesh.
///
/// Built and used on one thread, its job's. It may block: nothing else waits for it. Reading is repeatable: the
/// same checkpoint gives the records that follow it, however often it is asked, as long as the source keeps them.
public protocol Source: AnyObject {
    /// Appends records that follow `checkpoint` (nil: from the beginning) until the batch is full or the source
    /// has nothing more for now.
    /// - Throws: ``ConnectorError``; the batch may then hold some records, which the caller throws away.
    func read(
        into batch: inout RecordBatch.Builder, after checkpoint: Checkpoint?
    ) throws(ConnectorError) -> ReadOutcome

    /// Tells that the effect of everything up to `checkpoint` is durable at the destination, so that the source
    /// may tidy up behind it (delete or move files). Called on the job's thread, any time after the read that
    /// gave the checkpoint; may be left out for some checkpoints, and may come again after a restart.
    func acknowledge(_ checkpoint: Checkpoint) throws(ConnectorError)
}

extension Source {
    /// Most sources have nothing to tidy up.
    public func acknowledge(_ checkpoint: Checkpoint) throws(ConnectorError) {}
}

/// An opened, checked batch on its way into a sink.
public struct Delivery: Sendable {
    public var source: NodeID
    public var stream: StreamID
    public var sequence: Sequence
    /// The decompressed record batch; read it with ``RecordBatch/Reader``.
    public var batch: [UInt8]

    public init(source: NodeID, stream: StreamID, sequence: Sequence, batch: [UInt8]) {
        self.source = source
        self.stream = stream
        self.sequence = sequence
        self.batch = batch
    }
}

/// Brings records to a place outside the mesh, each batch once.
///
/// Built and used on one thread, its own. It may block.
public protocol Sink: AnyObject {
    /// The highest sequence of the stream whose effect is durable; ``Sequence/none`` for a new stream.
    func mark(of stream: StreamID) throws(ConnectorError) -> Sequence

    /// Makes the effect of all deliveries and the new marks of their streams durable together, all or nothing.
    /// Deliveries of one stream come in rising order, each above the stream's mark.
    /// - Throws: ``ConnectorError``; then nothing has happened, and the same deliveries come again.
    func apply(_ deliveries: [Delivery]) throws(ConnectorError)
}

/// What went wrong outside, and whether trying again can help.
public struct ConnectorError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// Trying again later can help: a server that is away, a full disk, a lock.
        case transient
        /// A person must change something: a missing table, a wrong password, a path that is a directory.
        case configuration
        /// These very records can never be taken: a value that does not fit its column.
        case rejected
    }

    public var kind: Kind
    /// What happened and what to do, in one line, without the records' content.
    public var description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
