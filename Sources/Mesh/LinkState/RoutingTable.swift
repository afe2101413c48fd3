import Envelope

/// The route of every known destination, made anew at each change and only looked up in between.
struct RoutingTable: Equatable, Sendable {
    private var routes: [NodeID: Route] = [:]

    init() {}

    func route(to destination: NodeID) -> Route { routes[destination] ?? .unknown }

    /// A destination that is reached through relays: where it is attached, and whether it is there.
    struct Attachment: Sendable {
        var node: NodeID
        var relay: NodeID
        var isUp: Bool
    }

    struct Service: Sendable {
        var service: NodeID
        var provider: NodeID
        var relay: NodeID
    }

    /// - Parameters:
    ///   - known: relays that are known, also those not in the graph.
    ///   - attachments: in any order.
    ///   - services: of providers that are up, in any order.
    init(
        local: NodeID, graph: RelayGraph, known: [NodeID], attachments: [Attachment], services: [Service]
    ) {
        guard let paths = Paths(local: local, graph: graph) else { return }
        routes.reserveCapacity(1 + known.count + attachments.count)
        routes[local] = .local
        for relay in known where routes[relay] == nil {
            routes[relay] = paths.route(to: [relay])
        }
        let ordered = attachments.sorted { ($0.node, $0.relay) < ($1.node, $1.relay) }
        for group in ordered.chunked(by: \.node) where routes[group[0].node] == nil {
            let relays = group.filter(\.isUp).map(\.relay)
            routes[group[0].node] =
                if relays.contains(local) {
                    .nextHops([group[0].node])
                } else if relays.count == 1, let shared = routes[relays[0]] {
                    shared
                } else {
                    paths.route(to: relays)
                }
        }
        let offers = services.sorted { ($0.service, $0.provider, $0.relay) < ($1.service, $1.provider, $1.relay) }
        for group in offers.chunked(by: \.service) where routes[group[0].service] == nil {
            routes[group[0].service] = Self.route(local: local, paths: paths, offers: group)
        }
    }

    private static func route(local: NodeID, paths: Paths, offers: [Service]) -> Route {
        let here = offers.filter { $0.relay == local }
        if here.contains(where: { $0.provider == local }) { return .local }
        if !here.isEmpty { return .nextHops(Array(here.map(\.provider).prefix(1 + Limits.alternates))) }
        return paths.route(to: offers.map(\.relay))
    }
}

/// Distances from this node and from each neighbour.
private struct Paths {
    private struct Neighbour {
        var id: NodeID
        var cost: UInt32
        var distances: [UInt32]
    }

    private let graph: RelayGraph
    private let own: [UInt32]
    private let neighbours: [Neighbour]
    private let local: NodeID

    init?(local: NodeID, graph: RelayGraph) {
        guard let start = graph.vertex(of: local) else { return nil }
        self.local = local
        self.graph = graph
        own = graph.distances(from: start)
        neighbours = graph.edges[start].map { edge in
            Neighbour(id: graph.relays[edge.target], cost: edge.cost, distances: graph.distances(from: edge.target))
        }
    }

    /// Towards whichever of `relays` is nearest. A neighbour qualifies where it is nearer than this node is (the
    /// downstream criterion of RFC 5286, section 1.1); the best neighbour always is, since a cost is at least 1.
    func route(to relays: [NodeID]) -> Route {
        let targets = relays.compactMap { graph.vertex(of: $0) }
        guard let distance = targets.map({ own[$0] }).min(), distance != RelayGraph.unreachable else {
            return .unreachable
        }
        guard distance > 0 else { return .local }
        var candidates: [(total: UInt32, id: NodeID)] = []
        for neighbour in neighbours {
            guard let rest = targets.map({ neighbour.distances[$0] }).min(), rest < distance else { continue }
            candidates.append((neighbour.cost + rest, neighbour.id))
        }
        candidates.sort { ($0.total, $0.id) < ($1.total, $1.id) }
        return .nextHops(candidates.prefix(1 + Limits.alternates).map(\.id))
    }
}

extension Array {
    /// Runs of neighbours that agree in one property; none is empty.
    fileprivate func chunked(by property: KeyPath<Element, NodeID>) -> [[Element]] {
        var chunks: [[Element]] = []
        var start = 0
        for index in indices where index > start && self[index][keyPath: property] != self[start][keyPath: property] {
            chunks.append(Array(self[start..<index]))
            start = index
        }
        if start < count { chunks.append(Array(self[start...])) }
        return chunks
    }
}
