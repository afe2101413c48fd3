import Envelope

/// The transmissions sent and not yet settled, found by number: a ring of the recent ones, and a sorted list of the few
/// that stayed open while the ring went on.
///
/// Invariants: the entry at the ring's head is open, or the ring is empty; stragglers have numbers below ``first``,
/// rising. Memory follows the number of open entries, not the span of their numbers.
struct InFlight {
    struct Entry {
        var token: UInt32
        var length: UInt32
        var isOpen: Bool
    }

    private var ring: [Entry] = []
    private var head = 0
    /// Entries of the ring, closed ones between open ones among them.
    private var span = 0
    private var stragglers: [(number: UInt64, entry: Entry)] = []
    private var openStragglers = 0
    /// Entries that are open.
    private(set) var count = 0
    /// The number of the entry at the ring's head; the next to be sent is `first + span`.
    private var first: UInt64 = 1

    /// The number the next transmission gets.
    var next: UInt64 { first &+ UInt64(span) }

    /// Places held in memory, open or not.
    var places: Int { ring.count + stragglers.count }

    mutating func append(_ token: UInt32, length: Int) -> UInt64 {
        if span == ring.count { makeRoom() }
        let number = next
        ring[(head &+ span) & (ring.count &- 1)] = Entry(token: token, length: UInt32(length), isOpen: true)
        span += 1
        count += 1
        return number
    }

    /// Closes one entry; nil where it is closed already or was never sent.
    mutating func close(_ number: UInt64) -> Entry? {
        guard number >= first else { return closeStraggler(number) }
        guard number < next else { return nil }
        let index = (head &+ Int(number &- first)) & (ring.count &- 1)
        guard ring[index].isOpen else { return nil }
        ring[index].isOpen = false
        count -= 1
        let entry = ring[index]
        dropClosed()
        return entry
    }

    /// The open entries in order, each with its number.
    func forEachOpen(_ body: (UInt64, Entry) -> Void) {
        for straggler in stragglers where straggler.entry.isOpen { body(straggler.number, straggler.entry) }
        for offset in 0..<span {
            let entry = ring[(head + offset) & (ring.count - 1)]
            if entry.isOpen { body(first + UInt64(offset), entry) }
        }
    }

    private mutating func dropClosed() {
        while span > 0, !ring[head].isOpen {
            head = (head &+ 1) & (ring.count &- 1)
            span -= 1
            first += 1
        }
    }

    private mutating func closeStraggler(_ number: UInt64) -> Entry? {
        var low = 0
        var high = stragglers.count
        while low < high {
            let middle = (low + high) / 2
            if stragglers[middle].number < number { low = middle + 1 } else { high = middle }
        }
        guard low < stragglers.count, stragglers[low].number == number, stragglers[low].entry.isOpen else { return nil }
        stragglers[low].entry.isOpen = false
        openStragglers -= 1
        count -= 1
        let entry = stragglers[low].entry
        if openStragglers * 2 < stragglers.count { stragglers.removeAll { !$0.entry.isOpen } }
        return entry
    }

    private mutating func makeRoom() {
        if span >= Limits.openRing, count - openStragglers <= span / 2 { setAside(span / 2) } else { grow() }
    }

    /// Moves the open ones among the oldest `entries` to the stragglers.
    private mutating func setAside(_ entries: Int) {
        for _ in 0..<entries {
            if ring[head].isOpen {
                stragglers.append((first, ring[head]))
                openStragglers += 1
            }
            head = (head + 1) & (ring.count - 1)
            span -= 1
            first += 1
        }
        dropClosed()
    }

    private mutating func grow() {
        let size = max(64, ring.count * 2)
        var larger = [Entry](repeating: Entry(token: 0, length: 0, isOpen: false), count: size)
        for offset in 0..<span { larger[offset] = ring[(head + offset) & (ring.count - 1)] }
        ring = larger
        head = 0
    }
}
