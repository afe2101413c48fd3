import Envelope
import Link
import Testing

@testable import Mesh

/// Flows are checked on names, and news of a name may come a moment before or after the first envelope that needs it.
struct PolicyTests {
    /// Flows of the whole of plant-a to anywhere, at a relay that has heard of these nodes.
    private func policy(knowing nodes: [ToyNode]) throws -> FlowPolicy {
        let flow = FlowDeclaration(
            name: "all", from: [try FlowPattern("plant-a/*")], to: [.everything], lane: .live, bytesPerSecond: nil)
        let names = Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0.name) })
        return FlowPolicy(
            try FlowTable([flow], identify: { _ in NodeID(Bytes16(low: 99, high: 99)) }),
            Snapshot(directory: Directory(names: names), directoryVersion: UInt64(nodes.count)))
    }

    @Test func whatCameWithTheHelloIsJudgedByTheOwnersNewsOfTheNeighbour() throws {
        let line = Line(connected: false)
        let before = try policy(knowing: [line.r1, line.b])
        let after = try policy(knowing: [line.a, line.r1, line.b])
        line.r1.exchange.forwarder.setPolicy(before, at: line.world.now)
        line.r1.whenEstablished = { $0.exchange.forwarder.setPolicy(after, at: line.world.now) }
        line.world.connect(line.r1, line.r2)
        line.world.connect(line.r2, line.b)
        let wire = line.world.connect(line.a, line.r1)
        // The agent hears the relay first, so its hello and its first envelope travel together.
        line.world.deliver(wire, 0)
        line.world.send(line.a, line.b)
        line.world.flow()
        #expect(line.world.ledger.deliveries == [1])
        #expect(line.r1.counters.refusedUnknown == 0 && line.r1.counters.refusedNotPermitted == 0)
    }

    @Test func anEnvelopeOfANodeNotHeardOfYetIsTriedAgainSoon() throws {
        let line = Line()
        line.r1.exchange.forwarder.setPolicy(try policy(knowing: [line.r1, line.b]), at: line.world.now)
        line.world.send(line.a, line.b)
        line.world.flow()
        #expect(line.world.ledger.deliveries.isEmpty)
        #expect(line.r1.counters.refusedUnknown == 1)
        line.r1.exchange.forwarder.setPolicy(try policy(knowing: [line.a, line.r1, line.b]), at: line.world.now)
        line.world.run(.milliseconds(150))
        #expect(line.world.ledger.deliveries == [1])
    }

    @Test func whoNobodyHasHeardOfIsTriedLessAndLessOften() throws {
        let line = Line()
        line.r1.exchange.forwarder.setPolicy(try policy(knowing: [line.r1, line.b]), at: line.world.now)
        line.world.send(line.a, line.b)
        line.world.run(.seconds(120), step: .milliseconds(50))
        #expect(line.world.ledger.deliveries.isEmpty)
        // Every 100 ms it would be 1200 times.
        #expect((20...40).contains(line.r1.counters.refusedUnknown))
    }

    @Test func whatIsKnownAndForbiddenWaitsLong() throws {
        let line = Line()
        line.r2.exchange.forwarder.setPolicy(try policy(knowing: [line.a, line.b]), at: line.world.now)
        let denied = try FlowTable([], identify: { _ in line.b.id })
        line.r1.exchange.forwarder.setPolicy(
            FlowPolicy(
                denied,
                Snapshot(
                    directory: Directory(names: [line.a.id: line.a.name, line.b.id: line.b.name]), directoryVersion: 1)),
            at: line.world.now)
        line.world.send(line.a, line.b)
        line.world.run(.seconds(50), step: .milliseconds(500))
        #expect(line.r1.counters.refusedNotPermitted == 1)
        #expect(line.r1.counters.refusedUnknown == 0)
    }
}
