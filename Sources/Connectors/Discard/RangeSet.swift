/// Numbers seen, kept as ranges, so that a rising sequence costs one range however long it is.
struct RangeSet {
    /// Ranges kept; beyond it the two lowest are joined, and what is missing between them is no longer counted.
    static let ranges = 65_536

    private(set) var ranges: [ClosedRange<UInt64>] = []
    /// Different numbers inserted.
    private(set) var count: UInt64 = 0

    /// False where the number was there already.
    mutating func insert(_ number: UInt64) -> Bool {
        // Nearly always: the next number.
        if let last = ranges.last, number > last.upperBound {
            if number == last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
                bound()
            }
            count += 1
            return true
        }
        return insertInside(number)
    }

    /// Numbers between the lowest and the highest that were never inserted.
    var missing: UInt64 {
        zip(ranges, ranges.dropFirst()).reduce(0) { $0 + ($1.1.lowerBound - $1.0.upperBound - 1) }
    }

    private mutating func insertInside(_ number: UInt64) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        if low < ranges.count, ranges[low].contains(number) { return false }
        ranges.insert(number...number, at: low)
        count += 1
        join(at: low)
        if low > 0 { join(at: low - 1) }
        bound()
        return true
    }

    private mutating func join(at index: Int) {
        guard index + 1 < ranges.count, ranges[index].upperBound + 1 == ranges[index + 1].lowerBound else { return }
        ranges[index] = ranges[index].lowerBound...ranges[index + 1].upperBound
        ranges.remove(at: index + 1)
    }

    private mutating func bound() {
        guard ranges.count > Self.ranges else { return }
        ranges[0] = ranges[0].lowerBound...ranges[1].upperBound
        ranges.remove(at: 1)
    }
}
