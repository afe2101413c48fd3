import Envelope
import Link
import Testing

@testable import Mesh

/// What a node reports of its queues and links.
struct FiguresTests {
    @Test func aQueueThatWaitsIsReportedWithItsAge() {
        let line = Line(connected: false)
        line.world.connect(line.a, line.r1)
        line.world.flow()
        for _ in 0..<5 { line.world.send(line.a, line.b) }
        line.world.run(.seconds(2))
        let figures = line.r1.exchange.forwarder.queueFigures(at: line.world.now)
        #expect(figures.map(\.destination) == [line.b.id] && figures.map(\.envelopes) == [5])
        #expect(figures.allSatisfy { $0.inFlight == 0 && $0.nextHop == nil && $0.bytes > 0 && !$0.isHeld })
        #expect(figures.allSatisfy { $0.oldestAge >= .seconds(1) && $0.oldestAge <= .seconds(3) })
        let links = line.r1.exchange.forwarder.linkFigures(at: line.world.now)
        #expect(links.reduce(0) { $0 + $1.envelopes } == 0, "they wait for no neighbour")
        #expect(links.contains { $0.peer == line.a.id && $0.isUp })
    }

    @Test func whatIsSentAndNotConfirmedCountsForItsLink() {
        let line = Line { $0.holdTime = .seconds(50) ... .seconds(60) }
        line.b.isSlow = true
        for _ in 0..<4 { line.world.send(line.a, line.b) }
        line.world.run(.milliseconds(500))
        let now = line.world.now
        let figures = line.r1.exchange.forwarder.queueFigures(at: now)
        #expect(figures.map(\.inFlight) == [4] && figures.map(\.envelopes) == [4])
        #expect(figures.map(\.nextHop) == [line.r2.id])
        let link = line.r1.exchange.forwarder.linkFigures(at: now).first { $0.peer == line.r2.id }
        #expect(link?.envelopes == 4 && link?.bytes == figures.first?.bytes)
        #expect(link?.oldestAge == figures.first?.oldestAge && link?.isUp == true)
        line.b.isSlow = false
        line.world.run(.seconds(1))
        #expect(line.r1.exchange.forwarder.queueFigures(at: line.world.now).isEmpty, "what is confirmed is gone")
    }
}
