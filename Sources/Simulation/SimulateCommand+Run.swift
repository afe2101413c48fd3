extension SimulateCommand {
    static func run(
        _ seeds: ClosedRange<UInt64>, _ limit: Duration?, _ commit: String?, _ stopwatch: Stopwatch
    ) -> Int32 {
        let start = stopwatch()
        var runs = 0
        var virtual = Duration.zero
        var effects = 0
        var overtakings = 0
        var faults = 0
        for seed in seeds {
            if let limit, stopwatch() - start >= limit { break }
            let scenario = Scenario(seed: seed)
            let simulation = Simulation(scenario)
            simulation.world.commit = commit
            let outcome = simulation.run()
            runs += 1
            virtual += outcome.virtualTime
            effects += simulation.effects
            overtakings += simulation.overtakings
            faults += FaultKind.allCases.reduce(0) { $0 + outcome.faults[$1] }
            if outcome.violation != nil {
                tell(scenario, simulation, outcome)
                print("\nsmaller: simulate --shrink \(scenario.arguments.joined(separator: " "))")
                return 1
            }
        }
        let time = stopwatch() - start
        print(
            "\(runs) seeds, 0 violations; \(effects) records had their effect (\(overtakings) before "
                + "an earlier one, as their jobs allow), \(faults) faults happened; "
                + "\(virtual.components.seconds) s simulated in \(seconds(time)) s: \(Int(virtual / time)) times real "
                + "time, \(Int(Double(runs) * 60 / (time / .seconds(1)))) seeds a minute")
        return 0
    }

    static func run(_ scenario: Scenario, _ commit: String?) -> Int32 {
        let simulation = Simulation(scenario)
        simulation.world.commit = commit
        let outcome = simulation.run()
        tell(scenario, simulation, outcome)
        return outcome.violation == nil ? 0 : 1
    }

    private static func tell(_ scenario: Scenario, _ simulation: Simulation, _ outcome: Outcome) {
        print(
            "seed \(scenario.seed): \(scenario.topology.nodes.count) nodes, \(outcome.steps) steps, "
                + "\(seconds(outcome.virtualTime)) s simulated, \(simulation.effects) records had their effect, "
                + "trace \(String(outcome.traceHash, radix: 16))")
        guard let violation = outcome.violation else { return }
        print("\(outcome.report ?? "\(violation)")\nleft to do\n\(simulation.unsettled)")
    }

    /// Two minutes at most.
    static func shrink(_ scenario: Scenario, _ commit: String?, _ stopwatch: @escaping Stopwatch) -> Int32 {
        let end = stopwatch() + .seconds(120)
        let result = Shrinker.shrink(
            scenario, runs: 2000, isOutOfTime: { stopwatch() >= end }, run: { Simulation($0).run() })
        guard let result else {
            print("this scenario does not fail: simulate \(scenario.arguments.joined(separator: " "))")
            return 0
        }
        print("after \(result.runs) runs: simulate \(result.scenario.arguments.joined(separator: " "))")
        return run(result.scenario, commit)
    }

    static func compare(_ seeds: ClosedRange<UInt64>) -> Int32 {
        for seed in seeds {
            let first = hash(seed)
            let second = hash(seed)
            print(first)
            guard first == second else {
                print("the second run went another way: \(second)")
                return 1
            }
        }
        return 0
    }

    static func tellHashes(_ seeds: ClosedRange<UInt64>) -> Int32 {
        for seed in seeds { print(hash(seed)) }
        return 0
    }

    /// Runs a seed; a line that says what became of it.
    private static func hash(_ seed: UInt64) -> String {
        let outcome = Simulation(Scenario(seed: seed)).run()
        return "seed \(seed): trace \(String(outcome.traceHash, radix: 16)), \(outcome.steps) steps"
    }

    static func measure(_ stopwatch: Stopwatch) -> Int32 {
        let simulation = Simulation(.quiet(seed: 1, relays: 8, agents: 20, load: 300))
        let start = stopwatch()
        let outcome = simulation.run()
        let time = stopwatch() - start
        print(
            "8 relays and 20 agents: \(seconds(outcome.virtualTime)) s simulated in \(seconds(time)) s, "
                + "\(Int(outcome.virtualTime / time)) times real time; \(outcome.steps) events, "
                + "\(Int(Double(outcome.steps) / (time / .seconds(1)))) a second; \(simulation.effects) records")
        guard let violation = outcome.violation else { return 0 }
        print("violation: \(violation)")
        return 1
    }

    private static func seconds(_ time: Duration) -> Double { (time / .milliseconds(100)).rounded() / 10 }
}
