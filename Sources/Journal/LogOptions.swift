/// How a journal is laid out and bounded.
public struct LogOptions: Sendable {
    /// Bytes of the longest payload: an envelope of the greatest size with room for what its owner notes beside it.
    public static let longestPayload = 17 << 20
    /// Bytes of a segment below which a journal would be more frame than content.
    public static let smallestSegment = 8 << 10
    /// Bytes of the largest segment, so that a place in it fits 31 bits.
    public static let largestSegment = 1 << 30

    /// Bytes of one segment file. Smaller segments make cleaning finer, larger ones make recycling rarer. A payload
    /// must fit one segment: with less than 18 MiB the longest allowed payload shrinks accordingly.
    public var segmentBytes: Int
    /// Bytes the segments in use may take on the disk; ``SegmentedLog/append(_:_:_:urgent:)`` refuses beyond.
    /// At least four segments.
    public var maxBytes: Int
    /// Empty, zeroed segment files kept ready beside those in use. They do not count as in use.
    public var poolSegments: Int
    /// Files of segments with nothing live any more that stay in the pool; those beyond are removed. What comes and goes
    /// steadily needs as many as are begun before the first is free again: with fewer they are removed and filled with
    /// zeros anew, which makes each byte two. Never less than ``poolSegments``.
    public var keptSegments: Int
    /// Random bits that the caller drew for this opening, and for no other. They make each segment's checksums its own, so
    /// that neither bytes in a payload can pass for a record, nor what an earlier process wrote to the same file.
    public var entropy: UInt64
    /// Kinds the owner knows. A record of another kind is kept, reported and not replayed. Empty: all are known.
    public var kinds: Set<UInt16>
    /// Bytes of each payload that the owner wants to see in replay; the rest is not copied.
    public var replayPrefix: Int

    public init(
        segmentBytes: Int = 64 << 20, maxBytes: Int = 10 << 30, poolSegments: Int = 2, keptSegments: Int = 8,
        entropy: UInt64, kinds: Set<UInt16> = [], replayPrefix: Int = .max
    ) {
        self.segmentBytes = segmentBytes
        self.maxBytes = maxBytes
        self.poolSegments = poolSegments
        self.keptSegments = keptSegments
        self.entropy = entropy
        self.kinds = kinds
        self.replayPrefix = replayPrefix
    }

    /// Segments the bound allows.
    var capacity: Int { maxBytes / segmentBytes }

    /// Bytes of the longest payload that these segments can hold.
    public var payloadLimit: Int {
        min(Self.longestPayload, segmentBytes - Layout.firstRecord - Layout.recordHeader - Layout.commitRecord - 8)
    }

    func check() throws(JournalError) {
        guard (Self.smallestSegment...Self.largestSegment).contains(segmentBytes), segmentBytes.isMultiple(of: 4096)
        else {
            throw .options("a segment has 8 KiB to 1 GiB and a multiple of 4 KiB, not \(segmentBytes) bytes")
        }
        guard capacity >= 4 else {
            throw .options("the journal's bound of \(maxBytes) bytes is less than four segments of \(segmentBytes)")
        }
        guard poolSegments >= 0, keptSegments >= 0, replayPrefix >= 0 else {
            throw .options("a count or length is negative")
        }
    }
}
