import Envelope

/// One arrival of an envelope at this node: what custody is about.
///
/// Two arrivals of the same envelope are two instances and are never merged: "I have seen this one" is no reason
/// to say "I keep it" (design rule; merging loses envelopes that bounce between two relays).
public struct InstanceID: Hashable, Sendable {
    var index: UInt32
    /// Raised each time the place is used anew, so that an old id finds nothing instead of somebody else.
    var generation: UInt32

    /// The same as one number, for a store that gives a number back.
    public var token: UInt64 { UInt64(generation) << 32 | UInt64(index) }

    public init(token: UInt64) {
        self.init(index: UInt32(truncatingIfNeeded: token), generation: UInt32(truncatingIfNeeded: token >> 32))
    }

    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }
}

struct Instance {
    enum State: UInt8 {
        /// The place is free.
        case vacant
        /// Waits in its destination's queue.
        case queued
        /// Handed to a session, not yet confirmed.
        case inFlight
        /// Handed to the local destination, effect not yet durable.
        case delivering
        /// Done with; only a store write under way keeps the place and the bytes.
        case departing
    }

    var state = State.vacant
    var lane = Lane.live
    var hopLimit: UInt8 = 0
    /// Done with and counted so, while a later transmission or a store write still needs the place.
    var isFinished = false
    /// In flight, and the session still needs the bytes for further fragments.
    var isWriting = false
    /// A copy is being written to the store; custody is passed upstream once it is durable.
    var isStoring = false
    /// A copy is being read back from the store.
    var isFetching = false
    /// Made by this node; `owner` means something to whoever made it.
    var isOrigin = false
    /// Waited long, or follows one that did: goes on among bulk, whatever its lane.
    var isHistory = false
    /// Others of its stream that are held here wait for it: it goes before all in whatever queue it comes to.
    var fillsGap = false
    var generation: UInt32 = 0
    var queue: Int32 = -1
    /// Place of its flow in the ``AccountBook``.
    var flow: Int32 = 0
    /// Place of its stream in the ``StreamTable``; -1 before it is known.
    var stream: Int32 = -1
    var next: Int32 = -1
    var previous: Int32 = -1
    var sequence = Sequence.none
    /// Rises with arrival; a queue is sorted by it.
    var order: UInt64 = 0
    var block = Block.none
    var length: UInt32 = 0
    /// Milliseconds of age at arrival, and when that was.
    var ageAtArrival: UInt32 = 0
    var lifetime: UInt32 = 0
    var arrivedAt = Instant.zero
    /// The store's token for the durable copy, 0 for none.
    var stored: UInt64 = 0
    /// The origin's token.
    var owner: UInt64 = 0
    /// Whom custody is owed: link, its session's serial number and the transmission's number; link -1 for nobody.
    var creditor = Creditor.nobody

    func hop(at now: Instant) -> HopFields {
        HopFields(hopLimit: hopLimit, age: ageAtArrival).aged(by: now - arrivedAt)
    }

    func isExpired(at now: Instant) -> Bool { hop(at: now).isExpired(lifetime: lifetime) }
}

/// A neighbour who waits for our word about a transmission.
struct Creditor {
    var link: Int32
    var serial: UInt32
    var transmission: UInt64

    static let nobody = Creditor(link: -1, serial: 0, transmission: 0)
}

/// All instances of a node in one array; places are used again.
struct InstanceTable {
    private var places: [Instance] = []
    private var vacant: [UInt32] = []

    var count: Int { places.count - vacant.count }
    /// All places, vacant ones among them.
    var indices: Range<UInt32> { 0..<UInt32(places.count) }

    subscript(index: UInt32) -> Instance {
        @inline(__always) _read { yield places[Int(index)] }
        @inline(__always) _modify { yield &places[Int(index)] }
    }

    mutating func add(_ instance: Instance) -> UInt32 {
        if let index = vacant.popLast() {
            let generation = places[Int(index)].generation
            places[Int(index)] = instance
            places[Int(index)].generation = generation
            return index
        }
        places.append(instance)
        return UInt32(places.count - 1)
    }

    mutating func remove(_ index: UInt32) {
        places[Int(index)].state = .vacant
        places[Int(index)].generation &+= 1
        vacant.append(index)
    }

    func id(_ index: UInt32) -> InstanceID {
        InstanceID(index: index, generation: places[Int(index)].generation)
    }

    /// The place of a live instance; nil for one that is gone.
    func index(of id: InstanceID) -> UInt32? {
        guard id.index < places.count, places[Int(id.index)].generation == id.generation,
            places[Int(id.index)].state != .vacant
        else { return nil }
        return id.index
    }
}
