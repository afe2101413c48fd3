import Envelope
import Journal
import Mesh
import Testing

@testable import AgentCore

/// Envelopes of a stream become durable in their order, whatever the journal refuses.
struct OutboxGateTests {
    private let scene = AgentScene()

    /// What the journal holds, by its place in it.
    private var durable: [[UInt64]] {
        scene.journal.records.sorted { $0.key < $1.key }.map { _, record in
            let header = record.bytes.withUnsafeBytes { OutboxRecord($0, kind: record.kind)?.header }
            return [header?.stream.value.low ?? 0, header?.sequence.number ?? 0]
        }
    }

    /// The journal answers, and refusals come to the gate.
    private func answer() {
        scene.turn()
        for case .submissionRefused(let token, _) in scene.takeFacts() { #expect(scene.refuse(token)) }
    }

    private func retry() -> Bool {
        let isHeld = scene.retryAll()
        answer()
        return isHeld
    }

    @Test func aRefusedStreamIsHeldWholeAndKeepsItsOrder() {
        scene.journal.refusal = .full(bytesInUse: 1, maxBytes: 1)
        for sequence: UInt64 in 1...3 { #expect(!scene.submit(1, sequence).needsRetry) }
        answer()
        // One made since waits behind the rest; nobody else does.
        #expect(!scene.submit(1, 4).needsRetry)
        #expect(scene.batch.isEmpty)
        scene.journal.refusal = nil
        scene.submit(2, 1)
        answer()
        #expect(durable == [[2, 1]])
        #expect(!retry())
        #expect(durable == [[2, 1], [1, 1], [1, 2], [1, 3], [1, 4]])
        scene.submit(1, 5)
        answer()
        #expect(durable.last == [1, 5])
    }

    /// Each refusal is told by itself, the later one first.
    @Test func refusalsMayComeInAnyOrder() {
        scene.isJournalSlow = true
        let tokens = (1...3).map { scene.submit(1, $0).token }
        #expect(tokens == [1, 2, 3])
        scene.batch.removeAll()
        for token in tokens.reversed() { #expect(scene.refuse(token)) }
        scene.isJournalSlow = false
        #expect(!retry())
        #expect(durable == [[1, 1], [1, 2], [1, 3]])
    }

    /// While an answer is still to come, it may be a refusal of an earlier one.
    @Test func nothingIsHandedOverAgainBeforeAllIsAnswered() {
        scene.isJournalSlow = true
        scene.submit(1, 1)
        scene.submit(1, 2)
        scene.batch.removeAll()
        #expect(scene.refuse(2))
        #expect(scene.retryAll())
        #expect(scene.batch.isEmpty)
        #expect(scene.refuse(1))
        scene.isJournalSlow = false
        #expect(!retry())
        #expect(durable == [[1, 1], [1, 2]])
    }

    @Test func withoutAJournalEverythingIsHeld() {
        scene.gate.isOpen = false
        #expect(scene.submit(1, 1).needsRetry)
        #expect(!scene.submit(1, 2).needsRetry)
        #expect(scene.submit(2, 1).needsRetry)
        #expect(retry())
        #expect(scene.batch.isEmpty && durable.isEmpty)
        scene.gate.isOpen = true
        #expect(!retry())
        #expect(durable == [[1, 1], [1, 2], [2, 1]])
        #expect(!retry())
    }

    @Test func aBatchWithoutRoomHoldsTheRest() {
        let ballast = [UInt8](repeating: 0, count: JournalBatch.byteLimit)
        let isTaken = ballast.withUnsafeBytes { scene.batch.append(RecordKind(9), token: 77, $0) }
        #expect(isTaken)
        #expect(scene.submit(1, 1).needsRetry)
        #expect(scene.retryAll())
        scene.batch.removeAll()
        #expect(!retry())
        #expect(durable == [[1, 1]])
    }

    @Test func thereIsRoomUpToTheBytesPending() {
        let share = OutboxGate.pendingBytes / 2 - Header.size
        scene.gate.isOpen = false
        scene.submit(1, 1, body: share)
        #expect(scene.gate.hasRoom)
        scene.submit(1, 2, body: share)
        #expect(!scene.gate.hasRoom)
        scene.gate.isOpen = true
        #expect(!retry())
        #expect(scene.gate.hasRoom)
        #expect(!scene.gate.holdsAny(of: AgentScene.job) && !scene.gate.holdsAny(of: Sample.stream(1)))
    }

    @Test func anUnknownTokenIsNobodys() {
        #expect(!scene.refuse(99))
        let taken = scene.gate.take(99)
        #expect(taken == nil)
        #expect(!retry())
    }

    /// What waited while the journal was away is as old as it is.
    @Test func ageIsCountedWhileItIsHeld() throws {
        scene.gate.isOpen = false
        scene.submit(1, 1, lifetime: 100)
        scene.now = scene.now + .seconds(60)
        scene.gate.isOpen = true
        #expect(!retry())
        let record = try #require(scene.journal.records[1])
        let front = record.bytes.withUnsafeBytes { OutboxRecord($0, kind: record.kind) }
        #expect(front?.stored.hop.age == 60_000)
        scene.advance(.seconds(41))
        #expect(scene.kept == 0)
    }
}
