import Envelope

/// Instances that are not safe yet, by the time they must be in the store.
///
/// A queue for each of a few fixed waits, so that within a queue the deadlines rise whatever comes; an entry costs
/// neither a search nor an allocation.
struct HoldSchedule {
    struct Entry {
        var id: InstanceID
        var deadline: Instant
    }

    private var waits: [Duration] = []
    private var queues: [HoldQueue] = []
    /// The wait that was asked for last.
    private var row = 0
    /// Of all entries. Kept, since it is asked after every event.
    private(set) var nextDeadline = Instant.never

    init(_ bounds: ClosedRange<Duration>) {
        var wait = max(bounds.lowerBound, .milliseconds(1))
        while wait < bounds.upperBound {
            waits.append(wait)
            wait = wait * 5 / 4
        }
        waits.append(max(bounds.upperBound, .milliseconds(1)))
        queues = waits.map { _ in HoldQueue() }
    }

    /// - Parameter wait: rounded down to the next fixed wait, at most by a fifth.
    mutating func append(_ id: InstanceID, for wait: Duration, at now: Instant) {
        // Mostly that of the one before, or the next to it.
        while row + 1 < waits.count, waits[row + 1] <= wait { row += 1 }
        while row > 0, waits[row] > wait { row -= 1 }
        let entry = Entry(id: id, deadline: now + waits[row])
        queues[row].append(entry)
        nextDeadline = min(nextDeadline, entry.deadline)
    }

    /// The entries of each wait, in order.
    var entries: [Entry] { queues.flatMap(\.waiting) }

    /// Takes one whose time has come.
    mutating func takeDue(_ now: Instant) -> InstanceID? {
        guard nextDeadline <= now else { return nil }
        for row in queues.indices {
            if let first = queues[row].first, first.deadline <= now {
                queues[row].removeFirst()
                findNextDeadline()
                return first.id
            }
        }
        return nil
    }

    private mutating func findNextDeadline() {
        nextDeadline = .never
        for queue in queues {
            if let first = queue.first { nextDeadline = min(nextDeadline, first.deadline) }
        }
    }
}

/// Entries with rising deadlines: an array that is read from the front.
private struct HoldQueue {
    private var entries: [HoldSchedule.Entry] = []
    private var head = 0

    var first: HoldSchedule.Entry? { head < entries.count ? entries[head] : nil }

    var waiting: ArraySlice<HoldSchedule.Entry> { entries[head...] }

    mutating func append(_ entry: HoldSchedule.Entry) {
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
