import Envelope
import Journal
import Mesh
import Testing

@testable import AgentCore

/// Where sources go on after a restart, and what a start reads of the journal.
struct AgentMachineCheckpointTests {
    private let scene = AgentScene()
    private let long = [UInt8](repeating: 5, count: 5000)

    private func read(_ facts: [AgentFact]) -> [String] {
        facts.compactMap { fact in
            switch fact {
            case .checkpointRead(let job): "read \(job)"
            case .checkpointUnreadable(let job, let record, _): "unreadable \(job) \(record)"
            case .unreadableRecord(let lsn): "no record \(lsn.number)"
            default: nil
            }
        }
    }

    @Test func afterARestartEverythingGoesOnFromTheNewestCheckpoint() {
        scene.connect()
        scene.submit(1, 1, checkpoint: [1])
        scene.submit(1, 2, checkpoint: [2])
        scene.turn()
        scene.restart()
        #expect(scene.checkpoint() == [2] && !scene.awaits())
        #expect(scene.kept == 2)
        scene.connect()
        // The first two are sent again, since nobody has said that they had their effect.
        #expect(scene.atRelay.count == 4)
        scene.bringReceipt(1, 2)
        // The stream was one of a process that is gone: nothing more comes of it.
        #expect(scene.isDurable(1, 2) == nil)
        // The last record stays for its checkpoint's sake.
        #expect(scene.journal.records.keys.sorted() == [2])
    }

    @Test func ageGoesOnOverARestart() {
        scene.submit(1, 1, lifetime: 100)
        scene.turn()
        scene.now = scene.now + .seconds(60)
        scene.restart()
        scene.advance(.seconds(39))
        #expect(scene.kept == 1)
        scene.advance(Limits.expirySweep + .seconds(2))
        #expect(scene.kept == 0)
    }

    @Test func aLaterStreamWaitsForTheEarlierAfterARestartToo() {
        scene.submit(1, 1)
        scene.submit(2, 1)
        scene.turn()
        scene.restart()
        scene.connect()
        #expect(scene.atRelay == [AgentScene.envelope(1, 1)])
        scene.bringReceipt(1, 1)
        #expect(scene.atRelay == [AgentScene.envelope(1, 1), AgentScene.envelope(2, 1)])
    }

    @Test func whatIsNoRecordIsKeptAndTold() {
        scene.recover(3, OutboxRecord.envelopeKind, [1, 2, 3])
        #expect(read(scene.takeFacts()) == ["no record 3"])
        #expect(scene.batch.isEmpty && scene.kept == 0)
    }

    // MARK: Long checkpoints

    @Test func aCheckpointTooLongForTheReplayIsReadBeforeItsJobStarts() {
        scene.submit(1, 1, checkpoint: [9])
        scene.submit(1, 2, checkpoint: long)
        scene.submit(4, 1, checkpoint: [7], job: "other")
        scene.turn()
        scene.restart()
        #expect(scene.awaits() && !scene.awaits("other"))
        #expect(scene.machine.jobAwaitingCheckpoint(in: 2) == AgentScene.job)
        #expect(scene.machine.jobAwaitingCheckpoint(in: 1) == nil)
        scene.turn()
        #expect(!scene.awaits())
        #expect(scene.checkpoint() == long && scene.checkpoint("other") == [7])
        #expect(read(scene.takeFacts()) == ["read rows"])
        #expect(scene.journal.reads == [2])
    }

    @Test func aLongCheckpointThatANewerOneReplacedIsNotRead() {
        scene.submit(1, 1, checkpoint: long)
        scene.submit(1, 2, checkpoint: [3])
        scene.turn()
        scene.restart()
        #expect(!scene.awaits())
        scene.turn()
        #expect(scene.checkpoint() == [3] && scene.journal.reads.isEmpty)
    }

    @Test func aCheckpointThatCannotBeReadHoldsItsJobBackUntilItCan() {
        scene.submit(1, 1, checkpoint: long)
        scene.turn()
        scene.journal.fault = ToyJournal.diskFault
        scene.restart()
        scene.turn()
        #expect(read(scene.takeFacts()) == ["unreadable rows 1"])
        #expect(scene.awaits())
        scene.machine.readCheckpoint(of: AgentScene.job, in: 1, &scene.batch)
        scene.journal.fault = .damaged(LSN(1))
        scene.turn()
        #expect(read(scene.takeFacts()) == ["unreadable rows 1"])
        #expect(scene.awaits())
        scene.machine.readCheckpoint(of: AgentScene.job, in: 1, &scene.batch)
        scene.journal.fault = nil
        scene.turn()
        #expect(!scene.awaits() && scene.checkpoint() == long)
    }

    @Test func anAnswerThatNobodyWaitsForSaysNothing() {
        scene.submit(1, 1, checkpoint: long)
        scene.turn()
        scene.machine.readCheckpoint(of: AgentScene.job, in: 1, &scene.batch)
        scene.machine.readCheckpoint(of: AgentScene.job, in: 1, &scene.batch)
        scene.turn()
        #expect(read(scene.takeFacts()) == ["read rows"])
        scene.journal.fault = ToyJournal.diskFault
        scene.machine.readCheckpoint(of: AgentScene.job, in: 1, &scene.batch)
        scene.batch.read(LSN(9), token: UInt64(UInt32.max))
        scene.turn()
        #expect(read(scene.takeFacts()) == ["unreadable rows 1"])
    }

    // MARK: A record of its own

    /// An envelope is receipted and its record stays for its checkpoint.
    private func receipted() {
        scene.connect()
        scene.submit(1, 1, checkpoint: [1])
        scene.turn()
        scene.bringReceipt(1, 1)
        #expect(scene.journal.records.keys.sorted() == [1])
    }

    @Test func aReceiptedEnvelopeMakesPlaceForARecordWithItsCheckpoint() throws {
        receipted()
        #expect(scene.deadline == scene.now + .seconds(1))
        scene.advance(.seconds(1))
        #expect(scene.journal.records.keys.sorted() == [2])
        let record = try #require(scene.journal.records[2])
        #expect(record.kind == OutboxRecord.checkpointKind)
        scene.restart()
        #expect(scene.checkpoint() == [1] && scene.kept == 0)
    }

    @Test func aLongCheckpointAloneIsReadBackToo() {
        scene.connect()
        scene.submit(1, 1, checkpoint: long)
        scene.turn()
        scene.bringReceipt(1, 1)
        scene.advance(.seconds(1))
        scene.restart()
        #expect(scene.awaits())
        scene.turn()
        #expect(scene.checkpoint() == long)
    }

    @Test func aCheckpointThatIsNotTakenIsTriedAgainAndNothingForgotten() {
        receipted()
        scene.journal.refusal = .full(bytesInUse: 9, maxBytes: 9)
        scene.advance(.seconds(1))
        #expect(scene.journal.records.keys.sorted() == [1])
        scene.journal.refusal = nil
        scene.advance(.seconds(1))
        #expect(scene.journal.records.keys.sorted() == [2])
    }

    @Test func aBatchWithoutRoomIsTriedAgainToo() {
        receipted()
        // As much as a batch may hold, of which nothing is done.
        let ballast = [UInt8](repeating: 0, count: JournalBatch.byteLimit)
        let isTaken = ballast.withUnsafeBytes { scene.batch.append(RecordKind(9), token: 1, $0) }
        #expect(isTaken)
        scene.isJournalSlow = true
        scene.advance(.seconds(1))
        scene.batch.removeAll()
        scene.isJournalSlow = false
        scene.advance(.milliseconds(999))
        #expect(scene.journal.records.keys.sorted() == [1])
        scene.advance(.milliseconds(1))
        #expect(scene.journal.records.keys.sorted() == [2])
    }
}
