import Envelope

/// The instances that wait for one destination in one lane, oldest first: a list threaded through the instances.
struct EnvelopeQueue {
    var head: Int32 = -1
    var tail: Int32 = -1
    var count = 0
    var bytes = 0
    /// Stands in the list of the next hop's sendable queues.
    var isListed = false
    /// A neighbour refused the head; nothing is tried before this.
    var heldUntil = Instant.zero
    /// Instances at the front whose bytes are being read back.
    var fetching = 0

    var isEmpty: Bool { head < 0 }
}

/// Where envelopes for one node go. Each has a queue a lane and one for those whose hops are used up.
struct Destination {
    static let queuesEach = 4
    static let parkedQueue = 3

    var node: NodeID
    /// The link envelopes take now; -1 parks them.
    var nextHop: Int32 = -1
}

extension InstanceTable {
    mutating func append(_ index: UInt32, to queue: inout EnvelopeQueue, number: Int32) {
        self[index].queue = number
        self[index].next = -1
        self[index].previous = queue.tail
        if queue.tail >= 0 { self[UInt32(queue.tail)].next = Int32(index) } else { queue.head = Int32(index) }
        queue.tail = Int32(index)
        queue.count += 1
        queue.bytes += Int(self[index].length)
    }

    mutating func prepend(_ index: UInt32, to queue: inout EnvelopeQueue, number: Int32) {
        self[index].queue = number
        self[index].previous = -1
        self[index].next = queue.head
        if queue.head >= 0 { self[UInt32(queue.head)].previous = Int32(index) } else { queue.tail = Int32(index) }
        queue.head = Int32(index)
        queue.count += 1
        queue.bytes += Int(self[index].length)
    }

    mutating func unlink(_ index: UInt32, from queue: inout EnvelopeQueue) {
        let next = self[index].next
        let previous = self[index].previous
        if previous >= 0 { self[UInt32(previous)].next = next } else { queue.head = next }
        if next >= 0 { self[UInt32(next)].previous = previous } else { queue.tail = previous }
        self[index].next = -1
        self[index].previous = -1
        queue.count -= 1
        queue.bytes -= Int(self[index].length)
    }
}
