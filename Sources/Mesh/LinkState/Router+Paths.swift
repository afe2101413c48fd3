import Envelope

// From the database to the routing table.
extension Router {
    /// News from elsewhere: computed at once after a quiet time, else once an interval, which doubles while news keep
    /// coming.
    mutating func schedulePaths(at now: Instant, into sink: inout some RouterSink) {
        if let last = lastPaths, now < last + pathInterval {
            pathsDue = min(pathsDue, last + pathInterval)
        } else {
            computeScheduledPaths(at: now, into: &sink)
        }
    }

    /// Only these raise the interval: own links, which count at once, come in bursts when a relay starts.
    mutating func computeScheduledPaths(at now: Instant, into sink: inout some RouterSink) {
        let sinceLast = lastPaths.map { now - $0 } ?? Limits.pathIntervalMost
        pathInterval =
            sinceLast < pathInterval * 2 ? min(pathInterval * 2, Limits.pathIntervalMost) : Limits.pathInterval
        computePaths(at: now, into: &sink)
    }

    mutating func computePaths(at now: Instant, into sink: inout some RouterSink) {
        if refreshPaths(at: now) { sink.routesChanged() }
    }

    /// Names of nodes that no relay tells of, such as those of a zone whose envelopes are carried here on a medium. They
    /// permit nothing and lead nowhere: flows that name zones can be checked with them. Kept until the process ends, up to
    /// ``Limits/taughtNames``; more are passed over.
    public mutating func learn(_ names: [NodeName], at now: Instant, into sink: inout some RouterSink) {
        var known = Set(taughtNames)
        for name in names where taughtNames.count < Limits.taughtNames && known.insert(name).inserted {
            taughtNames.append(name)
        }
        computePaths(at: now, into: &sink)
    }

    /// - Returns: true where a route or an answer of the directory is another now.
    mutating func refreshPaths(at now: Instant) -> Bool {
        lastPaths = now
        pathsDue = .never
        let directory = makeDirectory()
        let fresh = makeTable()
        guard directory != self.directory || fresh != table else { return false }
        if directory != self.directory {
            self.directory = directory
            directoryVersion += 1
        }
        table = fresh
        return true
    }

    private var usedEntries: [LinkStateDatabase.Entry] { database.entries.filter(\.isUsed) }

    private func makeTable() -> RoutingTable {
        RoutingTable(
            local: localID, graph: makeGraph(), known: knownRelays, attachments: makeAttachments(),
            services: makeServices())
    }

    /// This node's own links count as they are now, not as last advertised.
    func makeGraph() -> RelayGraph {
        let own = RelayGraph.Listing(
            relay: localID,
            links: adjacencies.filter { $0.isUp && $0.kind == .relay }.map { ($0.id, $0.cost) })
        let others = usedEntries.filter { $0.originID != localID }.map { entry in
            RelayGraph.Listing(
                relay: entry.originID,
                links: zip(entry.advertisement.links, entry.linkIDs).compactMap { link, id in
                    link.isUp ? (id, link.cost) : nil
                })
        }
        return RelayGraph([own] + others)
    }

    private var knownRelays: [NodeID] {
        adjacencies.filter { $0.kind == .relay }.map(\.id) + database.entries.flatMap { [$0.originID] + $0.linkIDs }
    }

    private func makeAttachments() -> [RoutingTable.Attachment] {
        let own = adjacencies.filter { $0.kind != .relay }.map {
            RoutingTable.Attachment(node: $0.id, relay: localID, isUp: $0.isUp)
        }
        let others = database.entries.flatMap { entry in
            zip(entry.advertisement.attached, entry.attachedIDs).map { node, id in
                RoutingTable.Attachment(node: id, relay: entry.originID, isUp: node.isUp)
            }
        }
        return own + others
    }

    private func makeServices() -> [RoutingTable.Service] {
        let own = ownOffers.map {
            RoutingTable.Service(
                service: identify($0.name.description), provider: identify($0.provider.description), relay: localID)
        }
        let others = usedEntries.flatMap { entry in
            entry.advertisement.services.filter(entry.advertisement.canServe).map {
                RoutingTable.Service(
                    service: identify($0.name.description), provider: identify($0.provider.description),
                    relay: entry.originID)
            }
        }
        return own + others
    }

    private func makeDirectory() -> Directory {
        var directory = Directory()
        directory.names.reserveCapacity(self.directory.names.count)
        for name in taughtNames { directory.names[identify(name.description)] = name }
        directory.names[localID] = local
        directory.relays = [localID]
        for link in adjacencies {
            directory.names[link.id] = link.name
            if link.kind == .relay { directory.relays.insert(link.id) }
        }
        for entry in database.entries {
            directory.names[entry.originID] = entry.advertisement.origin
            directory.relays.insert(entry.originID)
            for (link, id) in zip(entry.advertisement.links, entry.linkIDs) { directory.names[id] = link.peer }
            for (node, id) in zip(entry.advertisement.attached, entry.attachedIDs) { directory.names[id] = node.node }
        }
        for service in ownOffers + database.entries.flatMap(\.advertisement.services) {
            directory.offers.insert(
                .init(service: identify(service.name.description), provider: identify(service.provider.description)))
        }
        return directory
    }
}

extension Advertisement {
    /// The origin itself, or a node that is attached to it and up.
    fileprivate func canServe(_ service: Service) -> Bool {
        service.provider == origin || attached.contains { $0.node == service.provider && $0.isUp }
    }
}
