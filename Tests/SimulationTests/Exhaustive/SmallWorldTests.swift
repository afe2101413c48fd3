import Link
import Mesh
import Testing

@testable import Simulation

struct SmallWorldTests {
    private func world(_ plan: SmallCase = SmallCase(), after way: [Choice]) -> SmallWorld {
        let world = SmallWorld(plan)
        for choice in way {
            #expect(world.choices.contains(choice))
            world.apply(choice)
        }
        return world
    }

    @Test func withoutFaultsItArrivesOnce() {
        let world = SmallWorld(SmallCase(envelopes: 2))
        world.heal()
        #expect(world.violation == nil)
        #expect(world.deliveries == [1, 1])
        #expect(world.hasDeparted == [true, true])
    }

    @Test func theOrderOfWhatHasNothingToDoWithEachOtherMakesNoState() {
        let cut: [Choice] = [.cut(wire: 2), .notice(wire: 2, end: 0), .notice(wire: 2, end: 1)]
        let one = world(after: cut + [.deliver(wire: 0, end: 1)]).fingerprint
        #expect(world(after: [.deliver(wire: 0, end: 1)] + cut).fingerprint == one)
        #expect(world(after: [cut[0], cut[2], .deliver(wire: 0, end: 1), cut[1]]).fingerprint == one)
        #expect(world(after: cut).fingerprint != one)
        #expect(world(after: [.deliver(wire: 0, end: 1)]).fingerprint != one)
    }

    @Test func namesOfSessionsMakeNoState() {
        func again(_ wire: Int) -> [Choice] {
            [
                .cut(wire: wire), .notice(wire: wire, end: 0), .notice(wire: wire, end: 1), .reconnect(wire: wire),
                .deliver(wire: wire, end: 0), .deliver(wire: wire, end: 1),
            ]
        }
        let plan = SmallCase(budget: FaultBudget(crashes: 0, cuts: 2, ticks: 0))
        // The second wire gets its names before the third, or behind it.
        let one = world(plan, after: again(1) + again(2)).fingerprint
        #expect(world(plan, after: again(2) + again(1)).fingerprint == one)
    }

    @Test func aKilledRelayHasWhatItsStoreHas() {
        let before: [Choice] = [.deliver(wire: 0, end: 1), .tick(node: 1)]
        let lost = world(after: before + [.crash(node: 1, writesKept: 0, isForgettingLost: false)])
        #expect(lost.nodes[1].holdings.queued == 0)
        #expect(!lost.nodes[1].store.holds(0))
        let kept = world(after: before + [.crash(node: 1, writesKept: 1, isForgettingLost: false)])
        #expect(kept.nodes[1].holdings.queued == 1)
        #expect(kept.nodes[1].store.holds(0))
        #expect(lost.fingerprint != kept.fingerprint)
        for world in [lost, kept] {
            world.heal()
            #expect(world.violation == nil)
        }
        #expect(lost.deliveries == [1])
        // Relay 2 has the first one on the wire to it lost; the source sends again what relay 1 has stored.
        #expect(kept.deliveries == [2])
    }

    /// The bound of arrivals is no guess: one is on its way, one in the store, one comes from the source again.
    @Test func aCrashMakesThreeOfOne() {
        let world = world(
            SmallCase(durability: .storeFirst),
            after: [
                .deliver(wire: 0, end: 1), .deliver(wire: 1, end: 1),
                .crash(node: 1, writesKept: 1, isForgettingLost: false),
            ])
        #expect(world.deliveryBound == 3)
        world.heal()
        #expect(world.violation == nil)
        #expect(world.deliveries == [3])
    }

    /// Whole frames say nothing of where a batch ends, and a batch is a turn of the one who reads it.
    @Test func batchesMakeStates() {
        let two: [[UInt8]] = [pong, pong]
        func print(of batches: [[UInt8]]) -> Fingerprint.Value {
            var print = Fingerprint()
            for batch in batches { batch.withUnsafeBytes { print.addFrames($0) } }
            return print.value
        }
        #expect(print(of: [two[0] + two[1], two[0]]) != print(of: [two[0], two[0] + two[1]]))
    }

    /// A frame of its smallest kind: eight bytes behind a header of eight.
    private var pong: [UInt8] { [8, 0, 0, 0, 6, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8] }

    @Test func aCopyGoesItsOwnWay() {
        let world = SmallWorld(SmallCase())
        let copy = SmallWorld(copying: world)
        let before = world.fingerprint
        #expect(copy.fingerprint == before)
        copy.apply(.deliver(wire: 0, end: 1))
        #expect(copy.fingerprint != before)
        #expect(world.fingerprint == before)
        world.apply(.deliver(wire: 0, end: 1))
        #expect(world.fingerprint == copy.fingerprint)
    }

    /// One end is still in the session before when the other one begins the next.
    @Test func anEndThatHasNotNoticedIsReplaced() {
        let plan = SmallCase(reconnectsEarly: true, budget: FaultBudget(crashes: 0, cuts: 1, ticks: 0))
        let world = world(
            plan,
            after: [
                .deliver(wire: 0, end: 1), .cut(wire: 1), .notice(wire: 1, end: 1), .reconnect(wire: 1),
                .deliver(wire: 1, end: 0),
            ])
        #expect(world.wires[1].stale[0] == nil && world.wires[1].sessions[0] != nil)
        world.heal()
        #expect(world.violation == nil)
        #expect(world.deliveries == [1])
    }

    @Test(arguments: [
        Choice.deliver(wire: 2, end: 1), .complete(node: 2), .failWrite(node: 1), .finish, .finishAndCrash, .giveBack,
        .tick(node: 3), .crash(node: 2, writesKept: 3, isForgettingLost: true),
        .crash(node: 1, writesKept: 0, isForgettingLost: false), .cut(wire: 1), .notice(wire: 1, end: 1),
        .reconnect(wire: 2), .changeRoute, .originate,
    ])
    func aChoiceComesBackFromItsCode(choice: Choice) {
        #expect(Choice(code: choice.code) == choice)
    }

    @Test func theGraphCountsWays() {
        var graph = StateGraph()
        for targets in [[1, 2], [2, 3], [3], []] as [[UInt32]] {
            graph.begin()
            for target in targets { graph.add(target) }
        }
        // 0-1-2-3, 0-1-3, 0-2-3
        #expect(graph.paths() == 3)
    }

    @Test func theCommandTakesItsBounds() {
        var plan = SmallCase(envelopes: 2)
        plan.budget.cuts = 0
        #expect(
            SimulateCommand.request(["--exhaustive", "--envelopes", "2", "--cuts", "0", "--limit", "9"])
                == .exhaustive(SimulateCommand.ExhaustiveRequest(plan: plan, limit: 9)))
        for wrong in [["--envelopes", "9"], ["--cuts"], ["--rain", "1"], ["--mistake", "none"]] {
            guard case .wrong = SimulateCommand.request(["--exhaustive"] + wrong) else {
                Issue.record("\(wrong) was taken")
                continue
            }
        }
    }
}
