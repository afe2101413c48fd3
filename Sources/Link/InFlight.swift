import Envelope

/// The transmissions sent and not yet confirmed, in order of their numbers: a ring that grows to the window.
///
/// Invariant: the entry at `first` is unconfirmed, or the ring is empty.
struct InFlight {
    struct Entry {
        var token: UInt32
        var length: UInt32
        var sentAt: Instant
        var isOpen: Bool
    }

    private var ring: [Entry] = []
    private var head = 0
    private(set) var count = 0
    /// The number of the entry at the head; the next to be sent is `first + count`.
    private(set) var first: UInt64 = 1

    var next: UInt64 { first &+ UInt64(count) }

    mutating func append(_ token: UInt32, length: Int, at now: Instant) -> UInt64 {
        if count == ring.count { grow() }
        let number = next
        ring[(head + count) & (ring.count - 1)] = Entry(
            token: token, length: UInt32(length), sentAt: now, isOpen: true)
        count += 1
        return number
    }

    /// Closes one entry; nil where it is closed already.
    /// - Precondition: `number` lies below ``next``.
    mutating func close(_ number: UInt64) -> Entry? {
        guard number >= first else { return nil }
        let index = (head + Int(number - first)) & (ring.count - 1)
        guard ring[index].isOpen else { return nil }
        ring[index].isOpen = false
        let entry = ring[index]
        while count > 0, !ring[head].isOpen {
            head = (head + 1) & (ring.count - 1)
            count -= 1
            first += 1
        }
        return entry
    }

    /// The open entries in order, each with its number.
    func forEachOpen(_ body: (UInt64, Entry) -> Void) {
        for offset in 0..<count {
            let entry = ring[(head + offset) & (ring.count - 1)]
            if entry.isOpen { body(first + UInt64(offset), entry) }
        }
    }

    private mutating func grow() {
        let size = max(64, ring.count * 2)
        var larger = [Entry](
            repeating: Entry(token: 0, length: 0, sentAt: .zero, isOpen: false), count: size)
        for offset in 0..<count { larger[offset] = ring[(head + offset) & (ring.count - 1)] }
        ring = larger
        head = 0
    }
}
