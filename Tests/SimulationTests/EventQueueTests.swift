import Envelope
import Testing

@testable import Simulation

struct EventQueueTests {
    @Test func comesOutByTimeAndThenByOrder() {
        var random = SeededRandom(seed: 9)
        var queue = EventQueue()
        for value in 0..<2000 { queue.push(Event(.timer, at: Int64(random.below(50)), value: UInt64(value))) }
        var popped: [Event] = []
        while let event = queue.pop() {
            popped.append(event)
            // As a run does it: new events come while others go.
            if popped.count % 3 == 0, popped.count < 3000 {
                queue.push(Event(.timer, at: event.time + Int64(random.below(20)), value: 2000))
            }
        }
        #expect(popped.count == 2000 + popped.count { $0.value == 2000 })
        #expect(zip(popped, popped.dropFirst()).allSatisfy { $0.isBefore($1) })
    }
}

struct MachineClockTests {
    @Test(arguments: [Int64(0), 200, -200, 9_999, -9_999])
    func aDeadlineIsReachedAtItsTimeAndNotBefore(drift: Int64) {
        let clock = MachineClock(at: 1_000, monotonic: 77_000_000_000, drift: drift)
        var random = SeededRandom(seed: UInt64(bitPattern: drift))
        for _ in 0..<2000 {
            let deadline = clock.now(1_000) + random.duration(in: .zero...(.seconds(500_000)))
            let time = clock.time(of: deadline)
            #expect(clock.now(time) >= deadline)
            if time > 1_000 { #expect(clock.now(time - 2) < deadline) }
        }
        #expect(clock.time(of: .never) == .max)
        #expect(clock.time(of: .zero) == 1_000)
    }

    @Test func theWallStepsAndTheOtherDoesNot() {
        var clock = MachineClock(at: 0, monotonic: 5, drift: 100, wall: 0)
        #expect(clock.wall(2_000_000).milliseconds == 2)
        let before = clock.now(1_000_000)
        clock.step(by: -50_000_000)
        #expect(clock.now(1_000_000) == before)
        #expect(clock.wall(0).milliseconds == -50)
        clock.correct(at: 3_000_000)
        #expect(clock.wall(3_000_000).milliseconds == MachineClock.epoch + 3)
        #expect(clock.now(4_000_000) - clock.now(3_000_000) == .milliseconds(1))
    }
}
