import AgentCore
import Envelope
import Keyring
import Mesh

/// How the relays of a scenario are configured; drawn from its seed.
struct RelaySettings: Equatable, Sendable {
    var durability = Durability.cutThrough
    var memoryBytes = 1 << 20
    var segmentBytes = 256 << 10
    var storeBytes = 8 << 20
    var history = HistoryPacing()
    /// Of the flow from each zone.
    var flowQuota = Quota.none
    var flowRate: UInt64?
    var sourceQuota = Quota.none
    /// Some relay may lose what its disk has been told to keep.
    var disksForget: Bool

    init(disksForget: Bool) { self.disksForget = disksForget }

    init(_ random: inout SeededRandom, disksForget: Bool) {
        self.disksForget = disksForget
        durability = random.chance(0.25) ? .storeFirst : .cutThrough
        memoryBytes = [16 << 10, 128 << 10, 1 << 20][random.below(3)]
        segmentBytes = [128 << 10, 512 << 10][random.below(2)]
        history = HistoryPacing(
            after: .seconds([1, 10, 60][random.below(3)]), share: random.number(in: 1...50),
            bytesPerSecond: random.chance(0.25) ? UInt64(random.number(in: 100_000...2_000_000)) : nil)
        // Fullness is answered with a second's wait each time, so that quotas are not much smaller than the load.
        if random.chance(0.25) {
            flowQuota = Quota(bytes: random.number(in: 1_000_000...4_000_000), envelopes: random.number(in: 100...500))
            sourceQuota = Quota(envelopes: random.number(in: 100...500), age: .seconds(random.number(in: 30...600)))
        }
        if random.chance(0.25) { flowRate = UInt64(random.number(in: 100_000...2_000_000)) }
    }

    /// One for each zone, in the order of the zones, and one for what is not known yet.
    func flows(zones: Int) -> [FlowDeclaration] {
        let zones = (1...zones).compactMap { try? FlowPattern("zone-\($0)/*") }
        return zones.map { zone in
            FlowDeclaration(
                name: "from \(zone)", from: [zone], to: [.everything], bytesPerSecond: flowRate, quota: flowQuota)
        } + [FlowDeclaration(name: "all", from: [.everything], to: [.everything])]
    }
}

extension Scenario {
    /// Draws everything from the seed: the mesh, the faults, the load.
    public init(seed: UInt64) {
        var random = SeededRandom(seed: seed).fork("scenario")
        self.init(
            seed: seed, relays: random.number(in: 1...5), agents: random.number(in: 2...6),
            load: [5, 50, 300][random.below(3)])
    }

    /// A mesh of this size with a light load and no faults, for measuring.
    public static func quiet(seed: UInt64, relays: Int, agents: Int, load: Int) -> Scenario {
        var dials = Dials.quiet
        dials.safetyTime = .seconds(600)
        var scenario = Scenario(
            seed: seed, dials: dials, topology: .random(seed: seed, relays: relays, agents: agents), load: load)
        scenario.isPlain = true
        return scenario
    }

    /// Some fault may take away what a disk has been told to keep.
    var losesDurableData: Bool { FaultKind.allCases.contains { $0.destroysDurableData && dials[$0] > 0 } }

    /// Every other seed leaves the agents' processes alone.
    var sparesAgents: Bool { seed.isMultiple(of: 2) }

    /// Looking at all bytes and waiting for rest take time: not every seed does.
    var watchesSecrets: Bool { seed % 8 == 3 }
    var checksRoutes: Bool { seed % 4 == 1 }

    /// Where nothing durable is lost and no destination is killed between an effect and its receipt, no source needs to
    /// send anything again for the mesh to deliver it; so none does within the run, and a relay that lets go of what it
    /// has custody of cannot hide behind them.
    var resendAfter: Duration {
        losesDurableData ? .seconds(120) : sparesAgents ? .seconds(48 * 3600) : .seconds(600)
    }
}

/// A scenario under way: its world, with the programs, keys and oracles of a mesh.
public final class Simulation {
    public let scenario: Scenario
    public let world: World
    let ledger: DataLedger
    let mesh: MeshModel

    public init(_ scenario: Scenario) {
        self.scenario = scenario
        let topology = scenario.topology
        var settings = SeededRandom(seed: scenario.seed).fork("relays")
        let relays =
            scenario.isPlain
            ? RelaySettings(disksForget: false) : RelaySettings(&settings, disksForget: scenario.losesDurableData)
        var random = SeededRandom(seed: scenario.seed).fork("load")
        var edges = SeededRandom(seed: scenario.seed).fork("edges")
        let plans = Self.plans(scenario, &random, &edges)
        let keys = SimulatedKeys(SeededRandom(seed: scenario.seed).fork("keys"))
        let agents = topology.nodes.filter { $0.kind == .agent }.map(\.name)
        let ledger = DataLedger(
            hosts: topology.nodes.count,
            targets: plans.map {
                .init(destination: $0.plan.destination, freshFirst: $0.plan.habits.freshFirst)
            })
        let flows = relays.flows(zones: topology.nodes.count { $0.kind == .relay })
        let sinkFaults = scenario.isPlain ? SimulatedSink.Faults() : SimulatedSink.Faults(&edges)
        let mesh = MeshModel(hosts: topology.nodes.count, disksForget: scenario.losesDurableData)
        let carrier = Carrier(
            SeededRandom(seed: scenario.seed).fork("carrier"), names: topology.nodes.map(\.name))
        self.ledger = ledger
        self.mesh = mesh
        world = scenario.world { host in
            let dials = topology.dialled(by: host.name)
            guard host.kind == .agent else {
                return RelayProgram(host, relays, dials: dials, flows: flows, mesh, carrier)
            }
            let settings = AgentProgram.Settings(
                jobs: plans.filter { $0.source == host.name }.map(\.plan), resendAfter: scenario.resendAfter,
                history: relays.history, sinkFaults: sinkFaults)
            return AgentProgram(
                host, settings, dials: dials,
                keychain: keys.keychain(of: host.name, with: agents.filter { $0 != host.name }), ledger: ledger,
                carrier)
        }
        // A source's own disk is what it keeps records on until their receipt: without it nothing can be promised.
        let sparesAgents = scenario.sparesAgents
        world.mayHit = { host, kind in
            host.kind == .relay || !(kind.destroysDurableData || kind.endsProcesses && sparesAgents)
        }
        world.visitToken = Carrier.token
        if scenario.watchesSecrets {
            let watch = SecretWatch(keys.secrets(of: agents))
            world.watch = { host, bytes in
                if let found = watch.find(in: bytes) { host.fail("what leaves the process holds \(found)") }
            }
        }
        world.isSettled = { [unowned self] in self.isSettled }
        world.nowAndThen = { [unowned self] in self.check() }
    }

    private static func plans(
        _ scenario: Scenario, _ random: inout SeededRandom, _ edges: inout SeededRandom
    ) -> [(source: NodeName, plan: SimulatedJob.Plan)] {
        let agents = scenario.topology.nodes.filter { $0.kind == .agent }.map(\.name)
        guard agents.count > 1 else { return [] }
        let largest = scenario.isPlain ? 2000 : [100, 2000, 20_000][random.below(3)]
        // The records of a job come over most of the time in which faults happen.
        let pace = scenario.dials.safetyTime.wholeNanoseconds * 3 / 4 / Int64(max(1, scenario.load))
        var plans: [(source: NodeName, plan: SimulatedJob.Plan)] = []
        for (index, source) in agents.enumerated() {
            let destination = agents[(index + 1 + random.below(agents.count - 1)) % agents.count]
            let lane: Lane = random.chance(0.2) ? .bulk : .live
            let compression: Compression = random.chance(0.2) ? .zstd : .none
            plans.append(
                (
                    source,
                    SimulatedJob.Plan(
                        name: "job-\(index)", number: index, destination: destination, lane: lane,
                        compression: compression, records: UInt64(scenario.load), recordsAtOnce: 1...3,
                        valueBytes: 0...largest, pace: .nanoseconds(pace)...(.nanoseconds(pace * 3)),
                        habits: scenario.isPlain ? SimulatedJob.Habits() : SimulatedJob.Habits(&edges))
                ))
        }
        return plans
    }

    public func run() -> Outcome {
        let outcome = world.run()
        guard outcome.violation == nil, scenario.checksRoutes else { return outcome }
        checkRoutes()
        return world.outcome
    }

    /// Records that have had their effect.
    public var effects: Int { ledger.effects }
    /// Of these, those that came before one of an earlier record, where the job allows it.
    public var overtakings: Int { ledger.overtakings }

    // MARK: Oracles

    private var isSettled: Bool {
        world.hosts.allSatisfy { host in
            switch host.program {
            case let agent as AgentProgram: agent.isSettled && hasAll(agent)
            case let relay as RelayProgram: relay.isSettled
            default: false
            }
        }
    }

    private func hasAll(_ agent: AgentProgram) -> Bool {
        agent.jobs.allSatisfy { ledger.applied(of: $0.plan.number) == $0.plan.records }
    }

    /// What is left to do, a line a node.
    public var unsettled: String {
        world.hosts.compactMap { host -> String? in
            let state =
                switch host.program {
                case let agent as AgentProgram: agent.isSettled && hasAll(agent) ? nil : agent.state(ledger)
                case let relay as RelayProgram: relay.isSettled ? nil : relay.state
                default: "does not run"
                }
            return state.map { "\(host.name): \($0)" }
        }.joined(separator: "\n")
    }

    private var checks = 0

    /// Counters and memory of one relay after the other.
    private func check() {
        checks += 1
        let host = world.hosts[checks % world.hosts.count]
        (host.program as? RelayProgram)?.check()
    }
}
