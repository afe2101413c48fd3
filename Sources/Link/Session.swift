import Envelope

/// One authenticated session between two nodes, as a machine without I/O.
///
/// The shell feeds it the bytes it read (``receive(_:at:into:)``) and writes what it finds in ``output``; the owner
/// gives it envelopes (``transmit(token:lane:hop:envelope:at:)``) and says which received ones are safe
/// (``confirm(_:bytesGranted:envelopesGranted:)``).
///
/// Invariants:
/// - transmissions of one direction are numbered 1, 2, 3, … without gap;
/// - a token given to `transmit` comes back exactly once: as confirmed, as refused, or from ``abandon()``;
/// - nothing but a hello is read before the hello, and nothing is allocated for a length beyond its limit;
/// - each transmission is settled once, as confirmed or as refused: to say it twice is an error, which keeps the work
///   a peer can cause proportional to what it was sent.
///
/// Error contract: whatever throws ends the session; only ``abandon()`` and ``output`` make sense afterwards.
public struct Session: ~Copyable {
    public struct Configuration: Sendable {
        public var hello: Hello
        /// The name in the peer's certificate; its hello must claim the same.
        public var certifiedPeer: String

        public init(
            node: String, kind: NodeKind, software: String, session: Bytes16, resumes: Bytes16, safe: RangeSet,
            wall: WallTime, certifiedPeer: String
        ) {
            hello = Hello(
                node: node, kind: kind, software: software, session: session, resumes: resumes, safe: safe, wall: wall)
            self.certifiedPeer = certifiedPeer
        }
    }

    enum State: Equatable {
        case awaitingHello
        case established
        case ended
    }

    let configuration: Configuration
    var state = State.awaitingHello
    /// Frames made and not yet written to the socket.
    var out = Outlet()
    /// The beginning of a frame whose end has not been read yet.
    var partial = ByteQueue()
    /// Bytes not looked at before the owner has acted on what came before them.
    var held = ByteQueue()

    // Sending.
    var inFlight = InFlight()
    var underWay = UnderWay()
    var bytesSent: UInt64 = 0
    var bytesAllowed: UInt64 = UInt64(Limits.linkWindowBytes)
    var envelopesAllowed: UInt64 = UInt64(Limits.linkWindowEnvelopes)

    // Receiving.
    var reassembly = LaneReassembly()
    /// The data frame whose end has not been read yet.
    var streaming: Streaming?
    /// What abandoned envelopes leave to the owner.
    private var leftPlaces: [EnvelopePlace] = []
    var lastReceived: UInt64 = 0
    var bytesReceived: UInt64 = 0
    var bytesGranted: UInt64 = UInt64(Limits.linkWindowBytes)
    var envelopesGranted: UInt64 = UInt64(Limits.linkWindowEnvelopes)

    // Time.
    let startedAt: Instant
    var pingDue: Instant
    /// When the round trip is measured again, whatever is heard.
    var measureDue: Instant
    var lastHeard: Instant
    /// Pings sent since then.
    var unheardPings = 0
    /// How long nothing may be heard before the peer is pinged; see ``Limits/patience``.
    var patience = Limits.patience
    /// The last measured round trip; nil before the first answer.
    public internal(set) var roundTrip: Duration?

    /// Begins a session and makes its hello ready in ``output``.
    public init(_ configuration: Configuration, at now: Instant) {
        self.configuration = configuration
        startedAt = now
        pingDue = now + Limits.pingInterval
        measureDue = pingDue
        lastHeard = now
        out.append { configuration.hello.write(to: &$0) }
    }

    public var isEstablished: Bool { state == .established }

    /// What the shell should write to the socket next; ``consumeOutput(_:)`` takes off what it wrote. More may follow.
    public var output: UnsafeRawBufferPointer { out.readable }
    public var hasOutput: Bool { !out.isEmpty }
    /// Bytes of ``output`` and of all that follows it.
    public var outputCount: Int { out.count }
    /// Places given to ``transmit(token:lane:hop:envelope:in:at:)`` whose bytes are written, one for each stretch of them.
    public mutating func takeWrittenPlaces() -> [Int32] { out.takeWritten() }
    /// Nothing more will be written: all places are the owner's again.
    public mutating func dropOutput() { out.removeAll() }

    public mutating func consumeOutput(_ bytes: Int) { out.consume(bytes) }

    /// Envelopes sent and not yet confirmed.
    public var envelopesInFlight: Int { inFlight.count }

    /// Hands a message of the mesh (advertisements and the like) to the neighbour. Lost where the neighbour has not
    /// read for so long that the session is about to be given up.
    /// - Precondition: at most ``Limits/meshMessageBytes``.
    public mutating func sendMesh(_ message: [UInt8]) {
        precondition(message.count <= Limits.meshMessageBytes, "a mesh message fits its frame")
        guard state == .established, out.count < Limits.unreadBytes else { return }
        out.appendFrame(.mesh) { $0.append(message) }
    }

    /// Tells the peer why we leave; the shell flushes ``output`` and closes the connection.
    public mutating func leave(_ reason: ByeReason, _ text: String = "") {
        guard state != .ended else { return }
        state = .ended
        out.appendFrame(.bye) { payload in
            payload.append(reason.rawValue)
            payload.append(
                shortText: String(decoding: Array(text.utf8.prefix(200)), as: UTF8.self).truncatedToShortText)
        }
    }

    /// Ends the session and returns the tokens that were neither confirmed nor refused, with their numbers, in
    /// order: they go back to the forwarding queue. The numbers let a later hello still release them.
    public mutating func abandon() -> [(transmission: UInt64, token: UInt32)] {
        state = .ended
        var tokens: [(transmission: UInt64, token: UInt32)] = []
        inFlight.forEachOpen { number, entry in tokens.append((number, entry.token)) }
        inFlight = InFlight()
        underWay = UnderWay()
        leftPlaces += reassembly.reset()
        streaming = nil
        partial.removeAll()
        partial.shrink()
        held.removeAll()
        held.shrink()
        return tokens
    }
}

extension Session {
    /// The memory lent for envelopes that will not be whole; to be asked for after ``abandon()``.
    public mutating func takeLeftPlaces() -> [EnvelopePlace] {
        defer { leftPlaces = [] }
        return leftPlaces
    }
}

extension String {
    /// Cut at a character's border so that its UTF-8 fits behind a one-byte length.
    var truncatedToShortText: String {
        var text = self
        while text.utf8.count > 255 { text.removeLast() }
        return text
    }
}

/// What a session tells its owner while it reads.
public protocol SessionEvents: ~Copyable {
    /// A whole envelope (header and body) arrived. The bytes are only borrowed.
    mutating func received(
        transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer)
    /// Memory for an envelope of so many bytes that comes in parts; nil where the session must see for itself.
    mutating func place(for bytes: Int) -> EnvelopePlace?
    /// The same as ``received(transmission:lane:hop:envelope:)`` for an envelope at the beginning of such memory, which is
    /// the owner's again.
    mutating func received(
        transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer, in place: EnvelopePlace)
    /// The peer has taken custody of a transmission of ours.
    mutating func confirmed(token: UInt32)
    /// The peer does not take it; it stays ours.
    mutating func refused(token: UInt32, reason: RefusalReason, delay: Duration)
    /// A message for the mesh core.
    mutating func meshMessage(_ bytes: UnsafeRawBufferPointer)
    /// True where the owner must act on what it was told before the next frame is looked at: what follows may depend
    /// on it. The session then keeps the rest for ``Session/resume(at:into:)``.
    var mustPause: Bool { get }
}

extension SessionEvents where Self: ~Copyable {
    public var mustPause: Bool { false }
    public mutating func place(for bytes: Int) -> EnvelopePlace? { nil }
    public mutating func received(
        transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer, in place: EnvelopePlace
    ) {
        received(transmission: transmission, lane: lane, hop: hop, envelope: envelope)
    }
}
