/// What stands before every sealed body. All of it is authenticated by the sealing; relays read it, and none
/// can change it.
///
/// The checksum at its end is not held here: it follows from the other fields.
@frozen
public struct Header: Hashable, Sendable {
    /// Bytes on the wire.
    public static let size = 104
    /// The one version this code writes and reads.
    public static let version: UInt8 = 1

    public var kind: Kind
    public var lane: Lane
    public var flags: Flags
    public var source: NodeID
    public var destination: NodeID
    public var stream: StreamID
    public var sequence: Sequence
    /// The lowest sequence of the stream for which the source has no receipt yet, so that a destination may
    /// forget all that lies below.
    public var floor: Sequence
    /// When the source made the envelope, by its own clock; for reports only.
    public var created: WallTime
    /// Seconds the envelope may live, counted by age and never by the wall clock; at least 1.
    public var lifetime: UInt32
    public var key: KeyID
    /// Bytes of the sealed body that follows, at most ``Limits/bodyBytes``.
    public var bodyLength: UInt32

    @inlinable
    public init(
        kind: Kind, lane: Lane, flags: Flags = [], source: NodeID, destination: NodeID, stream: StreamID,
        sequence: Sequence, floor: Sequence, created: WallTime, lifetime: UInt32, key: KeyID, bodyLength: UInt32
    ) {
        self.kind = kind
        self.lane = lane
        self.flags = flags
        self.source = source
        self.destination = destination
        self.stream = stream
        self.sequence = sequence
        self.floor = floor
        self.created = created
        self.lifetime = lifetime
        self.key = key
        self.bodyLength = bodyLength
    }

    @inlinable
    public var identity: Identity { Identity(source: source, stream: stream, sequence: sequence) }

    /// Bytes of header and body together.
    @inlinable
    public var envelopeLength: Int { Header.size &+ Int(bodyLength) }
}

extension Header {
    /// What the body holds.
    @frozen
    public enum Kind: UInt8, CaseIterable, Sendable, CustomStringConvertible {
        /// A record batch.
        case data = 1
        /// The destination's word that effects are durable.
        case receipt = 2
        /// A node's word that it dropped an envelope whose lifetime was over.
        case expiry = 3

        public var description: String {
            switch self {
            case .data: "data"
            case .receipt: "receipt"
            case .expiry: "expiry"
            }
        }
    }

    /// Marks on an envelope. Version 1 defines none; a relay passes on the bits it does not know.
    @frozen
    public struct Flags: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    }
}
