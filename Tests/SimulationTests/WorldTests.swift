import Envelope
import TestSupport
import Testing

@testable import Simulation

struct WorldTests {
    @Test(arguments: Seeds.range(1...6))
    func aSeedGivesOneRun(seed: UInt64) {
        let first = countingWorld(countingScenario(seed)).run()
        let second = countingWorld(countingScenario(seed)).run()
        #expect(first == second)
        #expect(first.violation == nil, "\(first.report ?? "")")
        #expect(first.steps > 1000)
    }

    @Test func otherSeedsGiveOtherRuns() {
        var hashes: Set<UInt64> = []
        for seed in 1...20 as ClosedRange<UInt64> {
            var scenario = countingScenario(1)
            scenario.seed = seed
            scenario.drawnDials = .quiet
            scenario.drawnDials.safetyTime = .seconds(2)
            hashes.insert(countingWorld(scenario).run().traceHash)
        }
        #expect(hashes.count == 20)
    }

    /// A program that is right has no violation, and every kind of fault happens in some of the seeds.
    @Test func aRightProgramOutlivesEveryFault() {
        var faults = FaultCounts()
        for seed in Seeds.range(1...60) {
            let outcome = countingWorld(countingScenario(seed, load: 50)).run()
            faults.add(outcome.faults)
            if outcome.violation != nil { Issue.record("seed \(seed): \(outcome.report ?? "")") }
        }
        let silent: Set<FaultKind> = [.bitRot, .misdirectedWrite, .wiped, .rolledBack]
        for kind in FaultKind.allCases where !silent.contains(kind) { #expect(faults[kind] > 0, "\(kind)") }
    }

    @Test func whatNeverSettlesDidNotDrain() {
        let scenario = countingScenario(3)
        let world = countingWorld(scenario)
        world.isSettled = { false }
        let outcome = world.run()
        #expect(outcome.violation?.kind == "did not drain")
        #expect(outcome.virtualTime > scenario.dials.drainTime)
    }

    @Test func hooksAreCalled() {
        let world = countingWorld(countingScenario(2))
        var (steps, crashes, heals) = (0, 0, 0)
        world.everyStep = { steps += 1 }
        world.beforeCrash = { host in
            #expect(host.program != nil)
            crashes += 1
        }
        world.afterHeal = { heals += 1 }
        world.happen(.kill)
        world.run(for: .seconds(3))
        for _ in 0..<5 { world.happen(.kill) }
        let outcome = world.run()
        #expect(steps == outcome.steps && crashes >= 1 && heals == 1)
    }

    @Test func aMeshIsConnectedAndItsOwn() {
        for seed in 1...100 as ClosedRange<UInt64> {
            let mesh = MeshTopology.random(seed: seed, relays: 1 + Int(seed % 9), agents: Int(seed % 13))
            #expect(mesh.isConnected)
            #expect(Set(mesh.nodes.map(\.name)).count == mesh.nodes.count)
            #expect(mesh == MeshTopology.random(seed: seed, relays: 1 + Int(seed % 9), agents: Int(seed % 13)))
        }
        #expect(MeshTopology.random(seed: 1, relays: 8, agents: 0).links.count >= 7)
    }

    @Test func eachFaultKindIsOffInAGoodShareOfSeeds() {
        for kind in FaultKind.allCases {
            let off = (1...200 as ClosedRange<UInt64>).count { Dials(seed: $0)[kind] == 0 }
            #expect((20...180).contains(off), "\(kind)")
            #expect(FaultKind(kind.description) == kind)
        }
        #expect(Dials(seed: 4) == Dials(seed: 4) && Dials(seed: 4) != Dials(seed: 5))
    }
}
