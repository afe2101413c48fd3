import Envelope
import Link

extension Forwarder {
    /// The place of a destination in the tables, made when it is first heard of; its route is of this moment.
    mutating func destination(for node: NodeID) -> Int32 {
        if lastDestination >= 0, destinations[Int(lastDestination)].node == node {
            refreshRoute(lastDestination)
            return lastDestination
        }
        if let index = destinationIndex[node] {
            lastDestination = index
            refreshRoute(index)
            return index
        }
        let index = Int32(destinations.count)
        destinations.append(Destination(node: node, nextHop: bestLink(to: node), routeVersion: routeVersion))
        for _ in 0..<Destination.queuesEach { queues.append(EnvelopeQueue()) }
        destinationIndex[node] = index
        lastDestination = index
        return index
    }

    enum Position {
        case back
        /// Others of its stream wait for it.
        case front
        case byOrder
    }

    /// Takes one up that came, was made or was found in the store.
    mutating func enqueueNew(_ index: UInt32, _ destination: Int32) {
        enqueue(index, destination, instances[index].fillsGap ? .front : .back)
    }

    mutating func enqueue(_ index: UInt32, _ destination: Int32, _ position: Position) {
        refreshRoute(destination)
        let lane = instances[index].isHistory ? Lane.bulk : instances[index].lane
        let row = instances[index].hopLimit == 0 ? Destination.parkedQueue : Int(lane.rawValue)
        add(index, to: destination, row: row, position)
    }

    /// Waits until routes or flows change, or the parked queue's time has come.
    mutating func park(_ index: UInt32, _ destination: Int32) {
        add(index, to: destination, row: Destination.parkedQueue, .back)
    }

    mutating func add(_ index: UInt32, to destination: Int32, row: Int, _ position: Position) {
        let number = destination * Int32(Destination.queuesEach) + Int32(row)
        instances[index].state = .queued
        destinations[Int(destination)].waiting += 1
        switch position {
        case .back:
            arrivals += 1
            instances[index].order = arrivals
            instances.append(index, to: &queues[Int(number)], number: number)
        case .front: instances.putFirst(index, to: &queues[Int(number)], number: number)
        case .byOrder:
            instances.putBack(index, to: &queues[Int(number)], number: number)
        }
        list(number)
    }

    /// Takes an instance out of its queue. Its `queue` goes on telling where it belongs.
    mutating func unlink(_ index: UInt32) {
        let number = Int(instances[index].queue)
        instances.unlink(index, from: &queues[number])
        destinations[number / Destination.queuesEach].waiting -= 1
        if instances[index].isFetching { fetchEnded(index) }
    }

    /// Puts a queue in its next hop's turn where it can send: something in it, a link, nobody told it to wait.
    mutating func list(_ number: Int32) {
        let link = destinations[Int(number) / Destination.queuesEach].nextHop
        guard link >= 0, !queues[Int(number)].isEmpty, queues[Int(number)].turnLink < 0,
            queues[Int(number)].heldUntil == .zero, !queues[Int(number)].isAwaitingMemory,
            Int(number) % Destination.queuesEach != Destination.parkedQueue
        else { return }
        let head = UInt32(queues[Int(number)].head)
        guard !instances[head].isFetching else { return }
        joinTurn(number, of: link)
    }

    /// True where an instance in this queue has no way on for now.
    func isStuck(_ number: Int32) -> Bool {
        Int(number) % Destination.queuesEach == Destination.parkedQueue
            || destinations[Int(number) / Destination.queuesEach].nextHop < 0
    }

    /// The lane that sends next over a link; nil where there is nothing to send.
    ///
    /// Control first; then live before bulk, which gets its share of the bytes (``HistoryPacing/share``), so that history
    /// moves on however busy live data is.
    ///
    /// - Parameters:
    ///   - underWay: lanes with a half-written envelope.
    ///   - mayBegin: lanes with credit for another one.
    mutating func nextLane(
        _ link: LinkIndex, underWay: LaneSet, mayBegin: LaneSet, at now: Instant
    ) -> Lane? {
        func ready(_ lane: Lane) -> Bool {
            underWay.contains(LaneSet(lane))
                || (mayBegin.contains(LaneSet(lane)) && !links[link].turns[Int(lane.rawValue)].isEmpty)
        }
        if ready(.control) { return .control }
        let live = ready(.live)
        let bulk = ready(.bulk) && (underWay.contains(LaneSet(.bulk)) || mayBeginBulk(link, at: now))
        guard live && bulk else {
            links[link].liveBytes = 0
            links[link].bulkBytes = 0
            return live ? .live : bulk ? .bulk : nil
        }
        let share = configuration.history.share
        return links[link].bulkBytes * (100 - share) <= links[link].liveBytes * share ? .bulk : .live
    }

    /// Takes the next instance of a lane for a link; it is in flight from now on.
    mutating func dequeue(_ link: LinkIndex, _ lane: Lane, at now: Instant) -> UInt32? {
        let row = Int(lane.rawValue)
        while true {
            let number = links[link].turns[row].first
            guard number >= 0 else { return nil }
            leaveTurn(number)
            guard queues[Int(number)].head >= 0 else { continue }
            let index = UInt32(queues[Int(number)].head)
            guard !instances[index].isExpired(at: now) else {
                expire(index, at: now)
                list(number)
                continue
            }
            guard !isReceipted(index) else {
                releaseReceipted(index)
                list(number)
                continue
            }
            guard !joinsHistory(index, number, at: now) else {
                list(number)
                continue
            }
            guard !instances[index].block.isNone else {
                fetchAhead(number)
                continue
            }
            guard !isPaced(index, number, at: now) else { continue }
            unlink(index)
            instances[index].state = .inFlight
            if lane == .bulk { links[link].bulkPacer?.pass(Int(instances[index].length), at: now) }
            list(number)
            return index
        }
    }

    /// Holds the queue where the flow of its head has sent what its rate allows.
    private mutating func isPaced(_ index: UInt32, _ number: Int32, at now: Instant) -> Bool {
        guard book.hasRates else { return false }
        let flow = instances[index].flow
        if let time = book.wait(flow, at: now) {
            hold(number, until: time)
            return true
        }
        book.pass(flow, Int(instances[index].length), at: now)
        return false
    }

    /// A frame of an instance was written; `isLast` where the session needs its bytes no more.
    mutating func written(_ index: UInt32, bytes: Int, isLast: Bool, on link: LinkIndex) {
        links[link].countSent(instances[index].isHistory ? .bulk : instances[index].lane, bytes)
        instances[index].isWriting = !isLast
        if isLast, instances[index].stored != 0, isMemoryShort { freeBlock(index) }
    }
}
