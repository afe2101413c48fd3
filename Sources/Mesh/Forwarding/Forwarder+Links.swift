import Envelope
import Link

extension Forwarder {
    /// The place of a neighbour; made when it is first met, kept for good.
    public mutating func link(to peer: NodeID) -> LinkIndex {
        if let index = linkIndex[peer] { return index }
        links.append(LinkSlot(peer: peer, bulkRate: configuration.history.bytesPerSecond))
        linkIndex[peer] = links.count - 1
        return links.count - 1
    }

    public func linkNumber(of peer: NodeID) -> LinkIndex? { linkIndex[peer] }

    /// Whether a session with this neighbour stands.
    public func isEstablished(_ peer: NodeID) -> Bool { linkIndex[peer].map { links[$0].isUp } ?? false }

    /// The resumption part of the hello for a new session with this neighbour.
    func resumption(_ link: LinkIndex) -> (session: Bytes16, safe: RangeSet) { links[link].ledger.resumption }

    /// A session with the neighbour stands.
    ///
    /// - Parameters:
    ///   - hello: what the neighbour said; what it calls safe of our last session is released here.
    ///   - outbound: our name for the numbering of what we send in this session.
    mutating func linkUp(_ link: LinkIndex, hello: Hello, outbound: Bytes16, at now: Instant) {
        let orphans = links[link].orphans
        links[link].orphans = []
        if hello.resumes == links[link].orphanSession, !hello.safe.isEmpty {
            for orphan in orphans where hello.safe.contains(orphan.transmission) { confirmedLate(orphan.instance) }
        }
        links[link].ledger.sessionBegan(hello.session)
        links[link].outboundSession = outbound
        links[link].isUp = true
        markDirty(link)
        reroute()
    }

    /// The session is gone: what it had under way goes back to its places in its queues.
    mutating func linkDown(
        _ link: LinkIndex, underWay: [(transmission: UInt64, token: UInt32)], at now: Instant
    ) {
        links[link].isUp = false
        links[link].ledger.sessionEnded()
        links[link].orphanSession = links[link].outboundSession
        links[link].orphans = underWay.compactMap { item in
            instances[item.token].isFinished
                ? nil : LinkSlot.Orphan(transmission: item.transmission, instance: instances.id(item.token))
        }
        reroute()
        for item in underWay.reversed() {
            if instances[item.token].isFinished {
                instances[item.token].isWriting = false
                remove(item.token)
            } else {
                counters.retransmitted += 1
                requeue(item.token)
                leaveToStore(item.token)
            }
        }
    }

    /// What came back and has no way on must be durable soon: its upstream waits for our word.
    private mutating func leaveToStore(_ index: UInt32) {
        guard isStuck(instances[index].queue) else { return }
        if instances[index].stored != 0 { freeBlock(index) } else { requestStore(index) }
    }

    /// New routes: queues move to their new next hops, and what was parked gets another try.
    public mutating func setRoutes(_ routes: RouteTable) {
        self.routes = routes
        reroute()
        for destination in destinations.indices where destinations[destination].waiting > 0 {
            unpark(Int32(destination), withHopsOnly: false)
        }
    }

    /// Routes or links have changed: queues that hold something move now, the others when they are next used.
    private mutating func reroute() {
        routeVersion += 1
        for index in destinations.indices where destinations[index].waiting > 0 { refreshRoute(Int32(index)) }
    }

    /// Brings the next hop of a destination up to date.
    mutating func refreshRoute(_ index: Int32) {
        let destination = destinations[Int(index)]
        guard destination.routeVersion != routeVersion else { return }
        let best = bestLink(to: destination.node)
        destinations[Int(index)].routeVersion = routeVersion
        guard best != destination.nextHop else { return }
        destinations[Int(index)].nextHop = best
        for lane in Lane.allCases {
            let number = index * Int32(Destination.queuesEach) + Int32(lane.rawValue)
            leaveTurn(number)
            // The word of another neighbour says nothing about this one.
            queues[Int(number)].heldUntil = .zero
            if best < 0 { dropDurableBytes(number) }
            list(number)
        }
    }

    func bestLink(to node: NodeID) -> Int32 {
        for hop in routes.nextHops(to: node) {
            if let link = linkIndex[hop], links[link].isUp { return Int32(link) }
        }
        return -1
    }

    /// Gives what has used up its hops another round where there is a way.
    mutating func retryHops() {
        for index in destinations.indices where destinations[index].nextHop >= 0 {
            let parked = index * Destination.queuesEach + Destination.parkedQueue
            guard !queues[parked].isEmpty, queues[parked].heldUntil == .zero else { continue }
            unpark(Int32(index), withHopsOnly: false)
        }
    }

    /// Moves what is parked back into its lanes.
    /// - Parameter withHopsOnly: leaves what has used up its hops until routes change.
    mutating func unpark(_ destination: Int32, withHopsOnly: Bool) {
        var place = queues[Int(destination) * Destination.queuesEach + Destination.parkedQueue].head
        while place >= 0 {
            let index = UInt32(place)
            place = instances[index].next
            if instances[index].hopLimit == 0 {
                guard !withHopsOnly else { continue }
                instances[index].hopLimit = Limits.hops
            }
            unlink(index)
            enqueue(index, destination, .back)
        }
    }
}
