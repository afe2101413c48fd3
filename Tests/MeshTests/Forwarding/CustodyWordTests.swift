import Envelope
import Testing

@testable import Mesh

/// When a neighbour hears of custody, and how long a relay waits for such a word before it stores.
@Suite struct CustodyWordTests {
    private func line() -> Line { Line { $0.wordPause = .milliseconds(1) } }

    @Test func whatIsSafeSoonAfterAWordSharesTheNext() {
        let line = line()
        line.world.send(line.a, line.b)
        line.world.flow()
        #expect(line.world.ledger.departed.count == 1, "the first is told at once")
        for _ in 0..<3 {
            line.world.send(line.a, line.b)
            line.world.flow()
        }
        #expect(line.world.ledger.deliveries == [1, 2, 3, 4])
        line.world.advance(.microseconds(999))
        line.world.flow()
        #expect(line.world.ledger.departed.count == 1)
        line.world.advance(.microseconds(1))
        line.world.flow()
        #expect(line.world.ledger.departed.count == 4)
        #expect(line.world.isDrained)
        // After a rest a word comes at once again.
        line.world.advance(.milliseconds(2))
        line.world.send(line.a, line.b)
        line.world.flow()
        #expect(line.world.ledger.departed.count == 5)
    }

    @Test func whoNeedsCreditIsToldAtOnce() {
        let line = line()
        line.world.send(line.a, line.b)
        line.world.flow()
        for _ in 0..<3 { line.world.send(line.a, line.b, body: Limits.linkWindowBytes / 16) }
        line.world.flow()
        #expect(line.world.ledger.departed.count == 1)
        line.world.send(line.a, line.b, body: Limits.linkWindowBytes / 16)
        line.world.flow()
        #expect(line.world.ledger.departed.count == 5)
    }

    @Test func aRelayThatStopsTellsAtOnce() {
        let line = line()
        for _ in 0..<2 {
            line.world.send(line.a, line.b)
            line.world.flow()
        }
        #expect(line.r2.isEmpty && !line.r1.isEmpty)
        line.r2.exchange.forwarder.beginDraining(at: line.world.now)
        line.world.turn(line.r2)
        line.world.flow()
        #expect(line.r1.isEmpty)
    }

    /// Half a second in a queue is usual then, and half a second more in memory no reason to store; what was stored for
    /// longer than anything is held says nothing.
    @Test(arguments: [(500, 0), (3000, 1)])
    func theWaitInAQueueCountsForTheHoldTime(milliseconds: Int, writes: Int) throws {
        let line = Line(connected: false)
        line.world.connect(line.a, line.r1)
        line.world.connect(line.r1, line.r2)
        line.world.send(line.a, line.b)
        line.world.run(.milliseconds(milliseconds))
        line.world.connect(line.r2, line.b)
        line.world.flow()
        #expect(line.world.ledger.deliveries == [1] && line.world.isDrained)
        let before = line.r2.store.writes
        line.b.isSlow = true
        line.world.send(line.a, line.b)
        line.world.run(.milliseconds(100))
        #expect(line.r2.store.writes - before == writes)
        line.world.run(.seconds(1))
        #expect(line.r2.store.writes - before == 1)
        line.b.isSlow = false
        line.world.flow()
        #expect(line.world.ledger.deliveries == [1, 2] && line.world.isDrained)
    }
}
