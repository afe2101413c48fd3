/// Something that will happen at a time. A value of 32 bytes: a run has tens of millions of them.
struct Event {
    enum Kind: UInt8 {
        // Of a program; these wait while it is paused.
        case deliver, writable, closed, dialCompletes, accepted, dialFailed, timer, operation
        // Of a machine.
        case start, resume, clockSet, diskFreed, diskSpedUp, diskReplaced
        // Of the network.
        case dialArrives, reset, clogStarts, linkOpens
        case fault
    }

    /// Nanoseconds since the world began.
    var time: Int64
    /// Given by the queue; what was put in first comes out first.
    var order: UInt64 = 0
    /// What is meant depends on the kind: an end of a connection, a token, a direction of a link.
    var value: UInt64
    /// The event is void where the process, machine or connection is of another generation by then.
    var stamp: UInt32
    var node: Int16
    var kind: Kind

    init(_ kind: Kind, at time: Int64, node: Int = 0, value: UInt64 = 0, stamp: UInt32 = 0) {
        self.kind = kind
        self.time = time
        self.node = Int16(node)
        self.value = value
        self.stamp = stamp
    }

    @inline(__always)
    func isBefore(_ other: Event) -> Bool {
        time == other.time ? order < other.order : time < other.time
    }
}

/// A binary heap of events. Events of the same time come out in the order in which they were put in.
struct EventQueue {
    private var heap: [Event] = []
    private var given: UInt64 = 0

    init() { heap.reserveCapacity(4096) }

    var isEmpty: Bool { heap.isEmpty }
    var count: Int { heap.count }
    var nextTime: Int64 { heap.first?.time ?? .max }

    mutating func push(_ new: Event) {
        var event = new
        given &+= 1
        event.order = given
        heap.append(event)
        heap.withUnsafeMutableBufferPointer { heap in
            var place = heap.count - 1
            while place > 0 {
                let parent = (place - 1) / 2
                if heap[parent].isBefore(event) { break }
                heap[place] = heap[parent]
                place = parent
            }
            heap[place] = event
        }
    }

    mutating func pop() -> Event? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if heap.isEmpty { return first }
        heap.withUnsafeMutableBufferPointer { heap in
            var place = 0
            while true {
                var child = 2 * place + 1
                if child >= heap.count { break }
                if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
                if last.isBefore(heap[child]) { break }
                heap[place] = heap[child]
                place = child
            }
            heap[place] = last
        }
        return first
    }
}
