import Envelope

/// One link as a report shows it. `from` is the end that dials, `to` the end that listens; "forward" is from → to.
public struct LinkReport: Codable, Equatable, Sendable {
    public enum State: String, Codable, CaseIterable, Sendable {
        /// Both ends list the link.
        case up
        /// Neither end has a session.
        case down
        /// Only one end lists it.
        case half
    }

    /// `zone/name` of the end that dials.
    public var from: String
    /// `zone/name` of the end that listens.
    public var to: String
    public var state: State
    public var costForward: UInt32?
    public var costBack: UInt32?
    public var roundTripMicroseconds: UInt64?
    /// Waiting at `from` for this link.
    public var bytesQueuedForward: UInt64
    public var envelopesQueuedForward: UInt64
    /// Waiting at `to` for this link.
    public var bytesQueuedBack: UInt64
    public var envelopesQueuedBack: UInt64
    /// Age of the oldest envelope that waits for this link at either end.
    public var oldestAgeSeconds: Double?
    /// When these figures were taken.
    public var asOf: WallTime
    /// Why the link is not up, in one line.
    public var reason: String?

    public init(
        from: String, to: String, state: State, costForward: UInt32? = nil, costBack: UInt32? = nil,
        roundTripMicroseconds: UInt64? = nil, bytesQueuedForward: UInt64 = 0, envelopesQueuedForward: UInt64 = 0,
        bytesQueuedBack: UInt64 = 0, envelopesQueuedBack: UInt64 = 0, oldestAgeSeconds: Double? = nil,
        asOf: WallTime, reason: String? = nil
    ) {
        self.from = from
        self.to = to
        self.state = state
        self.costForward = costForward
        self.costBack = costBack
        self.roundTripMicroseconds = roundTripMicroseconds
        self.bytesQueuedForward = bytesQueuedForward
        self.envelopesQueuedForward = envelopesQueuedForward
        self.bytesQueuedBack = bytesQueuedBack
        self.envelopesQueuedBack = envelopesQueuedBack
        self.oldestAgeSeconds = oldestAgeSeconds
        self.asOf = asOf
        self.reason = reason
    }
}
