/// How full a journal is.
public struct LogUsage: Hashable, Sendable {
    /// Live records, durable ones only.
    public var records = 0
    /// Bytes those take in their segments.
    public var liveBytes = 0
    /// Segment files in use, and the bytes of these on the disk.
    public var segments = 0
    public var segmentBytes = 0
    /// Bytes on the disk with the pool of empty segments.
    public var diskBytes = 0
    /// The bound on ``segmentBytes``.
    public var maxBytes = 0
    /// Bytes appended and not yet committed.
    public var stagedBytes = 0

    public init() {}
}

/// A live record shown in replay.
public struct ReplayedRecord {
    public var lsn: LSN
    public var kind: RecordKind
    /// Bytes of the whole payload.
    public var length: Int
    /// The payload's first bytes, as many as ``LogOptions/replayPrefix`` asks for. Valid during the call only.
    public var prefix: UnsafeRawBufferPointer
}
