import Envelope
import Testing

@Suite struct InstantTests {
    /// Found by fuzzing a stored envelope: the time of its writing comes from a disk.
    @Test func differencesSaturate() {
        let first = Instant(nanoseconds: .min)
        #expect(Instant.never - first == .nanoseconds(Int64.max))
        #expect(first - Instant.never == .nanoseconds(Int64.min))
        #expect(Instant(nanoseconds: 5) - Instant(nanoseconds: 7) == .nanoseconds(-2))
    }

    @Test func sumsSaturate() {
        #expect(Instant(nanoseconds: 5) + .nanoseconds(Int64.max) == .never)
        #expect(Instant(nanoseconds: 5) + .nanoseconds(2) == Instant(nanoseconds: 7))
    }

    /// The attoseconds of nine seconds fit a word, and those of ten do not.
    @Test(arguments: [0, 1, 999_999_999, 9_223_372_036, 9_223_372_037, 86_400_000_000_001, .max])
    func nanosecondsAreWhole(_ count: Int64) {
        #expect(Duration.nanoseconds(count).wholeNanoseconds == count)
        #expect(Duration.nanoseconds(-count).wholeNanoseconds == -count)
    }

    @Test func nanosecondsAreCutTowardsZeroAndSaturate() {
        let part = Duration(secondsComponent: 3, attosecondsComponent: 1_999_999_999)
        #expect(part.wholeNanoseconds == 3_000_000_001)
        #expect((.zero - part).wholeNanoseconds == -3_000_000_001)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
    }

    /// Found by fuzzing the order of deliveries: a peer may number an envelope as it likes.
    @Test func theGreatestSequenceFollowsItself() {
        #expect(Sequence(7).next == Sequence(8))
        #expect(Sequence(.max).next == Sequence(.max))
    }
}
