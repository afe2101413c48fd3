import Envelope

/// All that tells a run: two runs of one scenario and one commit are the same.
public struct Scenario: Equatable, Sendable {
    public var seed: UInt64
    /// As drawn for the seed; ``dials`` has what counts.
    public var drawnDials: Dials
    /// As drawn for the seed; ``topology`` has what counts.
    public var drawnTopology: MeshTopology
    /// How much work the nodes are given; what a unit is, the caller knows.
    public var load: Int
    /// Relays, jobs and sinks are as they are shipped, and records have some kilobyte; else all that is drawn.
    public var isPlain = false
    /// Fault kinds that do not happen, whatever the dials say.
    public var switchedOff: [FaultKind] = []
    /// Nodes left out of the drawn mesh.
    public var removed: [NodeName] = []
    /// Another run under the same dials in the same mesh: the draws of the run differ, those of the scenario do not.
    public var variation: UInt64 = 0
    /// Faults end after this step; nil: when the dials say.
    public var endStep: Int?

    public init(seed: UInt64, dials: Dials, topology: MeshTopology, load: Int) {
        self.seed = seed
        drawnDials = dials
        drawnTopology = topology
        self.load = load
    }

    /// The scenario of a seed.
    public init(seed: UInt64, relays: Int, agents: Int, load: Int) {
        self.init(
            seed: seed, dials: Dials(seed: seed), topology: .random(seed: seed, relays: relays, agents: agents),
            load: load)
    }

    public var dials: Dials {
        var dials = drawnDials
        for kind in switchedOff { dials.switchOff(kind) }
        return dials
    }

    public var topology: MeshTopology {
        removed.reduce(drawnTopology) { $0.removing($1) }
    }

    private var runSeed: UInt64 {
        if variation == 0 { return seed }
        var random = SeededRandom(seed: seed).fork(variation)
        return random.next()
    }

    /// A world of this scenario, which knows how to say what it is.
    public func world(makeProgram: @escaping (Host) -> any Program) -> World {
        let world = World(seed: runSeed, dials: dials, topology: topology, makeProgram: makeProgram)
        if let endStep { world.safetySteps = endStep }
        world.command = "simulate " + arguments.joined(separator: " ")
        return world
    }
}

extension Scenario {
    /// The command line that tells this scenario, given that dials and topology are those of the seed.
    public var arguments: [String] {
        let relays = drawnTopology.nodes.count { $0.kind == .relay }
        var words = [
            "--seed", "\(seed)", "--relays", "\(relays)", "--agents", "\(drawnTopology.nodes.count - relays)",
            "--load", "\(load)",
        ]
        if !switchedOff.isEmpty { words += ["--off", switchedOff.map(\.description).joined(separator: ",")] }
        if !removed.isEmpty { words += ["--without", removed.map(\.description).joined(separator: ",")] }
        if variation != 0 { words += ["--variation", "\(variation)"] }
        if let endStep { words += ["--until", "\(endStep)"] }
        return words
    }

    /// Reads what ``arguments`` wrote. `--seed` must be there; without the others it is 3 relays, 4 agents, a load of
    /// 100 and nothing switched off.
    /// - Throws: ``ScenarioError``.
    public init(arguments: [String]) throws(ScenarioError) {
        var values: [String: String] = [:]
        var place = 0
        while place < arguments.count {
            let name = arguments[place]
            guard
                ["--seed", "--relays", "--agents", "--load", "--off", "--without", "--variation", "--until"].contains(
                    name)
            else {
                throw .unknown(name)
            }
            guard place + 1 < arguments.count else { throw .illegal(name, "nothing") }
            values[name] = arguments[place + 1]
            place += 2
        }
        func number(_ name: String, _ usual: Int, _ range: ClosedRange<Int>) throws(ScenarioError) -> Int {
            guard let text = values[name] else { return usual }
            guard let number = Int(text), range.contains(number) else { throw .illegal(name, text) }
            return number
        }
        guard let text = values["--seed"], let seed = UInt64(text) else {
            throw .illegal("--seed", values["--seed"] ?? "nothing")
        }
        self.init(
            seed: seed, relays: try number("--relays", 3, 1...1000), agents: try number("--agents", 4, 0...1000),
            load: try number("--load", 100, 0...Int.max))
        variation = UInt64(try number("--variation", 0, 0...Int.max))
        if values["--until"] != nil { endStep = try number("--until", 0, 0...Int.max) }
        for word in (values["--off"] ?? "").split(separator: ",") {
            guard let kind = FaultKind(word) else { throw .illegal("--off", String(word)) }
            switchedOff.append(kind)
        }
        for word in (values["--without"] ?? "").split(separator: ",") {
            guard let name = try? NodeName(word), drawnTopology.nodes.contains(where: { $0.name == name }) else {
                throw .illegal("--without", String(word))
            }
            removed.append(name)
        }
    }
}

/// Why words do not tell a scenario.
public enum ScenarioError: Error, Equatable, CustomStringConvertible {
    case unknown(String)
    case illegal(_ option: String, _ value: String)

    public var description: String {
        switch self {
        case .unknown(let word):
            "'\(word)' is not an option; there are --seed --relays --agents --load --off --without --variation --until"
        case .illegal(let option, let value): "\(option) cannot be \(value)"
        }
    }
}
