/// Finds what somebody may have meant.
enum Suggestion {
    static func hint(for word: String, among known: [String]) -> String? {
        nearest(to: word, among: known).map { "did you mean '\($0)'?" }
    }

    /// The one known word that begins so, else the one with the fewest changed letters, where few enough are; the
    /// first of equals.
    static func nearest(to word: String, among known: [String]) -> String? {
        let longer = Set(known.filter { word.count >= 2 && $0.hasPrefix(word) })
        if longer.count == 1 { return longer.first }
        let allowed = max(1, word.utf8.count / 3)
        return known.map { (word: $0, distance: distance(word, $0)) }
            .filter { $0.distance <= allowed }
            .min { $0.distance < $1.distance }?.word
    }

    /// Insertions, deletions, replacements and swaps of neighbours (the optimal string alignment distance).
    static func distance(_ left: String, _ right: String) -> Int {
        // A word that no option comes near in length is not worth a table.
        let (left, right) = (Array(left.utf8.prefix(64)), Array(right.utf8.prefix(64)))
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var before: [Int] = []
        var last = Array(0...right.count)
        for row in 1...left.count {
            var current = [row] + Array(repeating: 0, count: right.count)
            for column in 1...right.count {
                let isSame = left[row - 1] == right[column - 1]
                var cost = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (isSame ? 0 : 1))
                let isSwap =
                    row > 1 && column > 1 && left[row - 1] == right[column - 2]
                    && left[row - 2] == right[column - 1]
                if isSwap { cost = min(cost, before[column - 2] + 1) }
                current[column] = cost
            }
            (before, last) = (last, current)
        }
        return last[right.count]
    }
}
