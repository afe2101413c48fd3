import Envelope

extension Limits {
    /// Pings in a row that nothing at all was heard after, before a peer that is silent for long counts as gone: a process
    /// that was itself stopped for a while does not blame its peers.
    static let missedPings = 4
    /// How long the end whose name is the greater hears nothing before it pings; the other waits for one interval more, so
    /// that one of two idle ends asks and the other answers.
    static let patience: Duration = .seconds(3)
    /// How often each end measures the round trip.
    static let measureInterval: Duration = .seconds(30)
    /// Bytes made for a peer that does not read them, before the session is given up. Far above what the words of
    /// custody for a whole window take; only a peer that sends on and on and never reads comes here.
    static let unreadBytes = 16 << 20
    /// Ranges a set of safe transmissions may consist of. What is refused leaves a hole behind; past the bound the
    /// lowest ranges are let go, which only makes the sender repeat after a reconnect.
    public static let safeRanges = 2 * custodyRanges
    /// Places of the ring of open transmissions before its oldest open ones are moved aside: a few that stay open
    /// for long must not make it grow with all that is sent meanwhile.
    static let openRing = 2 * linkWindowEnvelopes
}
