import Envelope

/// A deadline with an action, and its place in the queue.
final class TimerEntry {
    fileprivate(set) var deadline: Instant = .never
    /// Index in the heap; -1 while not armed.
    fileprivate var place = -1
    /// Sets entries with equal deadlines in the order in which they were armed.
    fileprivate var order: UInt64 = 0
    fileprivate var action: (() -> Void)?
    /// A one-shot entry drops its action once it has fired.
    fileprivate let isOneShot: Bool

    init(isOneShot: Bool, action: @escaping () -> Void) {
        self.isOneShot = isOneShot
        self.action = action
    }

    var isArmed: Bool { place >= 0 }

    fileprivate func comesBefore(_ other: TimerEntry) -> Bool {
        deadline == other.deadline ? order < other.order : deadline < other.deadline
    }
}

/// A binary heap of deadlines in which each entry knows its place, so that arming anew and disarming cost
/// O(log n) and leave nothing behind.
final class TimerQueue {
    private var heap: [TimerEntry] = []
    private var armed: UInt64 = 0

    var nextDeadline: Instant? { heap.first?.deadline }

    func arm(_ entry: TimerEntry, at deadline: Instant) {
        guard deadline < .never else {
            disarm(entry)
            return
        }
        armed += 1
        entry.deadline = deadline
        entry.order = armed
        if entry.isArmed {
            siftDown(siftUp(entry.place))
        } else {
            entry.place = heap.count
            heap.append(entry)
            siftUp(entry.place)
        }
    }

    func disarm(_ entry: TimerEntry) {
        let place = entry.place
        guard place >= 0 else { return }
        entry.place = -1
        let last = heap.removeLast()
        guard last !== entry else { return }
        put(last, at: place)
        siftDown(siftUp(place))
    }

    /// Calls the actions of everything due, in order. What an action arms anew for a time that is already past
    /// waits for the next turn, so that sockets are served in between.
    func fire(at now: Instant) {
        let lastArmed = armed
        while let first = heap.first, first.deadline <= now, first.order <= lastArmed {
            disarm(first)
            let action = first.action
            if first.isOneShot { first.action = nil }
            action?()
        }
    }

    func forget(_ entry: TimerEntry) {
        disarm(entry)
        entry.action = nil
    }

    func removeAll() {
        for entry in heap {
            entry.place = -1
            entry.action = nil
        }
        heap = []
    }

    private func put(_ entry: TimerEntry, at place: Int) {
        heap[place] = entry
        entry.place = place
    }

    @discardableResult
    private func siftUp(_ start: Int) -> Int {
        let entry = heap[start]
        var place = start
        while place > 0, entry.comesBefore(heap[(place - 1) / 2]) {
            put(heap[(place - 1) / 2], at: place)
            place = (place - 1) / 2
        }
        put(entry, at: place)
        return place
    }

    private func siftDown(_ start: Int) {
        let entry = heap[start]
        var place = start
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].comesBefore(heap[child]) { child += 1 }
            guard heap[child].comesBefore(entry) else { break }
            put(heap[child], at: place)
            place = child
        }
        put(entry, at: place)
    }
}
