import Envelope
import Link

// Reading back what lies only in the store. A queue asks when it has its turn on a link with credit, so that bytes
// are read for what can be sent, and never for more than the memory budget allows.
extension Forwarder {
    /// Half the budget is taken: copies of what is durable are dropped from memory.
    var isMemoryShort: Bool { slabs.bytesHeld > configuration.memoryBytes / 2 }

    /// Asks for the bytes of the next envelopes of a queue.
    mutating func fetchAhead(_ number: Int32) {
        var place = queues[Int(number)].head
        var ahead = 0
        while place >= 0, ahead < Limits.fetchAheadBytes, queues[Int(number)].fetching < Limits.fetchAheadEnvelopes {
            let index = UInt32(place)
            let length = Int(instances[index].length)
            if instances[index].block.isNone, !instances[index].isFetching {
                guard mayFetch(length) else {
                    // The head is what the queue waits for; the rest is only ahead of its turn.
                    if place == queues[Int(number)].head { awaitMemory(number) }
                    return
                }
                fetch(index)
                queues[Int(number)].fetching += 1
            }
            ahead += length
            place = instances[index].next
        }
    }

    mutating func fetch(_ index: UInt32) {
        instances[index].isFetching = true
        fetchingBytes += Int(instances[index].length)
        effects.append(.fetch(instances.id(index), stored: instances[index].stored))
    }

    /// One is always allowed, so that there is progress however full memory is.
    private func mayFetch(_ length: Int) -> Bool {
        fetchingBytes == 0 || slabs.bytesHeld + fetchingBytes + length <= configuration.memoryBytes / 4 * 3
    }

    private mutating func awaitMemory(_ number: Int32) {
        guard !queues[Int(number)].isAwaitingMemory else { return }
        queues[Int(number)].isAwaitingMemory = true
        awaitingMemory.append(number)
    }

    mutating func fetchEnded(_ index: UInt32) {
        instances[index].isFetching = false
        fetchingBytes -= Int(instances[index].length)
        let number = instances[index].queue
        if number >= 0 { queues[Int(number)].fetching -= 1 }
        guard !awaitingMemory.isEmpty else { return }
        var waiting: [Int32] = []
        swap(&waiting, &awaitingMemory)
        for number in waiting {
            queues[Int(number)].isAwaitingMemory = false
            list(number)
        }
    }

    /// The bytes of a stored instance are back.
    /// - Parameter envelope: nil where the store could not read them; the envelope is then dropped from custody here
    ///   and reported, since nothing of it is left (its source sends it again).
    public mutating func fetched(_ id: InstanceID, _ envelope: UnsafeRawBufferPointer?, at now: Instant) {
        guard let index = instances.index(of: id), instances[index].isFetching else { return }
        fetchEnded(index)
        guard let envelope, envelope.count == Int(instances[index].length) else { return drop(index, at: now) }
        if instances[index].state == .delivering {
            if instances[index].block.isNone { instances[index].block = slabs.allocate(envelope) }
            effects.append(.deliver(id))
            return
        }
        let number = instances[index].queue
        if instances[index].block.isNone, !isStuck(number) { instances[index].block = slabs.allocate(envelope) }
        list(number)
    }

    /// The store could not be asked just now, since its disk fails. The durable copy may be whole: it stays, and is
    /// asked for again after ``Limits/storeRetry``.
    public mutating func fetchFailed(_ id: InstanceID, at now: Instant) {
        guard let index = instances.index(of: id), instances[index].isFetching else { return }
        fetchEnded(index)
        if instances[index].state == .delivering {
            localRetries.append((id, now + Limits.storeRetry))
        } else {
            let number = instances[index].queue
            hold(number, until: max(queues[Int(number)].heldUntil, now + Limits.storeRetry))
        }
    }

    /// The queue has lost its way: what it had read back or kept although it is durable leaves memory.
    mutating func dropDurableBytes(_ number: Int32) {
        var place = queues[Int(number)].head
        while place >= 0 {
            let index = UInt32(place)
            guard !instances[index].block.isNone || instances[index].isFetching else { return }
            if instances[index].stored != 0 { freeBlock(index) }
            place = instances[index].next
        }
    }

    /// Moves what is left in thin slabs together, where much memory is pinned by little.
    mutating func compactIfSparse() {
        guard slabs.isSparse else { return }
        for index in instances.indices where slabs.isThin(instances[index].block) {
            instances[index].block = slabs.move(instances[index].block)
        }
    }
}
