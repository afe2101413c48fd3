import Envelope
import Testing

@testable import Platform

struct BackoffTests {
    @Test func doublesUpToTheLongestAndNeverEnds() {
        var backoff = Backoff(shortest: .milliseconds(100), longest: .seconds(30))
        let delays = (0..<2000).map { _ in backoff.next(random: .max).wholeMilliseconds }
        #expect(delays.prefix(10) == [99, 199, 399, 799, 1599, 3199, 6399, 12799, 25599, 29999])
        #expect(delays.dropFirst(9).allSatisfy { $0 == 29_999 })
    }

    @Test func isHalfAtLeast() {
        var backoff = Backoff(shortest: .milliseconds(100), longest: .seconds(30))
        #expect(backoff.next(random: 0) == .milliseconds(50))
        #expect(backoff.next(random: 0) == .milliseconds(100))
        #expect(backoff.next(random: .max / 2 + 1) == .milliseconds(300))
    }

    @Test func beginsAnewOnlyAfterASteadySession() {
        var backoff = Backoff(steadyAfter: .seconds(10))
        for _ in 0..<5 { _ = backoff.next(random: 0) }
        backoff.sessionEnded(after: .milliseconds(9999))
        #expect(backoff.failures == 5)
        backoff.sessionEnded(after: .seconds(10))
        #expect(backoff.next(random: 0) == .milliseconds(50))
    }
}
