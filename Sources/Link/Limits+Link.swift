import Envelope

extension Limits {
    /// Pings in a row that nothing at all was heard after, before the peer counts as gone. Counted in pings and not
    /// in time, so that a process that was itself stopped for a while does not blame its peers.
    static let missedPings = Int(silence / pingInterval)
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
