import Envelope
import TestSupport
import Testing

@testable import AgentCore

@Suite struct DeliveryOrderTests {
    private static let stream = Sample.stream(1)

    private func order(mark: UInt64 = 0, memory: Int = 1000) -> DeliveryOrder<UInt64> {
        var order = DeliveryOrder<UInt64>(memoryBytes: memory)
        order.add(Self.stream, mark: Sequence(mark))
        return order
    }

    private func offer(
        _ order: inout DeliveryOrder<UInt64>, _ sequence: UInt64, floor: UInt64 = 1, bytes: Int = 10,
        stream: StreamID = stream
    ) -> DeliveryOrder<UInt64>.Verdict {
        order.offer(stream, Sequence(sequence), floor: Sequence(floor), bytes: bytes, token: sequence)
    }

    private func take(_ order: inout DeliveryOrder<UInt64>, bytes: Int = .max) -> [UInt64] {
        let ready = order.takeReady(bytes: bytes)
        for item in ready { order.applied(item.stream, through: item.sequence) }
        return ready.map(\.token)
    }

    @Test func anyOrderComesOutInOrder() {
        for seed in 0..<50 {
            var random = SeededGenerator(UInt64(seed))
            var order = order(mark: 5)
            var rest = Array(6...60).map { UInt64($0) }
            rest += rest.shuffled(using: &random).prefix(20)
            rest.shuffle(using: &random)
            var taken: [UInt64] = []
            for sequence in rest {
                let isDone = taken.contains(sequence)
                let verdict = offer(&order, sequence)
                #expect((verdict == .duplicate) == isDone)
                if Int.random(in: 0..<3, using: &random) == 0 { taken += take(&order) }
            }
            taken += take(&order)
            #expect(taken == Array(6...60))
            #expect(order.bytesWaiting == 0)
        }
    }

    @Test func aSecondCopyIsTurnedAwayWhileTheFirstWaitsOrIsBeingApplied() {
        var order = order()
        #expect(offer(&order, 2) == .waits)
        #expect(offer(&order, 2) == .turnedAway)
        #expect(offer(&order, 1) == .waits)
        let ready = order.takeReady(bytes: .max)
        #expect(ready.map(\.token) == [1, 2])
        #expect(offer(&order, 1) == .turnedAway)
        #expect(offer(&order, 3) == .waits)
        // Nothing is given out twice, and what follows may go before the commit is done.
        #expect(order.takeReady(bytes: .max).map(\.token) == [3])
        order.applied(Self.stream, through: Sequence(2))
        #expect(offer(&order, 2) == .duplicate)
    }

    @Test func aGapBelowTheFloorIsNotWaitedFor() {
        var order = order(mark: 3)
        #expect(offer(&order, 8) == .waits)
        #expect(take(&order) == [])
        #expect(offer(&order, 9, floor: 8) == .waits)
        #expect(take(&order) == [8, 9])
        // The floor also says of a stream seen first in its middle where it goes on.
        #expect(offer(&order, 200_000, floor: 200_000) == .waits)
        #expect(take(&order) == [200_000])
    }

    @Test func whatWaitsBelowTheFloorIsAppliedFirst() {
        var order = order()
        #expect(offer(&order, 3) == .waits)
        #expect(offer(&order, 7) == .waits)
        #expect(offer(&order, 12, floor: 10) == .waits)
        #expect(take(&order) == [3])
        #expect(take(&order) == [7])
        #expect(take(&order) == [])
        #expect(offer(&order, 10, floor: 10) == .waits)
        #expect(take(&order) == [10])
        #expect(offer(&order, 11) == .waits)
        #expect(take(&order) == [11, 12])
    }

    @Test func memoryIsBoundedButTheNextAlwaysFits() {
        var order = order(memory: 30)
        #expect(offer(&order, 2) == .waits)
        #expect(offer(&order, 3) == .waits)
        #expect(offer(&order, 4) == .waits)
        #expect(offer(&order, 5) == .turnedAway)
        #expect(offer(&order, 1, bytes: 1_000_000) == .waits)
        #expect(take(&order, bytes: 1) == [1])
        #expect(take(&order) == [2, 3, 4])
        #expect(order.bytesWaiting == 0)
    }

    @Test func farBeyondTheWindowIsTurnedAway() {
        var order = order()
        #expect(offer(&order, Limits.window) == .waits)
        #expect(offer(&order, Limits.window + 1) == .turnedAway)
    }

    @Test func theLargestNumbersDoNotTrap() {
        var order = order()
        #expect(offer(&order, .max, floor: .max) == .waits)
        #expect(take(&order) == [.max])
        #expect(offer(&order, .max, floor: .max) == .duplicate)
        #expect(offer(&order, 1) == .duplicate)
        #expect(take(&order) == [])
        var other = self.order(mark: .max)
        #expect(offer(&other, .max) == .duplicate)
    }

    @Test func eachStreamGetsItsTurn() {
        var order = order()
        order.add(Sample.stream(2), mark: .none)
        for sequence in 1...10 { _ = offer(&order, UInt64(sequence)) }
        for sequence in 1...10 { _ = offer(&order, UInt64(100 + sequence), floor: 101, stream: Sample.stream(2)) }
        #expect(take(&order, bytes: 30) == [1, 2, 3])
        #expect(take(&order, bytes: 30) == [101, 102, 103])
        #expect(take(&order, bytes: 30) == [4, 5, 6])
    }

    @Test func aRemovedStreamGivesOutWhatWaits() {
        var order = order()
        _ = offer(&order, 2)
        _ = offer(&order, 1)
        #expect(order.remove(Self.stream) == [1, 2])
        #expect(!order.knows(Self.stream))
        #expect(order.bytesWaiting == 0)
        #expect(take(&order) == [])
        order.add(Sample.stream(2), mark: .none)
        #expect(offer(&order, 1, stream: Sample.stream(2)) == .waits)
        #expect(take(&order) == [1])
        #expect(order.removeAll() == [])
    }

    @Test func idleStreamsAreForgottenAndBusyOnesKept() {
        var order = DeliveryOrder<UInt64>(memoryBytes: 1000, streamLimit: 10)
        order.add(Self.stream, mark: .none)
        #expect(offer(&order, 2) == .waits)
        for number in 2...500 { order.add(Sample.stream(UInt64(number)), mark: .none) }
        #expect(order.streamCount <= 11)
        #expect(order.knows(Self.stream))
        #expect(order.knows(Sample.stream(500)))
        #expect(offer(&order, 1) == .waits)
        #expect(take(&order) == [1, 2])
    }
}
