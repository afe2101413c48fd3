import Envelope
import TestSupport
import Testing

@testable import Mesh

/// A random directed listing: each pair may be listed by one end, both or none, with a cost each way.
private struct RandomMesh {
    let count: Int
    /// nil: not listed as up.
    var cost: [[UInt16?]]

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        count = Int.random(in: 1...9, using: &random)
        let most = [1, 3, 65535].randomElement(using: &random) ?? 1
        let density = Int.random(in: 20...90, using: &random)
        cost = Array(repeating: Array(repeating: nil, count: count), count: count)
        for from in 0..<count {
            for to in 0..<count where Int.random(in: 0..<100, using: &random) < density {
                cost[from][to] = UInt16.random(in: 1...UInt16(most), using: &random)
            }
        }
    }

    func id(_ vertex: Int) -> NodeID { toyID("zone-\(vertex)/relay") }

    func edge(_ from: Int, _ to: Int) -> Int? {
        guard from != to, cost[to][from] != nil else { return nil }
        return cost[from][to].map(Int.init)
    }

    var graph: RelayGraph {
        RelayGraph(
            (0..<count).map { from in
                RelayGraph.Listing(
                    relay: id(from), links: (0..<count).compactMap { to in cost[from][to].map { (id(to), $0) } })
            })
    }

    /// Floyd and Warshall's sums over all pairs.
    var distances: [[Int?]] {
        var best = (0..<count).map { from in (0..<count).map { to in from == to ? 0 : edge(from, to) } }
        for middle in 0..<count {
            for from in 0..<count {
                for to in 0..<count {
                    guard let first = best[from][middle], let second = best[middle][to] else { continue }
                    best[from][to] = min(best[from][to] ?? .max, first + second)
                }
            }
        }
        return best
    }

    func table(of vertex: Int) -> RoutingTable {
        RoutingTable(
            local: id(vertex), graph: graph, known: (0..<count).map(id), attachments: [], services: [])
    }
}

@Suite struct RelayGraphTests {
    @Test(arguments: UInt64(0)..<300) func distancesAreThoseOfBruteForce(_ seed: UInt64) throws {
        let mesh = RandomMesh(seed: seed)
        let graph = mesh.graph
        let expected = mesh.distances
        for from in 0..<mesh.count {
            let found = graph.distances(from: try #require(graph.vertex(of: mesh.id(from))))
            for to in 0..<mesh.count {
                let vertex = try #require(graph.vertex(of: mesh.id(to)))
                let distance = found[vertex] == RelayGraph.unreachable ? nil : Int(found[vertex])
                #expect(distance == expected[from][to])
            }
        }
    }

    /// The next hops are exactly the neighbours that are nearer, best first; ties by id.
    @Test(arguments: UInt64(0)..<300) func nextHopsAreThoseOfTheRule(_ seed: UInt64) {
        let mesh = RandomMesh(seed: seed)
        let distances = mesh.distances
        for from in 0..<mesh.count {
            let table = mesh.table(of: from)
            for to in 0..<mesh.count where to != from {
                guard let own = distances[from][to] else {
                    #expect(table.route(to: mesh.id(to)) == .unreachable)
                    continue
                }
                let nearer = (0..<mesh.count).compactMap { hop -> (Int, NodeID)? in
                    guard let cost = mesh.edge(from, hop), let rest = distances[hop][to], rest < own else { return nil }
                    return (cost + rest, mesh.id(hop))
                }.sorted { $0 < $1 }
                #expect(nearer.first?.0 == own)
                #expect(table.route(to: mesh.id(to)) == .nextHops(nearer.prefix(4).map(\.1)))
            }
            #expect(table.route(to: mesh.id(from)) == .local)
        }
    }

    @Test func anEdgeNeedsBothEnds() {
        let (a, b) = (toyID("a/r"), toyID("b/r"))
        let towards = RelayGraph.Listing(relay: a, links: [(b, 1)])
        let back = RelayGraph.Listing(relay: b, links: [(a, 2)])
        let silent = RelayGraph.Listing(relay: b, links: [])
        #expect(RelayGraph([towards, silent]).edges.allSatisfy { $0.isEmpty })
        #expect(RelayGraph([towards, back]).edges.map { $0.count } == [1, 1])
    }

    @Test func theOrderOfListingsDoesNotMatter() {
        let mesh = RandomMesh(seed: 11)
        let listings = (0..<mesh.count).map { from in
            RelayGraph.Listing(
                relay: mesh.id(from),
                links: (0..<mesh.count).compactMap { to in mesh.cost[from][to].map { (mesh.id(to), $0) } })
        }
        let backwards = RelayGraph(
            listings.reversed().map { .init(relay: $0.relay, links: $0.links.reversed()) })
        #expect(backwards.relays == mesh.graph.relays)
        #expect(backwards.edges == mesh.graph.edges)
    }
}
