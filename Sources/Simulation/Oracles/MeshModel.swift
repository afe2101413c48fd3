import Envelope
import Mesh

/// What relays have told of the mesh, kept outside them.
///
/// Rules it holds them to: a relay never starts twice with one number while its disk keeps what it was told; what a
/// relay believes of another never gets older, nor other under one number; and once nothing changes any more, all
/// believe the same and every envelope has a way that ends at its destination.
final class MeshModel {
    private struct Relay {
        var boot: UInt64 = 0
        /// Rising by origin.
        var believed: [Advertisement] = []
    }

    /// By the host's index.
    private var relays: [Relay]
    private let disksForget: Bool
    /// When a relay started, or a link of one came up or went down, in true time.
    private(set) var lastChange = Instant.zero

    init(hosts: Int, disksForget: Bool) {
        relays = Array(repeating: Relay(), count: hosts)
        self.disksForget = disksForget
    }

    func started(as boot: UInt64, at host: Host) {
        if boot <= relays[host.index].boot, !disksForget {
            host.fail("a relay starts as number \(boot) after number \(relays[host.index].boot)")
        }
        relays[host.index] = Relay(boot: boot)
        linkChanged(host.world)
    }

    func linkChanged(_ world: World) { lastChange = world.now }

    /// A relay has heard something.
    func heard(_ now: [Advertisement], at host: Host) {
        let before = relays[host.index].believed
        var place = 0
        for advertisement in now {
            while place < before.count, before[place].origin < advertisement.origin { place += 1 }
            guard place < before.count, before[place].origin == advertisement.origin else { continue }
            let old = before[place]
            if advertisement.stamp < old.stamp {
                host.fail("what is known of \(old.origin) falls from \(old.stamp) to \(advertisement.stamp)")
            }
            if advertisement.stamp == old.stamp, advertisement != old {
                host.fail("what is known of \(old.origin) as \(old.stamp) changes")
            }
        }
        relays[host.index].believed = now
    }
}

// MARK: At rest

extension Simulation {
    /// Lets a settled mesh come to rest, all its links up and none changing, then looks at what its relays believe.
    func checkRoutes() {
        let end = world.now + .seconds(300)
        while world.violation == nil, !linksStand || world.now - mesh.lastChange < .seconds(15) {
            // An end that was not told finds out within its silence limit and dials again within seconds.
            if world.now > end { world.fail("links do not come up though nothing is in their way") }
            world.run(for: .seconds(5))
        }
        guard world.violation == nil else { return }
        let relays = world.hosts.compactMap { $0.program as? RelayProgram }
        for relay in relays { agree(relay, relays[0]) }
        let ids = relays.map { Identity.id(of: $0.host.name) }
        for agent in world.hosts where agent.kind == .agent {
            follow(to: Identity.id(of: agent.name), agent, relays, ids)
        }
    }

    /// At both ends.
    private var linksStand: Bool {
        world.hosts.allSatisfy { host in
            let links = (host.program as? RelayProgram)?.links ?? (host.program as? AgentProgram)?.links
            return scenario.topology.neighbours(of: host.name).allSatisfy { peer in
                links?.exchange.forwarder.isEstablished(Identity.id(of: peer)) ?? false
            }
        }
    }

    /// Two relays believe the same of all others: their links, and who is attached.
    private func agree(_ relay: RelayProgram, _ first: RelayProgram) {
        for advertisement in relay.believed {
            guard let same = first.believed.first(where: { $0.origin == advertisement.origin }) else { continue }
            let isEqual =
                same.links.elementsEqual(advertisement.links) {
                    ($0.peer, $0.isUp, $0.cost) == ($1.peer, $1.isUp, $1.cost)
                }
                && same.attached.elementsEqual(advertisement.attached) { ($0.node, $0.isUp) == ($1.node, $1.isUp) }
            if !isEqual {
                world.fail(
                    "\(relay.host.name) and \(first.host.name) do not believe the same of \(advertisement.origin)",
                    node: relay.host.index)
            }
        }
    }

    /// All ways towards an agent end there: none goes in a circle, none ends elsewhere.
    private func follow(to agent: NodeID, _ host: Host, _ relays: [RelayProgram], _ ids: [NodeID]) {
        enum Mark { case new, open, done }
        var marks = Array(repeating: Mark.new, count: relays.count)
        func visit(_ place: Int) {
            marks[place] = .open
            defer { marks[place] = .done }
            guard case .nextHops(let hops) = relays[place].route(to: agent) else {
                return world.fail(
                    "\(relays[place].host.name) knows no way to \(host.name)", node: relays[place].host.index)
            }
            for hop in hops where hop != agent {
                guard let next = ids.firstIndex(of: hop) else {
                    world.fail("a way to \(host.name) ends at a node that is no relay", node: relays[place].host.index)
                    continue
                }
                switch marks[next] {
                case .new: visit(next)
                case .open:
                    world.fail("a way to \(host.name) goes in a circle", node: relays[place].host.index)
                case .done: break
                }
            }
        }
        for place in relays.indices where marks[place] == .new { visit(place) }
    }
}
