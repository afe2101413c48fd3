import Link

/// Goes through all states that the choices of a ``SmallWorld`` can lead to, nearest first, so that the way to a broken
/// rule is as short as there is one.
///
/// A world cannot be copied, so a state is a way from the beginning and is built anew by going it. States with one
/// fingerprint are one state. Memory: about 60 bytes a state.
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

    /// - Parameter limit: most states to look at.
    init(_ plan: SmallCase, limit: Int = .max) {
        self.plan = plan
        self.limit = min(limit, Int(UInt32.max))
    }

    mutating func run() -> Result {
        let world = SmallWorld(plan)
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
        let world = replay(way)
        let choices = world.choices
        result.deliveries = max(result.deliveries, world.deliveries.max() ?? 0)
        graph.begin()
        for (place, choice) in choices.enumerated() {
            // The last one needs no world of its own.
            let child = place == choices.count - 1 && choices.contains { !$0.isFault } ? world : replay(way)
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

    private func replay(_ way: [Choice]) -> SmallWorld {
        let world = SmallWorld(plan)
        for choice in way { world.apply(choice) }
        return world
    }
}
