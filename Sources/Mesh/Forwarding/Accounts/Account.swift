import Envelope

/// Envelopes of one flow, lane or source since the process began. At every instant:
/// accepted = delivered + expired + lost + held.
public struct AccountCounters: Equatable, Sendable {
    /// Less what was given back before custody.
    public var accepted: UInt64 = 0
    /// Custody taken by the next hop, effects here, and what a receipt released.
    public var delivered: UInt64 = 0
    public var expired: UInt64 = 0
    /// Durable copies that could not be read back.
    public var lost: UInt64 = 0
    /// Given back to the neighbour they came from, before custody.
    public var returned: UInt64 = 0
    /// Turned away because this account's quota was full.
    public var refused: UInt64 = 0
    public var bytesAccepted: UInt64 = 0
    public var bytesDelivered: UInt64 = 0
}

/// How an envelope's stay here ends.
enum AccountEnd {
    case delivered, expired, lost, returned
}

/// What is counted and bounded together.
struct Account {
    var counters = AccountCounters()
    private(set) var envelopes = 0
    private(set) var bytes = 0
    private(set) var quota = Quota.none
    /// The quota, with no bound as the largest number.
    private var mostEnvelopes = Int.max
    private var mostBytes = Int.max
    /// The oldest is older than the quota allows.
    var isStale = false
    /// For a flow with a rate.
    var pacer: Pacer?
    /// For a flow with a durability of its own.
    var durability: Durability?

    var isFull: Bool { envelopes >= mostEnvelopes || bytes >= mostBytes || isStale }

    /// What comes before something held in its stream has as much again, and no bound of age: what is held may wait at
    /// its destination for just this.
    func isFull(forGap fills: Bool) -> Bool {
        guard fills else { return isFull }
        return envelopes / 2 >= mostEnvelopes || bytes / 2 >= mostBytes
    }

    mutating func bound(by quota: Quota) {
        self.quota = quota
        mostEnvelopes = quota.envelopes ?? .max
        mostBytes = quota.bytes ?? .max
        if quota.age == nil { isStale = false }
    }

    @inline(__always)
    mutating func open(_ length: Int) {
        envelopes += 1
        bytes += length
        counters.accepted += 1
        counters.bytesAccepted += UInt64(length)
    }

    @inline(__always)
    mutating func close(_ length: Int, _ end: AccountEnd) {
        envelopes -= 1
        bytes -= length
        switch end {
        case .delivered:
            counters.delivered += 1
            counters.bytesDelivered += UInt64(length)
        case .expired: counters.expired += 1
        case .lost: counters.lost += 1
        case .returned:
            counters.returned += 1
            forget(length)
        }
    }

    /// Moves one that is held to another account.
    mutating func move(_ length: Int, to other: inout Account) {
        envelopes -= 1
        bytes -= length
        forget(length)
        other.open(length)
    }

    private mutating func forget(_ length: Int) {
        counters.accepted -= 1
        counters.bytesAccepted -= UInt64(length)
    }
}
