/// The command line of `simulate`.
public enum SimulateCommand {
    static let usage = """
        usage: simulate --seeds FIRST..LAST [--stop-after SECONDS]   run each seed; tell of the first violation
               simulate --seed N [OPTION VALUE]...                   run one scenario and tell how it ended
               simulate --shrink --seed N [OPTION VALUE]...          find a smaller scenario that fails alike
               simulate --check-replay FIRST..LAST                   run each seed twice, compare, print the hash
               simulate --hashes FIRST..LAST                         run each seed once and print the hash
               simulate --exhaustive [OPTION VALUE]...               all states of two relays with few envelopes
               simulate --speed                                      8 relays, 20 agents, a light load: how fast

        Options of a scenario: --relays N  --agents N  --load RECORDS  --off FAULT,...  --without NODE,...
                               --variation N  --until STEP
        Options of an exhaustive search: --envelopes N  --loop  --early  --store-first  --limit STATES  --crashes N  --cuts N
                               --ticks N  --store-failures N  --refusals N  --route-changes N  --returns N
                               --mistake NAME

        GRIDRELAY_COMMIT in the environment tells reports which commit runs; make sets it.
        Status 0: no violation. 1: a violation, with its report. 2: wrong usage.
        """

    enum Request: Equatable {
        case seeds(ClosedRange<UInt64>, limit: Duration?)
        case scenario(Scenario)
        case shrink(Scenario)
        case replay(ClosedRange<UInt64>)
        case hashes(ClosedRange<UInt64>)
        case exhaustive(ExhaustiveRequest)
        case speed
        case help
        case wrong(String)
    }

    static func request(_ arguments: [String]) -> Request {
        switch arguments.first {
        case "--help", "-h": return arguments.count == 1 ? .help : .wrong("--help stands alone")
        case "--speed": return arguments.count == 1 ? .speed : .wrong("--speed stands alone")
        case "--check-replay", "--hashes":
            guard arguments.count == 2, let seeds = range(arguments[1]) else {
                return .wrong("\(arguments[0]) takes FIRST..LAST")
            }
            return arguments[0] == "--hashes" ? .hashes(seeds) : .replay(seeds)
        case "--seeds": return seeds(Array(arguments.dropFirst()))
        case "--seed": return scenario(arguments, Request.scenario)
        case "--exhaustive": return exhaustive(Array(arguments.dropFirst()))
        case "--shrink": return scenario(Array(arguments.dropFirst()), Request.shrink)
        case let word?: return .wrong("'\(word)' is not an option")
        case nil: return .wrong("nothing to run")
        }
    }

    private static func seeds(_ arguments: [String]) -> Request {
        guard let text = arguments.first, let seeds = range(text) else { return .wrong("--seeds takes FIRST..LAST") }
        guard arguments.count > 1 else { return .seeds(seeds, limit: nil) }
        guard arguments.count == 3, arguments[1] == "--stop-after", let seconds = Int64(arguments[2]), seconds > 0
        else { return .wrong("--stop-after takes a number of seconds, and nothing else may follow --seeds") }
        return .seeds(seeds, limit: .seconds(seconds))
    }

    /// A seed alone is the scenario drawn for it; with options it is the one they tell.
    private static func scenario(_ arguments: [String], _ make: (Scenario) -> Request) -> Request {
        do throws(ScenarioError) {
            let told = try Scenario(arguments: arguments)
            return make(arguments.count == 2 ? Scenario(seed: told.seed) : told)
        } catch {
            return .wrong(error.description)
        }
    }

    private static func range(_ text: String) -> ClosedRange<UInt64>? {
        let ends = text.split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        guard let first = ends.first, let last = ends.last, ends.count <= 2, first <= last else { return nil }
        return first...last
    }

    /// Real time since some moment; the simulator itself has no clock.
    public typealias Stopwatch = () -> Duration

    /// - Parameter commit: what runs, for those who read a report; nil where nobody told. It changes nothing.
    /// - Returns: the exit status.
    public static func run(_ arguments: [String], commit: String?, stopwatch: @escaping Stopwatch) -> Int32 {
        #if CANARIES
            if let status = plant(arguments, commit, stopwatch) { return status }
        #endif
        let request = request(arguments)
        if let line = firstLine(request, commit) { print(line) }
        switch request {
        case .seeds(let seeds, let limit): return run(seeds, limit, commit, stopwatch)
        case .scenario(let scenario): return run(scenario, commit)
        case .shrink(let scenario): return shrink(scenario, commit, stopwatch)
        case .replay(let seeds): return compare(seeds)
        case .hashes(let seeds): return tellHashes(seeds)
        case .exhaustive(let request): return search(request, stopwatch)
        case .speed: return measure(stopwatch)
        case .help:
            print(usage)
            return 0
        case .wrong(let reason):
            print("simulate: \(reason)\n\n\(usage)")
            return 2
        }
    }

    /// What runs. A list of hashes has none: such lists are compared, also of different commits.
    static func firstLine(_ request: Request, _ commit: String?) -> String? {
        switch request {
        case .seeds, .scenario, .shrink, .exhaustive, .speed: "simulate, commit \(commit ?? "not told")"
        case .replay, .hashes, .help, .wrong: nil
        }
    }
}
