import Envelope
import Link

extension Forwarder {
    /// The place of a neighbour; made when it is first met, kept for good.
    public mutating func link(to peer: NodeID) -> LinkIndex {
        if let index = linkIndex[peer] { return index }
        links.append(LinkSlot(peer: peer))
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
        links[link].isDirty = true
        reroute()
    }

    /// The session is gone: what it had under way goes back to the front of its queues, in order.
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
        for number in links[link].sendable.indices {
            for queue in links[link].sendable[number].removeAll() { queues[Int(queue)].isListed = false }
        }
        for item in underWay.reversed() {
            if instances[item.token].isFinished {
                instances[item.token].state = .queued
                remove(item.token)
            } else {
                counters.retransmitted += 1
                requeue(item.token)
            }
        }
        reroute()
        storeStranded(underWay, at: now)
    }

    /// What has no way on must be durable soon: its upstream waits for our word.
    private mutating func storeStranded(_ underWay: [(transmission: UInt64, token: UInt32)], at now: Instant) {
        guard configuration.hasStore else { return }
        for item in underWay {
            let instance = instances[item.token]
            guard instance.state == .queued, instance.queue >= 0, instance.creditor.link >= 0 else { continue }
            let destination = Int(instance.queue) / Destination.queuesEach
            if destinations[destination].nextHop < 0 { requestStore(item.token, at: now) }
        }
    }

    /// New routes: queues move to their new next hops, and what ran out of hops gets another try.
    public mutating func setRoutes(_ routes: RouteTable) {
        self.routes = routes
        reroute()
        for destination in destinations.indices { unpark(Int32(destination)) }
    }

    private mutating func reroute() {
        for index in destinations.indices {
            let best = bestLink(to: destinations[index].node)
            guard best != destinations[index].nextHop else {
                relist(index)
                continue
            }
            destinations[index].nextHop = best
            // A queue that stands in the old hop's turn is found empty-handed there: it is listed anew here.
            for lane in Lane.allCases {
                queues[index * Destination.queuesEach + Int(lane.rawValue)].isListed = false
            }
            relist(index)
        }
    }

    private mutating func relist(_ destination: Int) {
        for lane in Lane.allCases { list(Int32(destination * Destination.queuesEach + Int(lane.rawValue))) }
    }

    private mutating func unpark(_ destination: Int32) {
        let parked = Int(destination) * Destination.queuesEach + Destination.parkedQueue
        while queues[parked].head >= 0 {
            let index = UInt32(queues[parked].head)
            instances.unlink(index, from: &queues[parked])
            instances[index].hopLimit = Limits.hops
            enqueue(index, destination, atFront: false)
        }
    }
}
