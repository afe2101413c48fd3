import Testing

@testable import Simulation

struct SeededRandomTests {
    /// The reference values of SplitMix64 from seed 1234567.
    @Test func isSplitMix64() {
        var random = SeededRandom(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
    }

    @Test func forksAreIndependent() {
        let source = SeededRandom(seed: 1)
        var (a, b, again) = (source.fork(1), source.fork(2), source.fork(1))
        let (first, second) = (a.next(), b.next())
        #expect(first != second)
        #expect(first == again.next())
    }

    @Test func rangesKeepTheirEnds() {
        var random = SeededRandom(seed: 3)
        var seen: [Int: Int] = [:]
        for _ in 0..<3000 { seen[random.number(in: -1...1), default: 0] += 1 }
        #expect(seen.count == 3 && (seen[-1] ?? 0) > 800 && (seen[1] ?? 0) > 800)
        for _ in 0..<1000 {
            let time = random.duration(in: .nanoseconds(5)...(.nanoseconds(6)))
            #expect(time == .nanoseconds(5) || time == .nanoseconds(6))
        }
        #expect((0..<1000).allSatisfy { _ in !random.chance(0) })
        #expect((0..<1000).allSatisfy { _ in random.chance(1) })
    }
}
