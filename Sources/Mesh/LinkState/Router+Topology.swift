import Envelope

extension Router {
    /// Everything known now; this relay's own part as it is, the others' as they last told.
    public func topology(at now: Instant) -> Topology {
        let own = ownAdvertisement(at: now)
        let views = ([View(advertisement: own, age: .zero, isUsed: true)] + othersViews(at: now))
            .sorted { $0.advertisement.origin < $1.advertisement.origin }
        return Topology(
            viewpoint: local, asOf: own.madeAt, relays: relays(in: views), links: Self.links(in: views),
            attachments: attachments(in: views),
            services: views.filter(\.isUsed).flatMap { view in
                view.advertisement.services.map {
                    .init(name: $0.name, provider: $0.provider, relay: view.advertisement.origin)
                }
            }.sorted { ($0.name, $0.provider, $0.relay) < ($1.name, $1.provider, $1.relay) })
    }

    private struct View {
        var advertisement: Advertisement
        var age: Duration
        var isUsed: Bool
    }

    private func othersViews(at now: Instant) -> [View] {
        database.entries.map { View(advertisement: $0.advertisement, age: $0.age(at: now), isUsed: $0.isUsed) }
    }

    private func relays(in views: [View]) -> [Topology.Relay] {
        let graph = makeGraph()
        let distances = graph.vertex(of: localID).map { graph.distances(from: $0) } ?? []
        var names = views.flatMap { [$0.advertisement.origin] + $0.advertisement.links.map(\.peer) }.sorted()
        names = names.indices.filter { $0 == 0 || names[$0] != names[$0 - 1] }.map { names[$0] }
        var next = views.startIndex
        return names.map { name in
            let view = next < views.endIndex && views[next].advertisement.origin == name ? views[next] : nil
            if view != nil { next += 1 }
            let id = identify(name.description)
            let distance = graph.vertex(of: id).map { distances[$0] }.flatMap {
                $0 == RelayGraph.unreachable ? nil : $0
            }
            return Topology.Relay(
                name: name, id: id, isLocal: name == local, isReachable: distance != nil, distance: distance,
                report: view.map(Self.report))
        }
    }

    private static func report(_ view: View) -> Topology.Report {
        let told = view.advertisement
        return Topology.Report(
            stamp: told.stamp, asOf: told.madeAt, age: view.age, softwareVersion: told.softwareVersion,
            listenPorts: told.listenPorts, holdings: told.holdings)
    }

    /// Both ends' lists merged: sorted by the pair, so that the two views of a link lie side by side.
    private static func links(in views: [View]) -> [Topology.Link] {
        var links: [Topology.Link] = []
        for view in views {
            let origin = view.advertisement.origin
            for link in view.advertisement.links {
                let end = Topology.End(
                    isUp: link.isUp, cost: link.cost, dials: link.dialledByOrigin, statistics: link.statistics,
                    asOf: view.advertisement.madeAt)
                let first = min(origin, link.peer)
                let second = max(origin, link.peer)
                links.append(
                    .init(
                        first: first, second: second, firstEnd: first == origin ? end : nil,
                        secondEnd: first == origin ? nil : end, isUsable: view.isUsed && link.isUp))
            }
        }
        links.sort { ($0.first, $0.second) < ($1.first, $1.second) }
        var merged: [Topology.Link] = []
        for link in links {
            if let last = merged.last, last.first == link.first, last.second == link.second {
                merged[merged.count - 1].firstEnd = last.firstEnd ?? link.firstEnd
                merged[merged.count - 1].secondEnd = last.secondEnd ?? link.secondEnd
                merged[merged.count - 1].isUsable = last.isUsable && link.isUsable
            } else {
                merged.append(link)
            }
        }
        for index in merged.indices where merged[index].firstEnd == nil || merged[index].secondEnd == nil {
            merged[index].isUsable = false
        }
        return merged
    }

    private func attachments(in views: [View]) -> [Topology.Attachment] {
        views.flatMap { view in
            view.advertisement.attached.map { node in
                Topology.Attachment(
                    node: node.node, id: identify(node.node.description), kind: node.kind,
                    relay: view.advertisement.origin, isUp: node.isUp && view.isUsed,
                    dialledByRelay: node.dialledByOrigin, statistics: node.statistics,
                    asOf: view.advertisement.madeAt)
            }
        }.sorted { ($0.node, $0.relay) < ($1.node, $1.relay) }
    }
}
