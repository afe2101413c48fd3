import Envelope
import Link

extension Forwarder {
    /// The place of a destination in the tables, made when it is first heard of.
    mutating func destination(for node: NodeID) -> Int32 {
        if lastDestination >= 0, destinations[Int(lastDestination)].node == node { return lastDestination }
        if let index = destinationIndex[node] {
            lastDestination = index
            return index
        }
        let index = Int32(destinations.count)
        destinations.append(Destination(node: node, nextHop: bestLink(to: node)))
        for _ in 0..<Destination.queuesEach { queues.append(EnvelopeQueue()) }
        destinationIndex[node] = index
        lastDestination = index
        return index
    }

    func bestLink(to node: NodeID) -> Int32 {
        for hop in routes.nextHops(to: node) {
            if let link = linkIndex[hop], links[link].isUp { return Int32(link) }
        }
        return -1
    }

    mutating func enqueue(_ index: UInt32, _ destination: Int32, atFront: Bool) {
        let isOutOfHops = instances[index].hopLimit == 0
        let offset = isOutOfHops ? Destination.parkedQueue : Int(instances[index].lane.rawValue)
        let number = destination * Int32(Destination.queuesEach) + Int32(offset)
        instances[index].state = .queued
        if atFront {
            instances.prepend(index, to: &queues[Int(number)], number: number)
        } else {
            instances.append(index, to: &queues[Int(number)], number: number)
        }
        if !isOutOfHops { list(number) }
    }

    /// Puts a queue in its next hop's turn where it can send: something at its head, a link, nobody told it to wait.
    mutating func list(_ number: Int32) {
        let link = destinations[Int(number) / Destination.queuesEach].nextHop
        let queue = queues[Int(number)]
        let lane = Int(number) % Destination.queuesEach
        guard lane != Destination.parkedQueue, !queue.isListed, !queue.isEmpty, link >= 0, queue.heldUntil == .zero
        else { return }
        guard !instances[UInt32(queue.head)].block.isNone else { return fetchAhead(number) }
        queues[Int(number)].isListed = true
        links[Int(link)].sendable[lane].append(number)
        links[Int(link)].isDirty = true
    }

    /// Asks for the bytes of the next envelopes of a queue that lie only in the store.
    mutating func fetchAhead(_ number: Int32) {
        var place = queues[Int(number)].head
        var bytes = 0
        while place >= 0, bytes < Limits.fetchAheadBytes, queues[Int(number)].fetching < Limits.fetchAheadEnvelopes {
            let index = UInt32(place)
            bytes += Int(instances[index].length)
            if instances[index].block.isNone, !instances[index].isFetching {
                instances[index].isFetching = true
                queues[Int(number)].fetching += 1
                effects.append(.fetch(instances.id(index), stored: instances[index].stored))
            }
            place = instances[index].next
        }
    }

    /// The bytes of a stored instance are back.
    /// - Parameter envelope: nil where the store could not read them; the envelope is then dropped from custody here
    ///   and reported, since nothing of it is left (its source sends it again).
    public mutating func fetched(_ id: InstanceID, _ envelope: UnsafeRawBufferPointer?, at now: Instant) {
        guard let index = instances.index(of: id), instances[index].isFetching else { return }
        instances[index].isFetching = false
        let isLocal = instances[index].state == .delivering
        let number = isLocal ? -1 : instances[index].queue
        if number >= 0 { queues[Int(number)].fetching -= 1 }
        guard let envelope, envelope.count == Int(instances[index].length) else {
            return drop(index, at: now)
        }
        if instances[index].block.isNone { instances[index].block = slabs.allocate(envelope) }
        if isLocal { effects.append(.deliver(id)) }
        if number >= 0 { list(number) }
    }

    /// The lane that sends next over a link; nil where there is nothing to send.
    ///
    /// Control first; then live before bulk in the ratio of ``Limits/liveShare`` by bytes, so that history moves on
    /// however busy live data is.
    mutating func nextLane(
        _ link: LinkIndex, underWay: (live: Bool, bulk: Bool, control: Bool), mayBegin: (Lane) -> Bool
    )
        -> Lane?
    {
        func ready(_ lane: Lane, _ isUnderWay: Bool) -> Bool {
            isUnderWay || (!links[link].sendable[Int(lane.rawValue)].isEmpty && mayBegin(lane))
        }
        if ready(.control, underWay.control) { return .control }
        let live = ready(.live, underWay.live)
        let bulk = ready(.bulk, underWay.bulk)
        guard live && bulk else {
            links[link].liveBytes = 0
            links[link].bulkBytes = 0
            return live ? .live : bulk ? .bulk : nil
        }
        return links[link].bulkBytes * Limits.liveShare <= links[link].liveBytes ? .bulk : .live
    }

    /// Takes the next instance of a lane for a link; it is in flight from now on.
    mutating func dequeue(_ link: LinkIndex, _ lane: Lane, at now: Instant) -> UInt32? {
        let row = Int(lane.rawValue)
        while let number = links[link].sendable[row].first {
            links[link].sendable[row].removeFirst()
            // A queue that moved to another next hop leaves a stale entry behind.
            guard destinations[Int(number) / Destination.queuesEach].nextHop == Int32(link) else { continue }
            queues[Int(number)].isListed = false
            guard queues[Int(number)].head >= 0, queues[Int(number)].heldUntil == .zero else { continue }
            let index = UInt32(queues[Int(number)].head)
            guard !instances[index].block.isNone else {
                fetchAhead(number)
                continue
            }
            guard !instances[index].isExpired(at: now) else {
                expire(index, at: now)
                list(number)
                continue
            }
            instances.unlink(index, from: &queues[Int(number)])
            instances[index].state = .inFlight
            links[link].countSent(lane, Int(instances[index].length))
            list(number)
            return index
        }
        return nil
    }
}
