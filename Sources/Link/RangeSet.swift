/// A set of transmission numbers as rising, disjoint, non-adjacent ranges.
///
/// Transmissions become safe nearly in order, so it holds one or two ranges in steady state. Its owner bounds it with
/// ``keepHighest(_:)``.
public struct RangeSet: Equatable, Sendable {
    public private(set) var ranges: [ClosedRange<UInt64>] = []

    public init() {}

    public var isEmpty: Bool { ranges.isEmpty }

    public func contains(_ number: UInt64) -> Bool {
        let index = firstRange(endingAtOrAfter: number)
        return index < ranges.count && ranges[index].lowerBound <= number
    }

    public mutating func insert(_ number: UInt64) {
        if let last = ranges.last, last.upperBound < number, last.upperBound + 1 == number {
            ranges[ranges.count - 1] = last.lowerBound...number
            return
        }
        insert(number...number)
    }

    public mutating func insert(_ range: ClosedRange<UInt64>) {
        let reachLow = range.lowerBound == 0 ? 0 : range.lowerBound - 1
        let first = firstRange(endingAtOrAfter: reachLow)
        var merged = range
        var end = first
        while end < ranges.count, ranges[end].lowerBound <= (merged.upperBound == .max ? .max : merged.upperBound + 1) {
            merged = min(merged.lowerBound, ranges[end].lowerBound)...max(merged.upperBound, ranges[end].upperBound)
            end += 1
        }
        ranges.replaceSubrange(first..<end, with: CollectionOfOne(merged))
    }

    /// Lets the lowest ranges go where there are more than `count`.
    public mutating func keepHighest(_ count: Int) {
        guard ranges.count > count else { return }
        ranges.removeFirst(ranges.count - count)
    }

    public mutating func removeAll() { ranges.removeAll(keepingCapacity: true) }

    private func firstRange(endingAtOrAfter number: UInt64) -> Int {
        if let last = ranges.last, last.upperBound < number { return ranges.count }
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
