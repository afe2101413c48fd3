/// Finds the word a person most likely meant.
enum NearestWord {
    /// The candidate that takes the fewest typing slips to get to; nil where none is near enough to be meant.
    ///
    /// Ties go to the first candidate.
    static func of(_ word: String, in candidates: [String]) -> String? {
        let typed = Array(word.lowercased().utf8.prefix(64))
        let slips = typed.count <= 3 ? 1 : typed.count <= 6 ? 2 : 3
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let distance = distance(typed, Array(candidate.lowercased().utf8.prefix(64)))
            if distance <= slips, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// Letters added, left out, changed or swapped with their neighbour (optimal string alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                var cost = min(last[column + 1] + 1, current[column] + 1)
                cost = min(cost, last[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
