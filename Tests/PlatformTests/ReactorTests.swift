import Envelope
import Testing

@testable import Platform

struct ReactorTests {
    @Test func runsWhatWasAskedForAtTheEndOfTheTurn() throws {
        var events: [String] = []
        try play { reactor in
            let hook = reactor.afterEveryTurn { events.append("every") }
            reactor.schedule(at: reactor.now) {
                events.append("timer")
                reactor.afterTurn {
                    events.append("once")
                    reactor.afterTurn {
                        events.append("next turn")
                        hook.cancel()
                        reactor.afterTurn { reactor.stop() }
                    }
                }
            }
        }
        #expect(events.drop { $0 == "every" } == ["timer", "once", "every", "next turn"])
    }

    @Test func readsTheClockOnceATurn() throws {
        try play { reactor in
            var first = Instant.zero
            reactor.schedule(at: reactor.now) {
                first = reactor.now
                while Clock.now <= first {}
                #expect(reactor.now == first)
                reactor.schedule(at: reactor.now) {
                    #expect(reactor.now > first)
                    reactor.stop()
                }
            }
        }
    }

    @Test func runsAgainAfterStop() throws {
        let reactor = try Reactor()
        var turns = 0
        for _ in 0..<3 {
            reactor.afterTurn {
                turns += 1
                reactor.stop()
            }
            reactor.run()
        }
        reactor.shutDown()
        #expect(turns == 3)
    }

    @Test func isGoneAfterShutDown() throws {
        weak var gone: Reactor?
        do {
            let reactor = try Reactor()
            gone = reactor
            let listener = try reactor.listen { _ in }
            let owner = Player()
            reactor.dial(listener.port, owner)
            reactor.schedule(after: .seconds(3600)) { _ = reactor.now }
            reactor.afterEveryTurn { _ = reactor.now }
            reactor.afterTurn { reactor.stop() }
            reactor.run()
            reactor.shutDown()
            #expect(owner.reasons == [.shutDown])
        }
        #expect(gone == nil)
    }
}
