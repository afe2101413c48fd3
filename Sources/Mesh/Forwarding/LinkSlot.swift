import Envelope
import Link

/// What the forwarder knows of one neighbour.
struct LinkSlot {
    var peer: NodeID
    var isUp = false
    var ledger = CustodyLedger()
    /// Queues that can send over this link now, by lane; the front is next.
    var sendable: [SendableQueues] = Lane.allCases.map { _ in SendableQueues() }
    /// What the ended session had under way: a later hello may still say that some of it is safe.
    var orphans: [Orphan] = []
    /// The name of our numbering in the ended session.
    var orphanSession = Bytes16(low: 0, high: 0)
    var outboundSession = Bytes16(low: 0, high: 0)
    /// Mean time from sending to custody, in nanoseconds; 0 before the first.
    var confirmTime: Int64 = 0
    var liveBytes = 0
    var bulkBytes = 0
    /// There may be something to send or to say.
    var isDirty = false

    mutating func countSent(_ lane: Lane, _ bytes: Int) {
        switch lane {
        case .control: break
        case .live: liveBytes += bytes
        case .bulk: bulkBytes += bytes
        }
    }

    struct Orphan {
        var transmission: UInt64
        var instance: InstanceID
    }
}

/// Queue numbers in turn: a ring without removal from the middle.
struct SendableQueues {
    private var numbers: [Int32] = []
    private var head = 0

    var isEmpty: Bool { head == numbers.count }
    var first: Int32? { isEmpty ? nil : numbers[head] }

    mutating func append(_ number: Int32) {
        if head > 64, head * 2 > numbers.count {
            numbers.removeFirst(head)
            head = 0
        }
        numbers.append(number)
    }

    mutating func removeFirst() {
        head += 1
        if head == numbers.count {
            numbers.removeAll(keepingCapacity: true)
            head = 0
        }
    }

    mutating func removeAll() -> [Int32] {
        defer {
            numbers.removeAll(keepingCapacity: true)
            head = 0
        }
        return Array(numbers[head...])
    }
}

/// Instances that are not safe yet, in order of arrival.
struct HoldQueue {
    struct Entry {
        var id: InstanceID
        var deadline: Instant
    }

    private var entries: [Entry] = []
    private var head = 0

    var first: Entry? { head < entries.count ? entries[head] : nil }

    mutating func append(_ entry: Entry) {
        if head > 4096, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
        entries.append(entry)
    }

    mutating func removeFirst() {
        head += 1
        if head == entries.count {
            entries.removeAll(keepingCapacity: true)
            head = 0
        }
    }
}
