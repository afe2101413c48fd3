import Envelope
import Testing

@testable import Mesh

@Suite struct TopologyTests {
    @Test func bothEndsOfALinkStandInOneLine() throws {
        var network = ToyNetwork(
            relays: ["plant-a/relay", "dmz/relay", "plant-b/relay"], wires: [(0, 1, 10), (2, 1, 20)])
        network.raiseAll()
        network.act(0) {
            $0.linkUp(peer: node("plant-a/press"), kind: .agent, cost: 1, dialledByUs: false, at: $1, into: &$2)
        }
        network.act(1) { router, _, _ in
            router.updateStatistics(
                peer: node("plant-b/relay"),
                .init(roundTrip: .milliseconds(7), bytesQueued: 9, envelopesQueued: 2, oldestAge: .seconds(3)))
        }
        try network.run(for: .seconds(12))
        let topology = network.routers[0].topology(at: network.now)
        #expect(topology.viewpoint == node("plant-a/relay"))
        #expect(topology.relays.map(\.name) == [node("dmz/relay"), node("plant-a/relay"), node("plant-b/relay")])
        #expect(topology.relays.map(\.distance) == [10, 0, 30])
        #expect(topology.relays.map(\.isLocal) == [false, true, false])
        #expect(topology.relays.allSatisfy { ($0.report?.age ?? .seconds(99)) < .seconds(6) })
        #expect(topology.links.map(\.first) == [node("dmz/relay"), node("dmz/relay")])
        #expect(topology.links.map(\.second) == [node("plant-a/relay"), node("plant-b/relay")])
        #expect(topology.links.map(\.diallers) == [[node("plant-a/relay")], [node("plant-b/relay")]])
        #expect(topology.links.allSatisfy { $0.isUsable && $0.firstEnd?.isUp == true && $0.secondEnd?.isUp == true })
        #expect(topology.links[1].firstEnd?.statistics.bytesQueued == 9)
        #expect(topology.links[1].firstEnd?.statistics.roundTrip == .milliseconds(7))
        #expect(topology.links[1].secondEnd?.statistics == .init())
        #expect(topology.attachments.map(\.node) == [node("plant-a/press")])
        #expect(topology.attachments.map(\.relay) == [node("plant-a/relay")])
    }

    @Test func aCutLinkIsShownAsEachEndSeesIt() throws {
        var network = ToyNetwork(relays: ["a/r", "b/r", "c/r"], wires: [(0, 1, 1), (1, 2, 1)])
        network.raiseAll()
        try network.run(for: .seconds(1))
        network.cut(1)
        try network.run(for: .seconds(1))
        let topology = network.routers[0].topology(at: network.now)
        #expect(topology.relays.map(\.isReachable) == [true, true, false])
        #expect(topology.links.map(\.isUsable) == [true, false])
        #expect(topology.links[1].firstEnd?.isUp == false)
        // C cannot tell A any more.
        #expect(topology.links[1].secondEnd?.isUp == true)
    }

    @Test func aRelayThatOnlyOthersNameHasNoReport() {
        var router = toyRouter("a/r")
        var sink = ToySink()
        router.linkUp(peer: node("b/r"), kind: .relay, cost: 3, dialledByUs: true, at: .zero, into: &sink)
        router.linkUp(peer: node("a/m"), kind: .manager, cost: 3, dialledByUs: false, at: .zero, into: &sink)
        let topology = router.topology(at: seconds(2))
        #expect(topology.asOf == WallTime(milliseconds: 1_700_000_002_000))
        #expect(topology.relays.map(\.name) == [node("a/r"), node("b/r")])
        #expect(topology.relays.map { $0.report == nil } == [false, true])
        #expect(topology.links.map { $0.secondEnd == nil } == [true])
        #expect(topology.links.map(\.isUsable) == [false])
        #expect(topology.services == [.init(name: .manager, provider: node("a/m"), relay: node("a/r"))])
    }
}
