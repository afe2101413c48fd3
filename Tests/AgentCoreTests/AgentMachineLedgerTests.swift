import Envelope
import Link
import Testing

@testable import AgentCore

/// The machine tells its ledger what becomes of each stream.
struct AgentMachineLedgerTests {
    private func made(_ scene: AgentScene, _ stream: UInt64 = 1) throws -> StreamLedger.Outgoing {
        let outgoing = scene.outgoing
        return try #require(outgoing.first { $0.stream == Sample.stream(stream) })
    }

    @Test func whatIsDurableAndReceiptedIsCounted() throws {
        let scene = AgentScene()
        scene.connect()
        scene.setWall(WallTime(milliseconds: 5000))
        for sequence in 1...3 as ClosedRange<UInt64> { scene.submit(1, sequence) }
        #expect(scene.outgoing.isEmpty, "it is not durable")
        scene.turn()
        var entry = try made(scene)
        #expect(entry.records == 3 && entry.sent == Sequence(3) && entry.receipted == .none)
        #expect(entry.first == WallTime(milliseconds: 5000))
        scene.bringReceipt(1, 2)
        entry = try made(scene)
        #expect(entry.receipted == Sequence(2) && !entry.hasEnded)
        scene.close(1)
        scene.bringReceipt(1, 3)
        entry = try made(scene)
        #expect(entry.receipted == Sequence(3) && entry.hasEnded)
    }

    @Test func whatExpiresIsTold() throws {
        let scene = AgentScene()
        scene.connect()
        scene.submit(1, 1, lifetime: 10)
        scene.submit(1, 2)
        scene.turn()
        scene.advance(.seconds(11))
        let entry = try made(scene)
        #expect(entry.expired.ranges == [1...1] && entry.expiredCount == 1)
        #expect(entry.sent == Sequence(2) && entry.receipted == .none)
    }

    @Test func aKilledAgentGoesOnFromAnOldCopy() throws {
        let scene = AgentScene()
        scene.connect()
        scene.submit(1, 1)
        scene.turn()
        let old = scene.ledgerFile
        for sequence in 2...4 as ClosedRange<UInt64> { scene.submit(1, sequence) }
        scene.turn()
        scene.bringReceipt(1, 2)
        scene.restart(ledger: old)
        let entry = try made(scene)
        #expect(entry.sent == Sequence(4) && entry.receipted == Sequence(2))
        #expect(entry.records == 1 && entry.recordsAreAtLeast)
        scene.connect()
        scene.bringReceipt(1, 4)
        let settled = try made(scene)
        #expect(settled.receipted == Sequence(4) && settled.hasEnded)
    }

    @Test func marksOfSinksAreKept() throws {
        let scene = AgentScene()
        scene.setWall(WallTime(milliseconds: 7000))
        scene.tell([
            .mark(source: AgentScene.id(AgentScene.peer), stream: Sample.stream(70), Sequence(12)),
            .mark(source: AgentScene.id(AgentScene.peer), stream: Sample.stream(70), Sequence(11)),
        ])
        scene.tell([
            .skipped(source: AgentScene.id(AgentScene.peer), stream: Sample.stream(70), 13...14),
            .mark(source: AgentScene.id(AgentScene.peer), stream: Sample.stream(70), Sequence(15)),
        ])
        let incoming = scene.incoming
        #expect(incoming.map(\.delivered) == [Sequence(15)])
        #expect(incoming.map(\.skipped.ranges) == [[13...14]])
        #expect(incoming.map(\.last) == [WallTime(milliseconds: 7000)])
    }
}

extension AgentScene {
    // Copies, since an expectation cannot look into what is not copyable.
    var outgoing: [StreamLedger.Outgoing] { machine.ledger.outgoing }
    var incoming: [StreamLedger.Incoming] { machine.ledger.incoming }
    var ledgerFile: [UInt8] { machine.ledger.file }

    func setWall(_ wall: WallTime) { machine.wall = wall }
    func close(_ stream: UInt64) { machine.close(Sample.stream(stream), &exchange, &batch, at: now) }
    func tell(_ outcomes: [DeliveryOutcome]) { machine.take(outcomes, &exchange, at: now) }
}
