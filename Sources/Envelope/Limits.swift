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

    /// Envelopes sealed under one stream's key: the nonces GCM can take at random, kept although ours are counted
    /// (NIST SP 800-38D section 8.3).
    public static let streamEnvelopes: UInt64 = 1 << 32
    /// Streams whose keyed contexts a destination keeps at hand, about 3 KiB each; others are derived again.
    public static let openStreams = 1024

    // MARK: Key files

    /// Bytes of a key file: room for some 4,000 peers of one agent.
    public static let keyFileBytes = 1 << 20

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
    /// Bytes the control lane may have under way beyond the window, so that it never waits behind data.
    public static let controlReserveBytes = 4 << 20
    /// Ranges of transmissions named in one hello or custody frame: beyond it the set is cut, which only makes
    /// the sender repeat what need not be repeated.
    public static let custodyRanges = 4096
    /// Bytes of a mesh message between two neighbours.
    public static let meshMessageBytes = 64 << 10
    /// How long a peer may take for its first frame after the handshake.
    public static let helloWait: Duration = .seconds(5)
    /// How often an idle session asks whether the peer is alive; also how often the round trip is measured.
    public static let pingInterval: Duration = .seconds(1)
    /// Silence after which a peer counts as gone. Eight missed pings: a busy two-core machine does not flap.
    public static let silence: Duration = .seconds(8)
    /// Bytes of frames made but not yet written to the socket; past it the session takes no more envelopes.
    public static let outputBytes = 512 << 10

    // MARK: Forwarding

    /// Bytes on their way to the store beyond the memory budget, before arrivals are refused.
    public static let spillingBytes = 16 << 20
    /// Bytes of one queue read back from the store ahead of their turn.
    public static let fetchAheadBytes = 4 << 20
    /// Envelopes of one queue read back from the store ahead of their turn.
    public static let fetchAheadEnvelopes = 256
    /// Live bytes sent for each byte of bulk while both wait.
    public static let liveShare = 8
    /// How long to wait before a store that was full or failed is tried again.
    public static let storeRetry: Duration = .seconds(1)
    /// How often queues are searched for expired envelopes that nobody asks for.
    public static let expirySweep: Duration = .seconds(10)

    // MARK: Receipts

    /// Streams one receipt may speak of; more go into the next.
    public static let receiptEntries = 512
    /// Bytes of a node's certificate in DER.
    public static let certificateBytes = 4096
}
