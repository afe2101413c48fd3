import Mesh

/// What an exhaustive search is about: a source agent, two relays in a line and a destination agent, with few
/// envelopes and few faults.
struct SmallCase: Equatable, Sendable {
    var envelopes = 1
    /// The second relay's way may lead back to the first one for a while.
    var isLoop = false
    /// A wire may stand again before one of its ends has noticed that it was cut.
    var reconnectsEarly = false
    var durability = Durability.cutThrough
    var budget = FaultBudget()
    var mistake: Mistake?
}

/// How often each fault may still happen.
struct FaultBudget: Equatable, Sendable {
    /// Crashes and restarts of a relay or of the destination.
    var crashes = 1
    /// Connections cut.
    var cuts = 1
    /// Times that a node's timer runs to its next deadline.
    var ticks = 1
    /// Writes that a store refuses.
    var storeFailures = 0
    /// Deliveries that the destination gives back.
    var refusals = 0
    /// Changes of the second relay's way; only in a loop.
    var routeChanges = 0
    /// Batches of frames with an envelope in them that may travel back from the second relay to the first.
    var returns = 0

    var words: [Int] { [crashes, cuts, ticks, storeFailures, refusals, routeChanges, returns] }
}

/// A wrong rule, built in to see the checker find it.
enum Mistake: String, CaseIterable, Sendable {
    /// A relay's store says that a write is durable as soon as it is asked for.
    case durableTooSoon
    /// A relay's store takes a second arrival of an envelope for the first and keeps one record for both.
    case mergedArrivals
    /// The destination says that it is done before its effect.
    case finishedTooSoon
}
