import Envelope
import Testing

@testable import Simulation

struct ShrinkerTests {
    private func firstFailure(_ bug: Counter.Bug) throws -> (Scenario, Outcome) {
        for seed in 1...300 as ClosedRange<UInt64> {
            let scenario = countingScenario(seed, load: 50)
            let outcome = countingWorld(scenario, bug: bug).run()
            if outcome.violation != nil { return (scenario, outcome) }
        }
        throw CountError.unreadable
    }

    @Test(arguments: [Counter.Bug.answersBeforeSynchronizing, .forgetsDirectory])
    func aPlantedBugIsFoundDrawnAndShrunk(bug: Counter.Bug) throws {
        let (scenario, outcome) = try firstFailure(bug)
        let violation = try #require(outcome.violation)
        #expect(violation.kind == "the count went back from # to #")
        let report = try #require(outcome.report)
        #expect(report.contains("VIOLATION"))
        #expect(report.contains("simulate --seed \(scenario.seed) "))
        #expect(report.contains("step \(violation.step)"))

        let result = try #require(
            Shrinker.shrink(scenario, runs: 250) { countingWorld($0, bug: bug).run() })
        #expect(result.outcome.violation?.kind == violation.kind)
        #expect(result.runs <= 251)
        let small = result.scenario
        #expect(result.outcome.report?.contains("power lost") == true)
        #expect(small.topology.nodes.count < scenario.topology.nodes.count)
        #expect(small.dials[.lostWrites] > 0 || small.dials[.lostNames] > 0)
        let (before, after) = (kindsOn(scenario), kindsOn(small))
        #expect(after * 2 < before, "\(before) \(after)")
        // It is what it says it is.
        let again = countingWorld(try Scenario(arguments: small.arguments), bug: bug).run()
        #expect(again.traceHash == result.outcome.traceHash && again.violation == result.outcome.violation)
    }

    private func kindsOn(_ scenario: Scenario) -> Int { FaultKind.allCases.count { scenario.dials[$0] > 0 } }

    @Test func aScenarioSaysWhatItIs() throws {
        var scenario = Scenario(seed: 7, relays: 5, agents: 3, load: 12)
        scenario.switchedOff = [.kill, .oneWayPartition]
        scenario.removed = [scenario.topology.nodes[2].name]
        scenario.endStep = 900
        scenario.variation = 3
        #expect(try Scenario(arguments: scenario.arguments) == scenario)
        #expect(throws: ScenarioError.unknown("--sneed")) { try Scenario(arguments: ["--sneed", "1"]) }
        #expect(throws: ScenarioError.illegal("--off", "rain")) {
            try Scenario(arguments: ["--seed", "1", "--off", "rain"])
        }
        #expect(throws: ScenarioError.illegal("--seed", "nothing")) { try Scenario(arguments: []) }
    }

    @Test func aDrawingShowsWhoSpokeToWhomAndWhatBroke() {
        var scenario = countingScenario(5, relays: 1, agents: 2, load: 10)
        scenario.drawnDials = .quiet
        scenario.drawnDials[.synchronizeFault] = 0.2
        let world = countingWorld(scenario)
        world.run(for: .seconds(5))
        let index = world.directions.indices.first ?? 0
        world.block(direction: index, for: .milliseconds(1))
        world.run(for: .seconds(1))
        world.heal()
        world.hosts[0].fail("planted")
        world.commit = "1a2b3c4-dirty"
        let text = world.outcome.report ?? ""
        #expect(text.hasPrefix("violation with seed 5, commit 1a2b3c4-dirty: planted, at "))
        for sign in ["--->", "<---", "====>", "synchronize-fault", "process ends", "link blocked", "all is well again"]
        {
            #expect(text.contains(sign), "\(sign) in \(text)")
        }
        #expect(text.contains("zone-1"))
    }

    @Test func whatDoesNotFailIsNotShrunk() {
        let result = Shrinker.shrink(countingScenario(1, load: 1), runs: 5) { countingWorld($0).run() }
        #expect(result == nil)
    }

    @Test func theBudgetIsKept() throws {
        let (scenario, _) = try firstFailure(.answersBeforeSynchronizing)
        var runs = 0
        let result = Shrinker.shrink(scenario, runs: 10) {
            runs += 1
            return countingWorld($0, bug: .answersBeforeSynchronizing).run()
        }
        #expect(runs == 11 && result?.runs == 11)
        let none = Shrinker.shrink(
            scenario, runs: 10, isOutOfTime: { true },
            run: { countingWorld($0, bug: .answersBeforeSynchronizing).run() })
        #expect(none?.runs == 1)
    }
}
