import Envelope

// What the shell tells of this node's own links.
extension Router {
    /// A session with `peer` stands. Also for a session that replaced another, or after a change of its cost.
    /// - Parameters:
    ///   - cost: of sending to the peer; 0 counts as 1.
    ///   - dialledByUs: true where this end opened the connection.
    public mutating func linkUp(
        peer: NodeName, kind: NodeKind, cost: UInt16, dialledByUs: Bool, at now: Instant,
        into sink: inout some RouterSink
    ) {
        guard peer != local else { return }
        var adjacency =
            self.adjacency(of: peer)
            ?? Adjacency(
                name: peer, id: identify(peer.description), kind: kind, cost: 1, dialledByUs: dialledByUs, isUp: false,
                changedAt: now)
        let before = adjacency
        adjacency.kind = kind
        adjacency.cost = max(cost, 1)
        adjacency.dialledByUs = dialledByUs
        adjacency.isUp = true
        if !before.isUp { adjacency.changedAt = now }
        guard store(adjacency) else { return sink.alarm(.tooManyLinks(refused: peer)) }
        if adjacency != before { linksChanged(kind, at: now, into: &sink) }
        guard kind == .relay else { return }
        if digestDue == .never { digestDue = now + Limits.digestInterval }
        sink.send(digest(at: now), to: peer)
    }

    /// The session with `peer` is gone. The link is listed as down for ``Limits/advertisementKeep``.
    public mutating func linkDown(peer: NodeName, at now: Instant, into sink: inout some RouterSink) {
        guard let index = index(of: peer), adjacencies[index].isUp else { return }
        adjacencies[index].isUp = false
        adjacencies[index].changedAt = now
        adjacencies[index].statistics.roundTrip = .zero
        linksChanged(adjacencies[index].kind, at: now, into: &sink)
    }

    /// The link was taken out of the configuration: it is not listed any more.
    public mutating func forgetLink(peer: NodeName, at now: Instant, into sink: inout some RouterSink) {
        guard let index = index(of: peer) else { return }
        let kind = adjacencies.remove(at: index).kind
        linksChanged(kind, at: now, into: &sink)
    }

    /// Takes effect with the next advertisement, ``Limits/advertisementRefresh`` away at most. Unknown peers: ignored.
    public mutating func updateStatistics(peer: NodeName, _ statistics: Advertisement.Statistics) {
        guard let index = index(of: peer) else { return }
        adjacencies[index].statistics = statistics
    }

    /// Takes effect with the next advertisement.
    public mutating func updateHoldings(_ holdings: Advertisement.Holdings) { self.holdings = holdings }

    /// What this relay tells of itself besides its links; cut to what an advertisement takes, and to printable ASCII.
    public mutating func describeSelf(
        softwareVersion: String, listenPorts: [UInt16], at now: Instant, into sink: inout some RouterSink
    ) {
        let printable = softwareVersion.utf8.filter { (0x20...0x7E).contains($0) }
        self.softwareVersion = String(decoding: printable.prefix(Limits.softwareVersionBytes), as: UTF8.self)
        self.listenPorts = Array(listenPorts.prefix(Limits.advertisedPorts))
        scheduleAdvertisement(at: now, into: &sink)
    }

    /// Anycast names that this very process serves. Those of attached managers are listed without being told.
    public mutating func offer(_ services: [ServiceName], at now: Instant, into sink: inout some RouterSink) {
        ownServices = services
        linksChanged(.relay, at: now, into: &sink)
    }

    /// Sets the time of day that advertisements carry; call it now and then, so that it follows the clock's steps.
    public mutating func setWallTime(_ wall: WallTime, at now: Instant) {
        self.wall = wall
        wallSetAt = now
    }

    /// A change of the own relay links takes effect at once: paths must not lead over a link that is gone. Attached
    /// nodes come and go by the thousand (after a restart, say), so their changes are taken together.
    private mutating func linksChanged(_ kind: NodeKind, at now: Instant, into sink: inout some RouterSink) {
        if kind == .relay { computePaths(at: now, into: &sink) } else { schedulePaths(at: now, into: &sink) }
        scheduleAdvertisement(at: now, into: &sink)
    }
}

extension Router {
    func adjacency(of peer: NodeName) -> Adjacency? { index(of: peer).map { adjacencies[$0] } }

    private func index(of peer: NodeName) -> Int? {
        let index = position(of: peer)
        return index < adjacencies.count && adjacencies[index].name == peer ? index : nil
    }

    private func position(of peer: NodeName) -> Int {
        var low = 0
        var high = adjacencies.count
        while low < high {
            let middle = (low + high) / 2
            if adjacencies[middle].name < peer { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Where the list is full, the link that has been down for longest makes room.
    private mutating func store(_ adjacency: Adjacency) -> Bool {
        if let index = index(of: adjacency.name) {
            adjacencies[index] = adjacency
            return true
        }
        if adjacencies.count >= Limits.advertisedLinks {
            let down = adjacencies.indices.filter { !adjacencies[$0].isUp }
            guard let oldest = down.min(by: { adjacencies[$0].changedAt < adjacencies[$1].changedAt }) else {
                return false
            }
            adjacencies.remove(at: oldest)
        }
        adjacencies.insert(adjacency, at: position(of: adjacency.name))
        return true
    }

    var nextForgottenLink: Instant {
        // By index: it is asked after every event, and copying links would be most of what that costs.
        var soonest = Instant.never
        for index in adjacencies.indices where !adjacencies[index].isUp {
            soonest = min(soonest, adjacencies[index].changedAt + Limits.advertisementKeep)
        }
        return soonest
    }

    /// - Returns: true where a link was forgotten.
    mutating func forgetOldLinks(at now: Instant) -> Bool {
        let count = adjacencies.count
        adjacencies.removeAll { !$0.isUp && now - $0.changedAt >= Limits.advertisementKeep }
        return adjacencies.count != count
    }
}
