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

    /// Found by fuzzing the order of deliveries: a peer may number an envelope as it likes.
    @Test func theGreatestSequenceFollowsItself() {
        #expect(Sequence(7).next == Sequence(8))
        #expect(Sequence(.max).next == Sequence(.max))
    }
}
