import Envelope

/// Finds a smaller scenario that fails in the same way: faults end earlier, fault kinds are off, nodes are left out,
/// there is less work. What is left is what the failure needs.
public struct Shrinker {
    public struct Result {
        public var scenario: Scenario
        public var outcome: Outcome
        /// Runs it took.
        public var runs: Int
    }

    /// Runs that a change may have to fail in the same way.
    private static let variations = 3

    private let run: (Scenario) -> Outcome
    private let isOutOfTime: () -> Bool
    private let kind: String
    private var runsLeft: Int
    private var best: Result

    /// - Parameters:
    ///   - runs: the most runs that may be tried.
    ///   - isOutOfTime: asked before each run; the simulator itself has no clock but its own.
    /// - Returns: nil where the scenario does not fail.
    public static func shrink(
        _ scenario: Scenario, runs: Int, isOutOfTime: @escaping () -> Bool = { false },
        run: @escaping (Scenario) -> Outcome
    ) -> Result? {
        let outcome = run(scenario)
        guard let violation = outcome.violation else { return nil }
        var shrinker = Shrinker(
            run: run, isOutOfTime: isOutOfTime, kind: violation.kind, runsLeft: runs,
            best: Result(scenario: scenario, outcome: outcome, runs: 1))
        shrinker.shrink()
        return shrinker.best
    }

    private init(
        run: @escaping (Scenario) -> Outcome, isOutOfTime: @escaping () -> Bool, kind: String, runsLeft: Int,
        best: Result
    ) {
        self.run = run
        self.isOutOfTime = isOutOfTime
        self.kind = kind
        self.runsLeft = runsLeft
        self.best = best
    }

    private mutating func shrink() {
        while true {
            let before = best.scenario
            switchOff()
            removeNodes()
            lowerLoad()
            endEarlier()
            if best.scenario == before || isExhausted { return }
        }
    }

    private var isExhausted: Bool { runsLeft <= 0 || isOutOfTime() }

    /// - Returns: true where the changed scenario still fails in the same way, and then it is the best.
    @discardableResult
    private mutating func attempt(_ change: (inout Scenario) -> Void) -> Bool {
        var scenario = best.scenario
        change(&scenario)
        guard scenario != best.scenario else { return false }
        // What is changed moves all later draws, and the failure may only have moved away with them.
        for _ in 0..<Self.variations {
            if isExhausted { return false }
            runsLeft -= 1
            best.runs += 1
            let outcome = run(scenario)
            if outcome.violation?.kind == kind {
                best.scenario = scenario
                best.outcome = outcome
                return true
            }
            scenario.variation += 1
        }
        return false
    }

    private var kindsThatAreOn: [FaultKind] { FaultKind.allCases.filter { best.scenario.dials[$0] > 0 } }

    /// All at once, then by halves, then one by one.
    private mutating func switchOff() {
        var size = kindsThatAreOn.count
        while size >= 1 {
            let kinds = kindsThatAreOn
            for start in stride(from: 0, to: kinds.count, by: size) {
                let part = kinds[start..<min(start + size, kinds.count)]
                attempt { $0.switchedOff += part }
            }
            size /= 2
        }
    }

    /// Agents before relays, the last ones first; the mesh stays in one piece.
    private mutating func removeNodes() {
        let nodes = best.scenario.topology.nodes.reversed()
        for node in nodes.filter({ $0.kind != .relay }) + nodes.filter({ $0.kind == .relay }) {
            let rest = best.scenario.topology.removing(node.name)
            guard !rest.nodes.isEmpty, rest.isConnected else { continue }
            attempt { $0.removed.append(node.name) }
        }
    }

    private mutating func lowerLoad() {
        bisect(from: best.scenario.load) { $0.load = $1 }
    }

    private mutating func endEarlier() {
        guard let violation = best.outcome.violation else { return }
        let end = min(best.scenario.endStep ?? .max, violation.step)
        attempt { $0.endStep = end }
        bisect(from: end) { $0.endStep = $1 }
    }

    /// Looks for the least number that still fails, as if all greater ones did.
    private mutating func bisect(from number: Int, _ set: (inout Scenario, Int) -> Void) {
        var (low, high) = (0, number)
        while low < high {
            let middle = low + (high - low) / 2
            if attempt({ set(&$0, middle) }) { high = middle } else { low = middle + 1 }
            if isExhausted { return }
        }
    }
}
