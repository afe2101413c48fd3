import Envelope
import Testing

@testable import Platform

struct ClockTests {
    @Test func monotonicTimeDoesNotGoBack() {
        var latest = Clock.now
        for _ in 0..<1000 {
            let now = Clock.now
            #expect(now >= latest)
            latest = now
        }
    }

    @Test func wallTimeIsInThisCentury() {
        #expect(Clock.wall.milliseconds > 1_700_000_000_000)
        #expect(Clock.wall.milliseconds < 4_102_444_800_000)
    }

    @Test func theBootHasAName() {
        #expect(Clock.bootID.count == 36)
        #expect(Clock.bootID.allSatisfy { $0 == "-" || $0.isHexDigit })
    }
}
