import Link

/// Goes through all states that the choices of a ``SmallWorld`` can lead to, nearest first, so that the way to a broken
/// rule is as short as there is one.
///
/// A state is remembered as the way that leads to it; its world is a copy of one along that way, gone on from there.
/// States with one fingerprint are one state. Memory: about 100 bytes a state.
struct ExhaustiveSearch {
    struct Result: Equatable, Sendable {
        var states = 0
        /// Steps between states.
        var steps = 0
        /// States in which nothing goes on without another fault; from each of them everything was seen to arrive.
        var rests = 0
        /// States with no choice left.
        var ends = 0
        /// Ways from the beginning to an end.
        var paths = 0.0
        /// Of the farthest state.
        var depth = 0
        /// Most arrivals of one envelope.
        var deliveries = 0
        /// False where the limit of states was reached first.
        var isWhole = true
        var violation: Violation?
    }

    struct Violation: Equatable, Sendable {
        var text: String
        /// The choices that lead to it.
        var way: [Choice]
        /// It shows when faults are over and all comes to rest, and not by the last choice.
        var isAtRest: Bool
    }

    let plan: SmallCase
    let limit: Int
    private(set) var result = Result()
    private var numbers: [Fingerprint.Value: UInt32] = [:]
    /// By state: the state before on the nearest way, and what was chosen there.
    private var parents: [UInt32] = [0]
    private var lastChoices: [UInt16] = [0]
    private var graph = StateGraph()
    /// The way to the state that was last looked at, and the world after each of its choices, the first one before all.
    private var trail: [Choice] = []
    private var worlds: [SmallWorld] = []

    /// - Parameter limit: most states to look at.
    init(_ plan: SmallCase, limit: Int = .max) {
        self.plan = plan
        self.limit = min(limit, Int(UInt32.max))
    }

    mutating func run() -> Result {
        let world = SmallWorld(plan)
        worlds = [world]
        numbers[world.fingerprint] = 0
        var next = 0
        if let text = world.violation {
            result.violation = Violation(text: text, way: [], isAtRest: false)
        }
        while next < parents.count, result.violation == nil {
            expand(UInt32(next))
            next += 1
        }
        result.states = parents.count
        result.depth = way(to: UInt32(parents.count - 1)).count
        if result.isWhole, result.violation == nil { result.paths = graph.paths() }
        return result
    }

    private mutating func expand(_ state: UInt32) {
        let way = way(to: state)
        let world = world(after: way)
        let choices = world.choices
        result.deliveries = max(result.deliveries, world.deliveries.max() ?? 0)
        graph.begin()
        for choice in choices {
            let child = SmallWorld(copying: world)
            child.apply(choice)
            result.steps += 1
            if let text = child.violation {
                result.violation = Violation(text: text, way: way + [choice], isAtRest: false)
                return
            }
            add(child.fingerprint, from: state, choice)
        }
        guard choices.allSatisfy(\.isFault) else { return }
        result.rests += 1
        if choices.isEmpty { result.ends += 1 }
        finish(way, world.fingerprint)
    }

    /// Nothing goes on without a fault: lets all come to its end, in a world of its own that is no copy.
    private mutating func finish(_ way: [Choice], _ print: Fingerprint.Value) {
        let world = SmallWorld(plan)
        for choice in way { world.apply(choice) }
        precondition(world.fingerprint == print, "a copy does as the original does")
        world.heal()
        guard let text = world.violation else { return }
        result.violation = Violation(text: text, way: way, isAtRest: true)
    }

    private mutating func add(_ print: Fingerprint.Value, from state: UInt32, _ choice: Choice) {
        if let known = numbers[print] { return graph.add(known) }
        guard parents.count < limit else {
            result.isWhole = false
            return
        }
        let number = UInt32(parents.count)
        numbers[print] = number
        parents.append(state)
        lastChoices.append(choice.code)
        graph.add(number)
    }

    private func way(to state: UInt32) -> [Choice] {
        var way: [Choice] = []
        var place = state
        while place != 0 {
            way.append(Choice(code: lastChoices[Int(place)]))
            place = parents[Int(place)]
        }
        return way.reversed()
    }

    /// States come in an order in which ways begin alike, so that most of the last one's worlds serve again.
    private mutating func world(after way: [Choice]) -> SmallWorld {
        var shared = 0
        while shared < trail.count, shared < way.count, trail[shared] == way[shared] { shared += 1 }
        worlds.removeLast(worlds.count - 1 - shared)
        for choice in way[shared...] {
            let world = SmallWorld(copying: worlds[worlds.count - 1])
            world.apply(choice)
            worlds.append(world)
        }
        trail = way
        return worlds[worlds.count - 1]
    }
}
