/// The command line of `simulate`.
public enum SimulateCommand {
    static let usage = """
        usage: simulate --seeds FIRST..LAST [--stop-after SECONDS]   run each seed; tell of the first violation
               simulate --seed N [--dials]                           run one seed and tell how it ended
               simulate --check-replay FIRST..LAST                   run each seed twice and compare
               simulate --speed                                      8 relays, 20 agents, a light load: how fast

        Status 0: no violation. 1: a violation, with its report. 2: wrong usage.
        """

    enum Request: Equatable {
        case seeds(ClosedRange<UInt64>, limit: Duration?)
        case seed(UInt64, showsDials: Bool)
        case replay(ClosedRange<UInt64>)
        case speed
        case help
    }

    /// - Returns: nil for arguments that are no request.
    static func request(_ arguments: [String]) -> Request? {
        switch arguments.first {
        case "--help", "-h": return arguments.count == 1 ? .help : nil
        case "--speed": return arguments.count == 1 ? .speed : nil
        case "--check-replay":
            guard arguments.count == 2, let seeds = range(arguments[1]) else { return nil }
            return .replay(seeds)
        case "--seed":
            guard arguments.count >= 2, let seed = UInt64(arguments[1]) else { return nil }
            guard arguments.count > 2 else { return .seed(seed, showsDials: false) }
            return arguments.count == 3 && arguments[2] == "--dials" ? .seed(seed, showsDials: true) : nil
        case "--seeds":
            guard arguments.count >= 2, let seeds = range(arguments[1]) else { return nil }
            guard arguments.count > 2 else { return .seeds(seeds, limit: nil) }
            guard arguments.count == 4, arguments[2] == "--stop-after", let seconds = Int64(arguments[3]), seconds > 0
            else { return nil }
            return .seeds(seeds, limit: .seconds(seconds))
        default: return nil
        }
    }

    private static func range(_ text: String) -> ClosedRange<UInt64>? {
        let ends = text.split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        guard let first = ends.first, let last = ends.last, ends.count <= 2, first <= last else { return nil }
        return first...last
    }

    /// - Returns: the exit status.
    public static func run(_ arguments: [String]) -> Int32 {
        switch request(arguments) {
        case .seeds(let seeds, let limit): return run(seeds, limit)
        case .seed(let seed, let showsDials): return run(seed, showsDials)
        case .replay(let seeds): return compare(seeds)
        case .speed: return measure()
        case .help:
            print(usage)
            return 0
        case nil:
            print(usage)
            return 2
        }
    }

    private static func run(_ seeds: ClosedRange<UInt64>, _ limit: Duration?) -> Int32 {
        let clock = ContinuousClock()
        let start = clock.now
        var runs = 0
        var virtual = Duration.zero
        var effects = 0
        var faults = 0
        for seed in seeds {
            if let limit, clock.now - start >= limit { break }
            let simulation = Simulation(Scenario(seed: seed))
            let outcome = simulation.run()
            runs += 1
            virtual += outcome.virtualTime
            effects += simulation.effects
            faults += FaultKind.allCases.reduce(0) { $0 + outcome.faults[$1] }
            if let violation = outcome.violation {
                print("seed \(seed): \(violation)")
                print(outcome.report ?? "")
                return 1
            }
        }
        let time = clock.now - start
        print(
            "\(runs) seeds, 0 violations; \(effects) records had their effect, \(faults) faults happened; "
                + "\(virtual.components.seconds) s of simulated time in \(time): "
                + "\(Int(virtual / time)) times real time, \(Int(Double(runs) * 60 / (time / .seconds(1)))) seeds a minute"
        )
        return 0
    }

    private static func run(_ seed: UInt64, _ showsDials: Bool) -> Int32 {
        let scenario = Scenario(seed: seed)
        if showsDials { print(scenario.dials) }
        let simulation = Simulation(scenario)
        let outcome = simulation.run()
        print(
            "seed \(seed): \(scenario.topology.nodes.count) nodes, \(outcome.steps) steps, "
                + "\(outcome.virtualTime) simulated, \(simulation.effects) records, trace \(outcome.traceHash)")
        guard let violation = outcome.violation else { return 0 }
        print("violation: \(violation)")
        print(outcome.report ?? "")
        print("left to do\n\(simulation.unsettled)")
        return 1
    }

    private static func compare(_ seeds: ClosedRange<UInt64>) -> Int32 {
        for seed in seeds {
            let first = Simulation(Scenario(seed: seed)).run()
            let second = Simulation(Scenario(seed: seed)).run()
            print("seed \(seed): trace \(first.traceHash), \(first.steps) steps")
            guard first.traceHash == second.traceHash, first.steps == second.steps else {
                print("seed \(seed): the second run went another way: trace \(second.traceHash), \(second.steps) steps")
                return 1
            }
        }
        return 0
    }

    private static func measure() -> Int32 {
        let scenario = Scenario.quiet(seed: 1, relays: 8, agents: 20, recordsEach: 300)
        let simulation = Simulation(scenario)
        let clock = ContinuousClock()
        let start = clock.now
        let outcome = simulation.run()
        let time = clock.now - start
        print(
            "8 relays and 20 agents: \(outcome.virtualTime) simulated in \(time), "
                + "\(Int(outcome.virtualTime / time)) times real time; \(outcome.steps) events, "
                + "\(Int(Double(outcome.steps) / (time / .seconds(1)))) a second; \(simulation.effects) records")
        guard let violation = outcome.violation else { return 0 }
        print("violation: \(violation)")
        return 1
    }
}
