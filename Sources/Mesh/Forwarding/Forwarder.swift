import Envelope
import Link

/// A neighbour's place in the forwarder's tables; the same for all sessions with that neighbour.
public typealias LinkIndex = Int

/// Custody and queues of one node, as a machine without I/O: every envelope that is this node's to care for, where
/// it lies (memory, store, both), where it goes, and to whom a word about it is owed.
///
/// Invariants (design, section 5):
/// - custody is passed upstream only once an instance is safe: durable in the store, or confirmed by the next hop,
///   or its effect durable at this node;
/// - an instance is dropped only when confirmed, expired, or given back before custody;
/// - bytes leave memory only when done with or durable, and never while a session is half through writing them;
/// - instances are never merged;
/// - memory past the budget spills to the store, and what neither takes is refused before it is accepted.
///
/// The owner drains ``effects`` after each call and carries them out.
public struct Forwarder: ~Copyable {
    public struct Configuration: Sendable {
        /// Bytes of envelopes held in memory before they spill to the store or are refused.
        public var memoryBytes: Int
        public var durability: Durability
        /// Bounds of the time an envelope may stay unconfirmed before it goes to the store.
        public var holdTime: ClosedRange<Duration>
        public var history: HistoryPacing
        /// Least time between two words of custody to a neighbour, unless it needs credit.
        public var wordPause: Duration
        /// False for a node that keeps nothing for others (an agent): what cannot be held is refused.
        public var hasStore: Bool

        public init(
            memoryBytes: Int = 64 << 20, durability: Durability = .cutThrough,
            holdTime: ClosedRange<Duration> = .milliseconds(20) ... .seconds(2),
            history: HistoryPacing = HistoryPacing(), wordPause: Duration = Limits.wordPause, hasStore: Bool
        ) {
            self.memoryBytes = memoryBytes
            self.durability = durability
            self.holdTime = holdTime
            self.history = history
            self.wordPause = wordPause
            self.hasStore = hasStore
        }
    }

    let configuration: Configuration
    var instances = InstanceTable()
    var book = AccountBook()
    var slabs = SlabPool()
    /// The slab in which an envelope lies that is being looked at, where it came in parts.
    var arrivedIn: Int32?
    var destinations: [Destination] = []
    var queues: [EnvelopeQueue] = []
    var destinationIndex: [NodeID: Int32] = [:]
    var lastDestination: Int32 = -1
    var locals: [NodeID]
    var routes = RouteTable()
    var links: [LinkSlot] = []
    var linkIndex: [NodeID: LinkIndex] = [:]
    /// Links with something to send or to say.
    var dirtyLinks: [LinkIndex] = []
    /// Rises with each change of routes or links; a destination's next hop is computed anew when it is next asked for.
    var routeVersion: UInt64 = 0
    /// Counts what was queued, for the order of arrival.
    var arrivals: UInt64 = 0
    /// Places kept for what is counted as done.
    var ghosts = 0
    /// Queues that wait for memory to read their head into.
    var awaitingMemory: [Int32] = []
    /// Bytes the store was asked to read back.
    var fetchingBytes = 0
    /// Local deliveries to be offered again, since nobody else would keep them.
    var localRetries: [(id: InstanceID, at: Instant)] = []
    var policy: FlowPolicy
    /// When flows or names last changed.
    var policySince = Instant.zero
    /// Unsafe instances, each with the time it must be in the store.
    var holding: HoldSchedule
    /// Queues that a neighbour asked to wait, and when the first of them may go on.
    var heldQueues: [Int32] = []
    var heldDeadline = Instant.never
    var pausedWords = PausedWords()
    /// When a link whose bulk is paced may send more of it.
    var bulkDeadline = Instant.never
    /// Receipts came since the queues were last searched for what they speak of.
    var hasReceipts = false
    /// The store takes nothing for now; tried again at the time.
    var storeBlockedUntil = Instant.zero
    /// What the owner has to do; ``takeEffects()`` takes it.
    public internal(set) var effects: [Effect] = []
    public internal(set) var counters = Counters()
    var sweepDue = Instant.zero
    /// When what has used up its hops is tried anew.
    var hopsDue = Instant.zero
    /// On the way to a stop: arrivals are refused.
    var isDraining = false
    /// The link whose bytes are being read, and when.
    var reading: (link: LinkIndex, at: Instant) = (0, .zero)
    /// Messages for the mesh core met while reading.
    var meshMessages: [[UInt8]] = []
    #if CANARIES
        var planted = PlantedState()
    #endif

    /// - Parameter locals: the ids this node answers to: its own and its anycast names.
    public init(_ configuration: Configuration, locals: [NodeID], policy: FlowPolicy) {
        self.configuration = configuration
        holding = HoldSchedule(configuration.holdTime)
        self.locals = locals
        self.policy = policy
        book.declare(policy.declarations)
    }

    /// Takes the effects made since the last call.
    public mutating func takeEffects() -> [Effect] {
        var taken: [Effect] = []
        swap(&taken, &effects)
        return taken
    }

    /// Replaces the flows and names envelopes are checked against; what is queued already stays.
    public mutating func setPolicy(_ policy: FlowPolicy, at now: Instant) {
        if policy.declarations != self.policy.declarations { book.declare(policy.declarations) }
        self.policy = policy
        policySince = now
        attribute()
    }
}

/// When custody is passed upstream.
public enum Durability: String, CaseIterable, Sendable {
    /// As soon as the next hop has it; to disk only what is not confirmed in time.
    case cutThrough
    /// Always to disk first.
    case storeFirst
}

/// What the owner must do after a call.
public enum Effect: Equatable, Sendable {
    /// Write the instance to the store, then call ``Forwarder/stored(_:as:at:)`` or ``Forwarder/storeFailed(_:at:)``.
    case store(InstanceID)
    /// The durable copy with this token is no longer needed.
    case forget(stored: UInt64)
    /// Read a durable copy back, then call ``Forwarder/fetched(_:_:at:)``.
    case fetch(InstanceID, stored: UInt64)
    /// The envelope is for this node; ``Forwarder/finished(_:at:)`` or ``Forwarder/giveBack(_:_:delay:at:)`` follows.
    case deliver(InstanceID)
    /// An envelope this node made has left its care (another node has custody of it).
    case departed(owner: UInt64)
    /// An envelope lived out its lifetime and was dropped.
    case expired(Dropped)
    /// An arrival with a header that is no header: kept aside, counted, without effect.
    case damaged(link: LinkIndex, bytes: [UInt8], reason: String)
    /// A receipt came by that speaks of what is held here: where it is genuine, ``Forwarder/receipted(_:at:)`` follows.
    case receipt(envelope: [UInt8])
    /// Tell a neighbour that we do not take its transmission; `serial` names the session that brought it. The
    /// ``Exchange`` carries it out.
    case refuse(link: LinkIndex, serial: UInt32, transmission: UInt64, RefusalReason, delay: Duration)

    /// What is said about a dropped envelope.
    public struct Dropped: Equatable, Sendable {
        public var source: NodeID
        public var stream: StreamID
        public var sequence: Sequence
        public var destination: NodeID
        public var lane: Lane
        public var bytes: Int
        public var owner: UInt64
    }
}

/// Counts since the process began. At every instant: accepted = delivered + handedOver + receipted +
/// expired + lost + present.
public struct Counters: Equatable, Sendable {
    /// Envelopes taken from neighbours, from the store at start, or made here.
    public var accepted: UInt64 = 0
    /// Effects at this node.
    public var delivered: UInt64 = 0
    /// Let go because the destination's receipt says that it has them.
    public var receipted: UInt64 = 0
    /// Custody taken by the next hop.
    public var handedOver: UInt64 = 0
    public var expired: UInt64 = 0
    /// Durable copies that could not be read back.
    public var lost: UInt64 = 0
    public var bytesAccepted: UInt64 = 0
    public var bytesHandedOver: UInt64 = 0
    /// Arrivals not accepted, by reason.
    public var refusedFull: UInt64 = 0
    public var refusedNotPermitted: UInt64 = 0
    public var refusedUnknown: UInt64 = 0
    public var refusedBusy: UInt64 = 0
    public var damaged: UInt64 = 0
    /// Written to the store because they were not confirmed in time or memory was short.
    public var spilled: UInt64 = 0
    /// Given back to the neighbour they came from before custody; no longer counted as accepted.
    public var returned: UInt64 = 0
    /// Sent again after a link was lost or a neighbour refused.
    public var retransmitted: UInt64 = 0
}
