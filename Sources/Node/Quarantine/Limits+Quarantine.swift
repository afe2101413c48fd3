import Envelope

extension Limits {
    /// Envelopes a quarantine keeps: more than a person will look through one by one; beyond it the next one stays with
    /// the neighbour that has it.
    public static let quarantineEnvelopes = 1000
    /// Bytes a quarantine keeps: sixteen envelopes of the longest kind, thousands of usual ones.
    public static let quarantineBytes = 256 << 20
    /// Of the envelopes, how many may be bytes that are no envelope: they show what a neighbour sends, and must not take
    /// the room of what can still be delivered.
    public static let quarantineDamaged = 100
    /// Bytes of a reason that are kept: a database's error with what surrounds it.
    public static let quarantineReasonBytes = 1000
    /// Bytes of what is noted beside an envelope, at most: a reason and four short texts.
    public static let quarantineFrontBytes = 4096
    /// Damaged arrivals that wait to be written: a neighbour may send them faster than the disk takes them.
    public static let quarantineWaiting = 64
}
