import Envelope

/// The relays in use and the edges that both their ends list as up. Vertices are numbered by rising node id, so that
/// every relay with the same view makes the same graph.
struct RelayGraph: Sendable {
    struct Edge: Equatable, Sendable {
        var target: Int
        var cost: UInt32
    }

    /// What one relay lists as up; `cost` is that of sending to `peer`.
    struct Listing: Sendable {
        var relay: NodeID
        var links: [(peer: NodeID, cost: UInt16)]
    }

    static let unreachable = UInt32.max

    /// Rising.
    let relays: [NodeID]
    /// By vertex, rising by target.
    let edges: [[Edge]]

    init(_ listings: [Listing]) {
        let sorted = listings.sorted { $0.relay < $1.relay }
        relays = sorted.map(\.relay)
        let known = relays
        let listed = sorted.map { listing in
            listing.links.compactMap { link in
                Self.position(of: link.peer, in: known).map { Edge(target: $0, cost: UInt32(link.cost)) }
            }.sorted { $0.target < $1.target }
        }
        edges = listed.indices.map { vertex in
            listed[vertex].filter { edge in
                edge.target != vertex && Self.lists(listed[edge.target], vertex)
            }
        }
    }

    func vertex(of relay: NodeID) -> Int? { Self.position(of: relay, in: relays) }

    private static func lists(_ edges: [Edge], _ vertex: Int) -> Bool {
        var low = 0
        var high = edges.count
        while low < high {
            let middle = (low + high) / 2
            if edges[middle].target < vertex { low = middle + 1 } else { high = middle }
        }
        return low < edges.count && edges[low].target == vertex
    }

    private static func position(of relay: NodeID, in relays: [NodeID]) -> Int? {
        var low = 0
        var high = relays.count
        while low < high {
            let middle = (low + high) / 2
            if relays[middle] < relay { low = middle + 1 } else { high = middle }
        }
        return low < relays.count && relays[low] == relay ? low : nil
    }

    /// Cost of the cheapest path from a vertex to each, ``unreachable`` where there is none (Dijkstra 1959, without a
    /// heap: meshes have tens of relays). Costs fit: at most ``Limits/meshRelays`` hops of 16 bits each.
    func distances(from start: Int) -> [UInt32] {
        var distances = [UInt32](repeating: Self.unreachable, count: relays.count)
        var settled = [Bool](repeating: false, count: relays.count)
        distances[start] = 0
        while true {
            var nearest: Int?
            for vertex in relays.indices where !settled[vertex] && distances[vertex] != Self.unreachable {
                if nearest.map({ distances[vertex] < distances[$0] }) ?? true { nearest = vertex }
            }
            guard let vertex = nearest else { return distances }
            settled[vertex] = true
            for edge in edges[vertex] {
                distances[edge.target] = min(distances[edge.target], distances[vertex] + edge.cost)
            }
        }
    }
}
