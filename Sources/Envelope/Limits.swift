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
    /// How often a session asks whether the peer is alive while nothing is heard of it.
    public static let pingInterval: Duration = .seconds(1)
    /// Silence after which a peer counts as gone: a busy two-core machine does not flap.
    public static let silence: Duration = .seconds(8)
    /// Bytes of frames made but not yet written to the socket; past it the session takes no more envelopes.
    public static let outputBytes = 512 << 10

    // MARK: Forwarding

    /// Bytes on their way to the store beyond the memory budget, before arrivals are refused.
    public static let spillingBytes = 16 << 20
    /// Bytes beyond the bounds for envelopes that come before others held of their streams: those wait at the destination
    /// for just these.
    public static let gapReserveBytes = 32 << 20
    /// Bytes of one queue read back from the store ahead of their turn.
    public static let fetchAheadBytes = 4 << 20
    /// Envelopes of one queue read back from the store ahead of their turn.
    public static let fetchAheadEnvelopes = 1024
    /// How long a stream waits for its earliest refused envelope before a later one is taken: that one may have gone
    /// another way, or its life may be over.
    public static let refusedStream: Duration = .seconds(5)
    /// Streams remembered of which nothing is held; past it those are forgotten. Some 200 bytes each.
    public static let idleStreams = 4096
    /// How long to wait before a store that was full or failed is tried again.
    public static let storeRetry: Duration = .seconds(1)
    /// How long what has used up its hops is parked where routes do not change: then the circle it went in is over, or
    /// takes so little that another round does no harm.
    public static let hopsRest: Duration = .seconds(60)
    /// How often queues are searched for expired envelopes that nobody asks for.
    public static let expirySweep: Duration = .seconds(10)

    /// Least time between two words of custody to a neighbour. Short beside the time an envelope may be held, long beside
    /// a turn of a busy node, of which each would else end with a word to everybody.
    public static let wordPause: Duration = .microseconds(500)

    // MARK: Receipts

    /// Streams one receipt may speak of; more go into the next.
    public static let receiptEntries = 512
    /// Bytes of a node's certificate in DER.
    public static let certificateBytes = 4096

    // MARK: Link state: sizes

    /// Relays one mesh may hold. Paths are computed from every neighbour in O(relays²), so this bounds a change to
    /// a fraction of a second in the densest mesh; meshes we plan for have tens.
    public static let meshRelays = 256
    /// Links and attached nodes one relay may list together.
    public static let advertisedLinks = 4096
    /// Bytes of one advertisement, so that it fits one message with its certificate and signature.
    public static let advertisementBytes = helloBytes - (8 << 10)
    /// Bytes of the certificate that travels with an advertisement (DER).
    public static let advertisementCertificateBytes = 4 << 10
    /// Bytes of the signature that travels with an advertisement: Ed25519's, exactly.
    public static let advertisementSignatureBytes = 64
    /// Bytes of one link-state message; a message is one frame of a session and never delays others for long.
    public static let linkStateMessageBytes = helloBytes
    /// Bytes of the software version a relay tells: enough for a version, a build and a distribution.
    public static let softwareVersionBytes = 64
    /// Ports a relay may list as listening: two slots for each of some listeners.
    public static let advertisedPorts = 64
    /// Anycast services a relay may list.
    public static let advertisedServices = 255
    /// Next hops kept for a destination besides the best: tried in turn when the best refuses or is gone.
    public static let alternates = 3

    // MARK: Link state: times

    /// Least time between two advertisements of a relay, so that a burst of changes becomes one.
    public static let advertisementInterval = Duration.milliseconds(50)
    /// What that time doubles to while a relay's links flap, so that one bad cable does not busy the mesh.
    public static let advertisementIntervalMost = Duration.seconds(1)
    /// A relay advertises at least this often, so that the statistics people look at are fresh.
    public static let advertisementRefresh = Duration.seconds(5)
    /// Least time between two computations of paths for changes elsewhere in the mesh.
    public static let pathInterval = Duration.milliseconds(50)
    /// What that time doubles to while changes keep coming: with 30,000 nodes attached to a mesh one computation takes
    /// some 50 ms, which must not be all that a relay does.
    public static let pathIntervalMost = Duration.seconds(1)
    /// How often a relay tells each neighbour what it holds; bounds how long a missed advertisement stays missed.
    public static let digestInterval = Duration.seconds(10)
    /// A relay silent for so long is not routed through: 24 refreshes missed, so not a busy machine but a dead one.
    public static let advertisementUse = Duration.seconds(120)
    /// A relay or a link that went down is shown in reports for so long and then forgotten.
    public static let advertisementKeep = Duration.seconds(2 * 3600)
    /// Names of nodes that a relay keeps because they came with envelopes carried by hand.
    public static let taughtNames = 4096

    // MARK: Flows

    /// Flows one mesh may declare; each is looked at once for a new pair of addresses.
    public static let flows = 4096
    /// Patterns on either side of one flow.
    public static let flowPatterns = 1024
    /// Characters of a flow's name: it stands in reports and metrics.
    public static let flowNameLength = 63
    /// Answers remembered for pairs of addresses (some 48 bytes each); past it the memory starts anew, so that made-up
    /// addresses cost time but never memory.
    public static let flowDecisions = 65_536

    // MARK: Configuration files

    /// Bytes of a configuration or topology file: a mesh of a thousand nodes takes a few hundred KiB.
    public static let configurationBytes = 4 << 20
    /// Depth of nesting in such a file; the deepest legal one has eight levels.
    public static let configurationDepth = 32
    /// Values and keys in such a file, so that a file of brackets cannot take a hundred times its size in memory.
    public static let configurationNodes = 200_000
    /// Bytes of one value after its variables are replaced.
    public static let configurationValueBytes = 64 << 10
    /// Bytes that all replaced variables of a file may come to.
    public static let configurationExpansionBytes = 4 << 20
    /// Problems shown of one file; the rest is counted.
    public static let configurationProblems = 20
}
