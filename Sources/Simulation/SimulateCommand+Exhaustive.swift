import Mesh

extension SimulateCommand {
    /// What to search for all states, and how many of them at most.
    struct ExhaustiveRequest: Equatable {
        var plan = SmallCase()
        var limit = Int.max
    }

    static func exhaustive(_ arguments: [String]) -> Request {
        var request = ExhaustiveRequest()
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--loop": request.plan.isLoop = true
            case "--early": request.plan.reconnectsEarly = true
            case "--store-first": request.plan.durability = .storeFirst
            case "--limit", "--envelopes", "--mistake", "--crashes", "--cuts", "--ticks", "--store-failures",
                "--refusals",
                "--route-changes", "--returns":
                guard let value = rest.popFirst(), request.set(word, value) else {
                    return .wrong("\(word) takes a value it can use")
                }
            default: return .wrong("'\(word)' is not an option of --exhaustive")
            }
        }
        if request.plan.isLoop, request.plan.budget.routeChanges == 0 {
            request.plan.budget.routeChanges = 2
            request.plan.budget.returns = max(1, request.plan.budget.returns)
        }
        return .exhaustive(request)
    }

    static func search(_ request: ExhaustiveRequest, _ stopwatch: Stopwatch) -> Int32 {
        let start = stopwatch()
        var search = ExhaustiveSearch(request.plan, limit: request.limit)
        let result = search.run()
        print(result.description + ", \((((stopwatch() - start) / .milliseconds(100)).rounded()) / 10) s")
        guard let violation = result.violation else { return 0 }
        print(violation.description)
        return 1
    }
}

extension SimulateCommand.ExhaustiveRequest {
    fileprivate mutating func set(_ word: String, _ value: String) -> Bool {
        if word == "--mistake" {
            plan.mistake = Mistake(rawValue: value)
            return plan.mistake != nil
        }
        // More than a hundred of anything comes to no end.
        guard let number = Int(value), number >= 0, word == "--limit" || number < 100 else { return false }
        switch word {
        case "--limit": limit = number
        case "--envelopes": plan.envelopes = number
        case "--crashes": plan.budget.crashes = number
        case "--cuts": plan.budget.cuts = number
        case "--ticks": plan.budget.ticks = number
        case "--store-failures": plan.budget.storeFailures = number
        case "--refusals": plan.budget.refusals = number
        case "--route-changes": plan.budget.routeChanges = number
        default: plan.budget.returns = number
        }
        return word != "--envelopes" || (1...4).contains(number)
    }
}

extension ExhaustiveSearch.Result: CustomStringConvertible {
    var description: String {
        "\(states) states\(isWhole ? "" : " (not all)"), \(steps) steps between them, \(paths) paths, "
            + "depth \(depth), \(rests) times at rest, \(ends) ends, at most \(deliveries) arrivals of an envelope"
    }
}

extension ExhaustiveSearch.Violation: CustomStringConvertible {
    var description: String {
        let lines = way.enumerated().map { "\($0.offset + 1). \($0.element.description)" }
        return (["violation: \(text)"] + lines + (isAtRest ? ["then nothing but time passes"] : [])).joined(
            separator: "\n")
    }
}
