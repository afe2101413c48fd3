/// Entries by key, of which the one least recently touched goes when there is no room for another.
///
/// Looking for it costs a walk through all of them; it is meant for keys that are new seldom, such as streams.
struct RecentTable<Key: Hashable & Sendable, Entry: Sendable>: Sendable {
    private struct Slot {
        var key: Key
        var entry: Entry
        var touched: UInt64
    }

    let capacity: Int
    private var slots: [Slot] = []
    private var index: [Key: Int] = [:]
    private var touches: UInt64 = 0
    /// Entries that had to go.
    private(set) var forgotten: UInt64 = 0

    /// - Precondition: room for one at least.
    init(capacity: Int, forgotten: UInt64 = 0) {
        precondition(capacity > 0, "a table has room for something")
        self.capacity = capacity
        self.forgotten = forgotten
    }

    var count: Int { slots.count }

    subscript(key: Key) -> Entry? { index[key].map { slots[$0].entry } }

    /// Changes an entry that is there, and touches it.
    /// - Returns: false where there is none.
    mutating func change(_ key: Key, _ body: (inout Entry) -> Void) -> Bool {
        guard let place = index[key] else { return false }
        touches += 1
        slots[place].touched = touches
        body(&slots[place].entry)
        return true
    }

    /// Puts an entry in, in the place of one with the same key.
    mutating func put(_ key: Key, _ entry: Entry) {
        touches += 1
        let slot = Slot(key: key, entry: entry, touched: touches)
        if let place = index[key] {
            slots[place] = slot
        } else if slots.count < capacity {
            index[key] = slots.count
            slots.append(slot)
        } else if let place = slots.indices.min(by: { slots[$0].touched < slots[$1].touched }) {
            index[slots[place].key] = nil
            index[key] = place
            slots[place] = slot
            forgotten &+= 1
        }
    }

    /// Changes all without touching them.
    mutating func changeAll(_ body: (inout Entry) -> Void) {
        for place in slots.indices { body(&slots[place].entry) }
    }

    /// All, the least recently touched first.
    var entries: [Entry] { slots.sorted { $0.touched < $1.touched }.map(\.entry) }
}
