import TestSupport
import Testing

@testable import Link

struct RangeSetTests {
    @Test func behavesAsASet() {
        for seed in UInt64(1)...40 {
            var random = SeededGenerator(seed: seed)
            var set = RangeSet()
            var model: Set<UInt64> = []
            for _ in 0..<120 {
                let first = UInt64.random(in: 0...150, using: &random)
                if Bool.random(using: &random) {
                    set.insert(first)
                    model.insert(first)
                } else {
                    let last = first + .random(in: 0...12, using: &random)
                    set.insert(first...last)
                    model.formUnion(first...last)
                }
                #expect(Set(set.ranges.flatMap { Array($0) }) == model)
                for (left, right) in zip(set.ranges, set.ranges.dropFirst()) {
                    #expect(left.upperBound + 1 < right.lowerBound)
                }
            }
            for number in UInt64(0)...200 { #expect(set.contains(number) == model.contains(number)) }
        }
    }

    @Test func theEndsOfTheNumbers() {
        var set = RangeSet()
        set.insert(UInt64.max)
        set.insert(0)
        set.insert(UInt64.max - 1)
        #expect(set.ranges == [0...0, (UInt64.max - 1)...UInt64.max])
        set.insert(0...UInt64.max)
        #expect(set.ranges == [0...UInt64.max])
        #expect(set.contains(7))
    }

    @Test func letsTheLowestGo() {
        var set = RangeSet()
        for number in UInt64(0)..<10 { set.insert(number * 2) }
        set.keepHighest(3)
        #expect(set.ranges == [14...14, 16...16, 18...18])
        set.keepHighest(3)
        #expect(set.ranges.count == 3)
    }
}
