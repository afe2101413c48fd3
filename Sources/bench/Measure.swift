/// Which operations are measured, and how often.
struct Selection {
    static let usage = "bench [NAME] [--rounds ROUNDS] [--operations COUNT] | bench --list"

    /// nil for all.
    var name: String?
    /// The best round counts, since everything that disturbs one only makes it longer.
    var rounds = 7
    /// Operations a round, where the measurement's own number is not wanted: a counter of instructions runs a few.
    var operations: Int?
    var isList = false

    /// - Returns: nil where the words are none of the usage.
    init?(_ words: [String]) {
        var words = words[...]
        while let word = words.popFirst() {
            switch word {
            case "--list": isList = true
            case "--rounds":
                guard let count = Self.count(words.popFirst()) else { return nil }
                rounds = count
            case "--operations":
                guard let count = Self.count(words.popFirst()) else { return nil }
                operations = count
            default:
                guard name == nil, !word.hasPrefix("-") else { return nil }
                name = word
            }
        }
    }

    private static func count(_ word: String?) -> Int? {
        guard let count = word.flatMap({ Int($0) }), (1...1_000_000_000).contains(count) else { return nil }
        return count
    }

    /// Whether to measure this at all; in a list it is only named. To be asked before much is made ready.
    func wants(_ name: String) -> Bool {
        if isList { print(name) }
        return !isList && (self.name.map { $0 == name } ?? true)
    }

    /// Times a body that does as many operations as it is told and prints nanoseconds an operation.
    func measure(_ name: String, count: Int, _ body: (Int) -> Void) {
        guard wants(name) else { return }
        let count = operations ?? count
        let clock = ContinuousClock()
        var best = Duration.seconds(1_000_000)
        for _ in 0..<rounds { best = min(best, clock.measure { body(count) }) }
        let (seconds, attoseconds) = best.components
        let nanoseconds = Double(seconds) * 1e9 + Double(attoseconds) / 1e9
        let tenths = Int(nanoseconds / Double(count) * 10)
        print("| \(name) | \(tenths / 10).\(tenths % 10) |")
    }
}

/// Keeps the optimiser from leaving out a result nobody uses.
@inline(never)
func use<Value: ~Copyable>(_ value: borrowing Value) {}
