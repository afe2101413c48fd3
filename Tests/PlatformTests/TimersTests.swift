import Envelope
import Testing

@testable import Platform

struct TimersTests {
    @Test func fireInOrderAndNeverEarly() throws {
        var fired: [Int] = []
        try play { reactor in
            let start = Clock.now
            for milliseconds in [9, 3, 12, 3, 1, 6] {
                let deadline = start + .milliseconds(milliseconds)
                reactor.schedule(at: deadline) {
                    #expect(Clock.now >= deadline)
                    fired.append(milliseconds)
                    if fired.count == 6 { reactor.stop() }
                }
            }
        }
        #expect(fired == [1, 3, 3, 6, 9, 12])
    }

    @Test func aCancelledTimerDoesNotFire() throws {
        try play { reactor in
            let token = reactor.schedule(after: .milliseconds(2)) { Issue.record("fired") }
            reactor.schedule(after: .milliseconds(1)) { reactor.cancel(token) }
            reactor.schedule(after: .milliseconds(4)) {
                reactor.cancel(token)
                reactor.stop()
            }
            reactor.schedule(at: .never) { Issue.record("never came") }
        }
    }

    @Test func aDeadlineTimerMovesBothWaysAndRearms() throws {
        var fired = 0
        try play { reactor in
            let start = reactor.now
            var timer: DeadlineTimer?
            timer = DeadlineTimer(reactor) {
                fired += 1
                #expect(timer?.deadline == nil)
                if fired == 3 {
                    timer = nil
                    reactor.stop()
                } else {
                    timer?.arm(at: reactor.now + .milliseconds(1))
                }
            }
            timer?.arm(at: start + .seconds(3600))
            timer?.arm(at: start + .milliseconds(5))
            timer?.arm(at: start + .milliseconds(2))
            #expect(timer?.deadline == start + .milliseconds(2))
            timer?.arm(at: nil)
            #expect(timer?.deadline == nil)
            timer?.arm(at: start + .milliseconds(3))
        }
        #expect(fired == 3)
    }

    @Test func anActionThatRearmsForThePastDoesNotHoldTheLoop() throws {
        try play { reactor in
            var rounds = 0
            func again() {
                rounds += 1
                if rounds < 1000 { reactor.schedule(at: .zero, again) }
            }
            again()
            reactor.mailbox.post {}
            reactor.schedule(after: .milliseconds(1)) { reactor.stop() }
        }
    }

    /// A model of the queue is a plain list, sorted when asked.
    @Test func theQueueAgreesWithASortedList() {
        var random = SystemRandomNumberGenerator()
        let queue = TimerQueue()
        var fired: [Int] = []
        let entries = (0..<200).map { index in TimerEntry(isOneShot: false) { fired.append(index) } }
        var model: [Int: Int64] = [:]
        for _ in 0..<5000 {
            let index = Int.random(in: 0..<200, using: &random)
            if Int.random(in: 0..<3, using: &random) == 0 {
                queue.disarm(entries[index])
                model[index] = nil
            } else {
                let deadline = Int64.random(in: 0..<1000, using: &random)
                queue.arm(entries[index], at: Instant(nanoseconds: deadline))
                model[index] = deadline
            }
            #expect(queue.nextDeadline?.nanoseconds == model.values.min())
        }
        queue.fire(at: Instant(nanoseconds: 500))
        #expect(Set(fired) == Set(model.filter { $0.value <= 500 }.keys))
        #expect(fired.map { model[$0] ?? -1 } == fired.map { model[$0] ?? -1 }.sorted())
        #expect(queue.nextDeadline?.nanoseconds == model.values.filter { $0 > 500 }.min())
    }
}
