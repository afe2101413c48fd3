import Envelope

/// The instances that wait for one destination in one lane, in the order they came: a list threaded through them.
struct EnvelopeQueue {
    var head: Int32 = -1
    var tail: Int32 = -1
    var count = 0
    var bytes = 0
    /// Where the last one was put back; the next one put back usually follows it.
    var hint: Int32 = -1
    /// Place in the turn of the link it can send over; link -1 while it stands in none.
    var turnLink: Int32 = -1
    var turnNext: Int32 = -1
    var turnPrevious: Int32 = -1
    /// A neighbour refused the head; nothing is tried before this.
    var heldUntil = Instant.zero
    /// Stands in the forwarder's list of held queues.
    var isHeldListed = false
    /// Stands in the forwarder's list of queues that wait for memory to read into.
    var isAwaitingMemory = false
    /// Instances at the front whose bytes are being read back.
    var fetching = 0

    var isEmpty: Bool { head < 0 }
}

/// Where envelopes for one node go. Each has a queue a lane and one for what must wait for other routes or flows.
struct Destination {
    static let queuesEach = 4
    static let parkedQueue = 3

    var node: NodeID
    /// The link envelopes take now; -1 parks them. Right only where `routeVersion` is the forwarder's.
    var nextHop: Int32 = -1
    var routeVersion: UInt64 = 0
    /// Envelopes in all its queues.
    var waiting = 0
}

extension InstanceTable {
    /// Adds the newest.
    mutating func append(_ index: UInt32, to queue: inout EnvelopeQueue, number: Int32) {
        link(index, after: queue.tail, in: &queue, number: number)
    }

    /// Puts one back to its place by order of arrival.
    mutating func putBack(_ index: UInt32, to queue: inout EnvelopeQueue, number: Int32) {
        let order = self[index].order
        var after: Int32 = -1
        if queue.hint >= 0, self[UInt32(queue.hint)].order < order { after = queue.hint }
        var next = after >= 0 ? self[UInt32(after)].next : queue.head
        while next >= 0, self[UInt32(next)].order < order {
            after = next
            next = self[UInt32(next)].next
        }
        link(index, after: after, in: &queue, number: number)
        queue.hint = Int32(index)
    }

    /// Adds one to the front, behind those of its stream that were put there just before.
    mutating func putFirst(_ index: UInt32, to queue: inout EnvelopeQueue, number: Int32) {
        var after: Int32 = -1
        if queue.hint >= 0 {
            let last = UInt32(queue.hint)
            if self[last].stream == self[index].stream, self[last].sequence < self[index].sequence {
                after = queue.hint
            }
        }
        let neighbour = after >= 0 ? after : queue.head
        self[index].order = neighbour >= 0 ? self[UInt32(neighbour)].order : 0
        link(index, after: after, in: &queue, number: number)
        queue.hint = Int32(index)
    }

    private mutating func link(_ index: UInt32, after: Int32, in queue: inout EnvelopeQueue, number: Int32) {
        let next = after >= 0 ? self[UInt32(after)].next : queue.head
        self[index].queue = number
        self[index].previous = after
        self[index].next = next
        if after >= 0 { self[UInt32(after)].next = Int32(index) } else { queue.head = Int32(index) }
        if next >= 0 { self[UInt32(next)].previous = Int32(index) } else { queue.tail = Int32(index) }
        queue.count += 1
        queue.bytes += Int(self[index].length)
    }

    mutating func unlink(_ index: UInt32, from queue: inout EnvelopeQueue) {
        let next = self[index].next
        let previous = self[index].previous
        if previous >= 0 { self[UInt32(previous)].next = next } else { queue.head = next }
        if next >= 0 { self[UInt32(next)].previous = previous } else { queue.tail = previous }
        if queue.hint == Int32(index) { queue.hint = previous }
        self[index].next = -1
        self[index].previous = -1
        queue.count -= 1
        queue.bytes -= Int(self[index].length)
    }
}
