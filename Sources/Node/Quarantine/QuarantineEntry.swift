import Envelope

/// What a quarantine knows of one envelope, beside its bytes.
public struct QuarantineEntry: Equatable, Sendable {
    /// Why it is here, and so what can be done with it.
    public enum Kind: UInt8, CaseIterable, Sendable {
        /// Kept by a version that did not write the reason down.
        case unknown = 0
        /// It could not be opened. Its stream waits for it: the source has no receipt and sends it again.
        case unopened = 1
        /// Its sink never takes it. Its stream has gone on behind it.
        case rejected = 2
        /// No envelope at all: the first bytes of what a neighbour sent.
        case damaged = 3

        public var word: String {
            switch self {
            case .unknown: "unknown"
            case .unopened: "unopened"
            case .rejected: "rejected"
            case .damaged: "damaged"
            }
        }

        /// Whether the mark of its stream is past it, so that it has an effect under a stream of its own only.
        public var isBehindItsStream: Bool { self == .rejected }
    }

    /// What is said of an envelope when it comes, and may be said anew.
    public struct Note: Equatable, Sendable {
        public var kind: Kind
        public var reason: String
        /// The neighbour it came from, where that is known.
        public var peer: String?
        public var topic: String?
        /// The sink that rejected it.
        public var sink: String?
        /// The sink it was being delivered to under a stream of its own; whether that had its effect only this sink knows.
        public var attempt: String?

        public init(
            _ kind: Kind, _ reason: String, peer: String? = nil, topic: String? = nil, sink: String? = nil,
            attempt: String? = nil
        ) {
            self.kind = kind
            self.reason = reason
            self.peer = peer
            self.topic = topic
            self.sink = sink
            self.attempt = attempt
        }
    }

    /// Letters, digits and `-`.
    public var id: String
    public var note: Note
    /// nil where a version before kept it.
    public var received: WallTime?
    /// nil where there is none that can be read.
    public var header: Header?
    /// Of the envelope.
    public var bytes: Int

    public init(id: String, note: Note, received: WallTime?, header: Header?, bytes: Int) {
        self.id = id
        self.note = note
        self.received = received
        self.header = header
        self.bytes = bytes
    }
}
