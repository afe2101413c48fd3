import Glibc
import Testing

@testable import Platform

struct SignalsTests {
    @Test func aSignalReachesItsActions() throws {
        var seen: [String] = []
        try play { reactor in
            try reactor.onSignal(SIGUSR1) { seen.append("first") }
            try reactor.onSignal(SIGUSR1) {
                seen.append("second")
                reactor.afterTurn { if seen.count == 2 { reactor.stop() } }
            }
            reactor.afterTurn { kill(getpid(), SIGUSR1) }
            reactor.afterEveryTurn { if seen.count == 2 { reactor.stop() } }
        }
        #expect(Set(seen) == ["first", "second"])
    }

    @Test func aNumberThatCannotBeCaughtThrows() throws {
        let reactor = try Reactor()
        #expect(throws: ReactorError.self) { try reactor.onSignal(SIGKILL) {} }
        #expect(throws: ReactorError.self) { try reactor.onSignal(4711) {} }
        reactor.shutDown()
    }
}
