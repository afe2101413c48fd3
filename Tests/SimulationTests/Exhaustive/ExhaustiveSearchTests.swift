import Link
import Mesh
import Testing

@testable import Simulation

struct ExhaustiveSearchTests {
    static let cases: [SmallCase] = [
        SmallCase(budget: FaultBudget(crashes: 0, cuts: 1, ticks: 0)),
        SmallCase(budget: FaultBudget(crashes: 1, cuts: 0, ticks: 0)),
        SmallCase(reconnectsEarly: true, durability: .storeFirst, budget: FaultBudget(crashes: 0, cuts: 1, ticks: 0)),
        SmallCase(budget: FaultBudget(crashes: 0, cuts: 0, ticks: 2, storeFailures: 1, refusals: 1)),
        SmallCase(
            isLoop: true, durability: .storeFirst,
            budget: FaultBudget(crashes: 0, cuts: 0, ticks: 0, routeChanges: 2, returns: 1)),
        SmallCase(envelopes: 2, budget: FaultBudget(crashes: 0, cuts: 0, ticks: 1)),
    ]

    @Test(arguments: cases)
    func nothingIsLostInAnyState(plan: SmallCase) {
        var search = ExhaustiveSearch(plan)
        let result = search.run()
        #expect(result.violation == nil)
        #expect(result.isWhole)
        #expect(result.states > 100 && result.steps > result.states)
        #expect(result.ends > 0 && result.rests >= result.ends)
        #expect(result.paths > Double(result.ends))
        let faults = plan.budget.cuts + plan.budget.crashes
        #expect(faults == 0 ? result.deliveries == 1 : result.deliveries > 1)
    }

    /// A fingerprint that leaves out too much would take states for one that go on in different ways.
    @Test(arguments: [
        SmallCase(reconnectsEarly: true, budget: FaultBudget(crashes: 0, cuts: 1, ticks: 0)),
        SmallCase(budget: FaultBudget(crashes: 1, cuts: 0, ticks: 0)),
        SmallCase(
            isLoop: true, durability: .storeFirst,
            budget: FaultBudget(crashes: 0, cuts: 0, ticks: 0, routeChanges: 2, returns: 1)),
    ])
    func statesTakenForOneGoOnAlike(plan: SmallCase) {
        var known: [Fingerprint.Value: [Fingerprint.Value]] = [:]
        var waiting = [SmallWorld(plan)]
        var again = 0
        while let world = waiting.popLast() {
            let worlds = world.choices.map { choice in
                let next = SmallWorld(copying: world)
                next.apply(choice)
                return next
            }
            let prints = worlds.map(\.fingerprint)
            if let before = known[world.fingerprint] {
                again += 1
                #expect(before == prints)
            } else {
                known[world.fingerprint] = prints
                waiting += worlds
            }
        }
        #expect(again > known.count / 2)
    }

    @Test func aStoreThatSaysDurableTooSoonIsFound() throws {
        let violation = try self.violation(of: .durableTooSoon, SmallCase(durability: .storeFirst))
        #expect(violation.way == [.deliver(wire: 0, end: 1)])
        #expect(violation.text == "dmz/relay-1 says that envelope 1 is safe, and it is not")
    }

    @Test func aDestinationThatSaysDoneTooSoonIsFound() throws {
        let violation = try self.violation(of: .finishedTooSoon, SmallCase())
        #expect(violation.way.last == .finish)
        #expect(violation.text == "plant-b/destination says that envelope 1 is safe, and it is not")
    }

    /// Without a fault: two copies of one envelope bounce between the relays, and each stands in for the other.
    @Test func aStoreThatMergesArrivalsLosesWhatBounces() throws {
        let budget = FaultBudget(crashes: 0, cuts: 0, ticks: 0, routeChanges: 1, returns: 1)
        let plan = SmallCase(isLoop: true, durability: .storeFirst, budget: budget)
        let violation = try self.violation(of: .mergedArrivals, plan)
        #expect(violation.text == "envelope 1 is lost: nobody has a safe copy")
        #expect(violation.way.contains(.changeRoute))
        // There is no shorter way, and each choice of it is needed.
        #expect(violation.way.count == 9)
    }

    private func violation(of mistake: Mistake, _ plan: SmallCase) throws -> ExhaustiveSearch.Violation {
        var plan = plan
        plan.mistake = mistake
        var search = ExhaustiveSearch(plan)
        let violation = try #require(search.run().violation)
        // What it tells leads there.
        let world = SmallWorld(plan)
        for choice in violation.way {
            #expect(world.violation == nil)
            #expect(world.choices.contains(choice))
            world.apply(choice)
        }
        #expect(world.violation == violation.text)
        return violation
    }

    @Test func aSearchStopsAtItsLimitAndSaysSo() {
        var search = ExhaustiveSearch(SmallCase(), limit: 50)
        let result = search.run()
        #expect(result.states == 50 && !result.isWhole)
        #expect(result.description.contains("50 states (not all)"))
    }

    @Test func twoSearchesDoTheSame() {
        let plan = SmallCase(budget: FaultBudget(crashes: 0, cuts: 1, ticks: 0))
        var first = ExhaustiveSearch(plan)
        var second = ExhaustiveSearch(plan)
        #expect(first.run() == second.run())
    }
}
