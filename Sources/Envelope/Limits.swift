/// Every bound on a queue, frame, name, table or retry: its unit and its reason in one place.
public enum Limits {
    // MARK: Names

    /// Characters in a zone's name or a node's local name: the length of a DNS label.
    public static let nameLength = 63

    // MARK: Envelopes

    /// Bytes of a sealed body. A 10 MB record fits with room for its neighbours; larger files travel in chunks.
    public static let bodyBytes = 16 << 20
    /// Bytes of a record batch before compression: a body without room for its codes and tag, rounded down.
    public static let batchBytes = bodyBytes - 4096
    /// Bytes a batch is filled to unless its owner says otherwise. Sealing costs a fixed 0.3 microseconds, so
    /// nothing is won beyond this, and a smaller batch is sooner on its way.
    public static let defaultBatchBytes = 1 << 20
    /// Bytes of a topic's name: its length is one byte.
    public static let topicBytes = 255
    /// Hops an envelope may take before it is parked: twice the diameter of any mesh we plan for.
    public static let hops: UInt8 = 32
    /// Places a stream may run ahead of its receipts; the destination remembers as many.
    public static let window: UInt64 = 65_536

    // MARK: Links

    /// Bytes of one frame's payload. A larger envelope travels in fragments, so that it delays a smaller one
    /// of a higher lane by one frame at most.
    public static let frameBytes = 256 << 10
    /// Bytes of the first frame of a session, before the peer is known to be a member of the mesh.
    public static let helloBytes = 64 << 10
    /// Bytes a receiver lets a sender have under way on one link.
    public static let linkWindowBytes = 16 << 20
    /// Envelopes a receiver lets a sender have under way on one link.
    public static let linkWindowEnvelopes = 65_536
    /// Bytes of frames made but not yet written to the socket; past it the session takes no more envelopes.
    public static let outputBytes = 512 << 10
}
