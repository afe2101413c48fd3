import Envelope
import Testing

@testable import Node

struct ForecasterTests {
    private let queue = Forecaster.Queue(destination: NodeID(Bytes16(low: 1, high: 1)), lane: .live)
    private let start = Instant(nanoseconds: 7_000_000_000)

    @Test func oneLookTellsNothing() {
        var forecaster = Forecaster()
        forecaster.note(storeBytes: 100, queues: [queue: 100], at: start)
        #expect(forecaster.secondsToFull(100, limit: 1000) == nil)
        #expect(forecaster.secondsToDrain(queue, 100) == nil)
        // A second one of the same moment neither.
        forecaster.note(storeBytes: 200, queues: [queue: 0], at: start)
        #expect(forecaster.secondsToFull(200, limit: 1000) == nil)
    }

    @Test func whatGrowsEvenlyIsFullOnTime() throws {
        var forecaster = Forecaster()
        for look in 0...100 {
            forecaster.note(storeBytes: look * 5000, queues: [:], at: start + .seconds(5 * look))
        }
        let seconds = try #require(forecaster.secondsToFull(500_000, limit: 1_500_000))
        #expect(abs(seconds - 1000) < 0.001)
        #expect(forecaster.secondsToFull(2_000_000, limit: 1_500_000) == 0)
    }

    @Test func whatShrinksEvenlyIsEmptyOnTime() throws {
        var forecaster = Forecaster()
        for look in 0...20 {
            let bytes = 1_000_000 - look * 10_000
            forecaster.note(storeBytes: bytes, queues: [queue: bytes], at: start + .seconds(5 * look))
        }
        #expect(abs(try #require(forecaster.secondsToDrain(queue, 800_000)) - 400) < 0.001)
        #expect(forecaster.secondsToFull(800_000, limit: 1_000_000) == nil)
    }

    @Test func aQueueThatGrowsOrStandsStillIsNotDrained() {
        var forecaster = Forecaster()
        let other = Forecaster.Queue(destination: queue.destination, lane: nil)
        for look in 0...20 {
            forecaster.note(storeBytes: 0, queues: [queue: look * 100, other: 77], at: start + .seconds(5 * look))
        }
        #expect(forecaster.secondsToDrain(queue, 2000) == nil)
        #expect(forecaster.secondsToDrain(other, 77) == nil)
    }

    @Test func whatChangedIsFollowedWithinMinutes() throws {
        var forecaster = Forecaster()
        var (bytes, now) = (0, start)
        for look in 0...200 {
            bytes += look < 100 ? 50_000 : 5_000
            now = now + .seconds(5)
            forecaster.note(storeBytes: bytes, queues: [:], at: now)
        }
        // From 10,000 to 1,000 bytes a second.
        let seconds = try #require(forecaster.secondsToFull(0, limit: 1_000_000))
        #expect((900...1000).contains(seconds), "\(seconds)")
    }

    @Test func aQueueThatWasEmptyBeginsAnew() {
        var forecaster = Forecaster()
        for look in 0...5 {
            forecaster.note(storeBytes: 0, queues: [queue: 1000 - look * 100], at: start + .seconds(5 * look))
        }
        forecaster.note(storeBytes: 0, queues: [:], at: start + .seconds(30))
        forecaster.note(storeBytes: 0, queues: [queue: 5000], at: start + .seconds(35))
        #expect(forecaster.secondsToDrain(queue, 5000) == nil)
    }
}
