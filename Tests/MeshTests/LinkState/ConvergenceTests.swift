import Envelope
import TestSupport
import Testing

@testable import Mesh

/// Networks of routers under cuts, loss, reordering and restarts.
@Suite struct ConvergenceTests {
    @Test(arguments: UInt64(1)...12) func databasesAreEqualAfterAHealAndPathsAreShortest(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &* 977)
        var network = ToyNetwork(relayCount: Int.random(in: 2...9, using: &random), extraWires: 6, seed: seed)
        attachAgents(&network)
        network.raiseAll()
        network.lossPercent = Int.random(in: 0...30, using: &random)
        for _ in 0..<25 {
            let wire = Int.random(in: network.wires.indices, using: &random)
            if network.wires[wire].isUp { network.cut(wire) } else { network.raise(wire) }
            try network.run(for: .milliseconds(Int64.random(in: 1...1500, using: &random)))
        }
        network.lossPercent = 0
        network.raiseAll()
        try network.run(for: .seconds(25))
        expectAgreement(network)
        expectLoopFreedom(network)
        #expect(network.alarms.isEmpty)
    }

    @Test(arguments: UInt64(1)...8) func partsOfACutNetworkAgreeAmongThemselves(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &* 31)
        var network = ToyNetwork(relayCount: 8, extraWires: 4, seed: seed)
        attachAgents(&network)
        network.raiseAll()
        try network.run(for: .seconds(3))
        for wire in network.wires.indices where Bool.random(using: &random) { network.cut(wire) }
        try network.run(for: .seconds(6))
        expectLoopFreedom(network)
        let distances = trueDistances(network)
        for from in network.routers.indices {
            for to in network.routers.indices where from != to {
                let route = network.routers[from].route(to: toyID("zone-\(to)/agent"))
                #expect((route == .unreachable) == (distances[from][to] == nil))
            }
        }
    }

    @Test func withoutLossAChangeIsKnownEverywhereWithinTheInterval() throws {
        var network = ToyNetwork(
            relays: (0..<6).map { "zone-\($0)/relay" }, wires: (0..<5).map { ($0, $0 + 1, 1) })
        attachAgents(&network)
        network.raiseAll()
        try network.run(for: .seconds(20))
        network.cut(4)
        try network.run(for: .milliseconds(300))
        #expect(network.routers[0].route(to: toyID("zone-5/agent")) == .unreachable)
        network.raise(4)
        try network.run(for: .milliseconds(1500))
        #expect(network.routers[0].route(to: toyID("zone-5/agent")) == .nextHops([toyID("zone-1/relay")]))
    }

    @Test(arguments: [1, 2, 5] as [UInt64]) func aRestartedRelayIsBelievedWhateverItsBootNumber(_ boot: UInt64) throws {
        var network = ToyNetwork(relays: ["a/r", "b/r", "c/r"], wires: [(0, 1, 1), (1, 2, 1)])
        network.routers[2] = toyRouter("c/r", boot: 2)
        network.raiseAll()
        network.act(2) {
            $0.linkUp(peer: node("c/old"), kind: .agent, cost: 1, dialledByUs: false, at: $1, into: &$2)
        }
        try network.run(for: .seconds(60))
        #expect(network.routers[0].route(to: toyID("c/old")) == .nextHops([toyID("b/r")]))
        network.restart(2, boot: boot)
        network.act(2) {
            $0.linkUp(peer: node("c/new"), kind: .agent, cost: 1, dialledByUs: false, at: $1, into: &$2)
        }
        try network.run(for: .seconds(5))
        #expect(network.routers[0].route(to: toyID("c/new")) == .nextHops([toyID("b/r")]))
        #expect(network.routers[0].route(to: toyID("c/old")) == .unknown)
        let isAlarmed = network.alarms.contains { if case .ownHigherAdvertisement = $0 { true } else { false } }
        #expect(isAlarmed == (boot <= 2))
        expectAgreement(network)
    }

    @Test func whatWasSaidBeforeIsNotBelievedAgain() throws {
        var network = ToyNetwork(relays: ["a/r", "b/r", "c/r"], wires: [(0, 1, 1), (1, 2, 1)])
        network.raiseAll()
        try network.run(for: .seconds(1))
        let old = try #require(network.routers[1].database[node("c/r")]?.signed)
        network.cut(1)
        try network.run(for: .seconds(1))
        #expect(network.routers[0].route(to: toyID("c/r")) == .unreachable)
        let replay = LinkStateMessage.advertisements([old]).encoded()
        for (router, from) in [(0, "b/r"), (1, "a/r")] {
            network.act(router) { machine, now, sink in
                #expect(throws: Never.self) { try machine.receive(replay, from: node(from), at: now, into: &sink) }
            }
        }
        // C's own last word may be replayed for good; the link still has one end only.
        #expect(network.routers[0].route(to: toyID("c/r")) == .unreachable)
        network.raise(1)
        try network.run(for: .seconds(2))
        network.act(0) { machine, now, sink in
            #expect(throws: Never.self) { try machine.receive(replay, from: node("b/r"), at: now, into: &sink) }
        }
        #expect(network.routers[0].route(to: toyID("c/r")) == .nextHops([toyID("b/r")]))
        #expect(network.alarms.isEmpty)
    }

    @Test func aDeadRelayIsForgottenByAllAndDoesNotComeBackBetweenThem() throws {
        var network = ToyNetwork(relays: ["a/r", "b/r", "c/r"], wires: [(0, 1, 1), (1, 2, 1)])
        network.raiseAll()
        try network.run(for: .seconds(30))
        network.cut(1)
        try network.run(for: .seconds(7300))
        for router in [0, 1] {
            #expect(network.routers[router].database[node("c/r")] == nil)
            #expect(network.routers[router].route(to: toyID("c/r")) == .unknown)
        }
        #expect(network.routers[0].route(to: toyID("b/r")) == .nextHops([toyID("b/r")]))
    }

    @Test func theSameSeedDoesTheSame() throws {
        func run() throws -> ([Topology], Int) {
            var network = ToyNetwork(relayCount: 6, extraWires: 4, seed: 42)
            network.lossPercent = 20
            network.raiseAll()
            try network.run(for: .seconds(10))
            network.cut(0)
            try network.run(for: .seconds(10))
            return (network.routers.map { $0.topology(at: network.now) }, network.messageCount)
        }
        let (first, second) = (try run(), try run())
        #expect(first.0 == second.0)
        #expect(first.1 == second.1)
    }

    // MARK: Oracles

    private func attachAgents(_ network: inout ToyNetwork) {
        for index in network.routers.indices {
            network.act(index) {
                $0.linkUp(
                    peer: node("zone-\(index)/agent"), kind: .agent, cost: 1, dialledByUs: false, at: $1, into: &$2)
            }
        }
    }

    private func expectAgreement(_ network: ToyNetwork) {
        let distances = trueDistances(network)
        for (index, router) in network.routers.enumerated() {
            for (other, told) in network.routers.enumerated() where other != index && distances[index][other] != nil {
                let held = router.database[told.local]?.advertisement
                // The last refresh may be under way; what routes depend on is not.
                #expect(held?.stamp.boot == told.boot)
                #expect((held?.stamp.sequence ?? 0) + 1 >= told.sequence)
                #expect(held?.links.map(\.isUp) == told.adjacencies.filter { $0.kind == .relay }.map(\.isUp))
                #expect(router.route(to: told.localID) != .unknown)
                let found = router.topology(at: network.now).relays.first { $0.name == told.local }?.distance
                #expect(found.map(Int.init) == distances[index][other])
            }
        }
    }

    /// Every hop over any of the next hops brings an envelope nearer, so that no choice can be a circle.
    private func expectLoopFreedom(_ network: ToyNetwork) {
        let distances = trueDistances(network)
        for destination in network.routers.indices {
            for (index, router) in network.routers.enumerated() where index != destination {
                for target in ["zone-\(destination)/agent", network.names[destination].description] {
                    guard case .nextHops(let hops) = router.route(to: toyID(target)) else { continue }
                    for hop in hops {
                        let next = network.routers.firstIndex { $0.localID == hop }
                        let rest = next.flatMap { distances[$0][destination] } ?? .max
                        #expect(rest < distances[index][destination] ?? .max)
                    }
                }
            }
        }
    }

    private func trueDistances(_ network: ToyNetwork) -> [[Int?]] {
        let count = network.routers.count
        var best: [[Int?]] = (0..<count).map { from in (0..<count).map { $0 == from ? 0 : nil } }
        for wire in network.wires where wire.isUp {
            best[wire.first][wire.second] = Int(wire.cost)
            best[wire.second][wire.first] = Int(wire.cost)
        }
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
}
