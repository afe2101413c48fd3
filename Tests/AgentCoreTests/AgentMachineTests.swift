import Envelope
import Journal
import Mesh
import Testing

@testable import AgentCore

/// What an agent sends: durable before it leaves, kept until its destination has said so.
struct AgentMachineTests {
    private let scene = AgentScene()

    private func receipted(_ facts: [AgentFact]) -> [UInt64] {
        facts.compactMap { if case .receipted(_, _, let through, _) = $0 { through.number } else { nil } }
    }

    @Test func anEnvelopeLeavesOnlyOnceItIsDurable() {
        scene.connect()
        scene.isJournalSlow = true
        scene.submit(1, 1)
        scene.turn()
        #expect(scene.atRelay.isEmpty && scene.kept == 0)
        #expect(scene.isDurable(1, 1) == nil)
        #expect(scene.gate.holdsAny(of: Sample.stream(1)))
        scene.runJournal()
        scene.turn()
        #expect(scene.atRelay == [AgentScene.envelope(1, 1)])
        #expect(scene.kept == 1 && scene.bytesKept == AgentScene.envelope(1, 1).count)
        #expect(scene.isDurable(1, 1) == true && scene.isDurable(1, 2) == false)
        #expect(scene.isReceipted(1, 1) == false)
        #expect(!scene.gate.holdsAny(of: Sample.stream(1)))
        let stored = scene.takeFacts().contains { if case .stored(_, Sequence(1)) = $0 { true } else { false } }
        #expect(stored)
    }

    @Test func itIsForgottenOnlyByAGenuineReceiptOfItsDestination() {
        scene.connect()
        scene.submit(1, 1)
        scene.submit(1, 2)
        scene.turn()
        #expect(scene.machine.unreceipted(of: AgentScene.job) == 2)
        let ends = scene.machine.unreceiptedEnds(of: AgentScene.job)
        #expect(ends == [.init(stream: Sample.stream(1), sequence: Sequence(2))])
        scene.bringReceipt(1, 2, word: 9)
        scene.bring(scene.arrival(.receipt, body: [1, 2, 3]))
        let forged = scene.takeFacts().filter { if case .forgedReceipt = $0 { true } else { false } }
        #expect(forged.count == 2)
        // Genuine, but of somebody whom the stream is not for, or about a stream that is not ours.
        scene.bringReceipt(1, 2, from: AgentScene.relay)
        scene.bringReceipt(5, 2)
        #expect(scene.kept == 2 && scene.journal.records.count == 2)
        #expect(receipted(scene.takeFacts()) == [])
        scene.bringReceipt(1, 1)
        #expect(receipted(scene.takeFacts()) == [1])
        #expect(scene.kept == 1 && scene.journal.records.keys.sorted() == [2])
        scene.bringReceipt(1, 2)
        #expect(scene.kept == 0 && scene.journal.records.isEmpty)
        #expect(scene.machine.unreceipted(of: AgentScene.job) == 0)
        #expect(scene.machine.unreceiptedEnds(of: AgentScene.job) == [])
        #expect(scene.isReceipted(1, 2) == true)
    }

    @Test func aStreamThatIsClosedIsForgottenWithItsLastReceipt() {
        scene.connect()
        scene.submit(1, 1)
        scene.turn()
        scene.machine.close(Sample.stream(1), &scene.exchange, &scene.batch, at: scene.now)
        let early = scene.takeFacts().contains { if case .ended = $0 { true } else { false } }
        #expect(!early)
        scene.bringReceipt(1, 1)
        let ended = scene.takeFacts().contains { if case .ended = $0 { true } else { false } }
        #expect(ended)
        #expect(scene.isDurable(1, 1) == nil)
        #expect(scene.isReceipted(1, 1) == nil)
    }

    @Test func aLaterStreamOfTheJobGoesOutWithTheLastReceiptOfTheEarlier() {
        scene.connect()
        scene.submit(1, 1)
        scene.submit(2, 1)
        scene.turn()
        #expect(scene.atRelay == [AgentScene.envelope(1, 1)])
        scene.bringReceipt(1, 1)
        #expect(scene.atRelay == [AgentScene.envelope(1, 1), AgentScene.envelope(2, 1)])
    }

    // MARK: Without receipt

    @Test func whatHasNoReceiptIsReadBackAndSentAgain() {
        scene.connect()
        scene.submit(1, 1)
        scene.turn()
        scene.machine.resendAfter = .seconds(30)
        #expect(scene.machine.resendAfter == .seconds(30))
        #expect(scene.deadline == scene.now + .seconds(30))
        scene.advance(.seconds(29))
        #expect(scene.atRelay.count == 1)
        scene.advance(.seconds(1))
        #expect(scene.atRelay == [AgentScene.envelope(1, 1), AgentScene.envelope(1, 1)])
        #expect(scene.journal.reads == [1])
    }

    @Test func aLifeThatIsOverIsTold() {
        scene.submit(1, 1, lifetime: 10)
        scene.submit(1, 2, lifetime: 1000)
        scene.turn()
        scene.advance(.seconds(11))
        let expired = scene.takeFacts().compactMap { fact in
            if case .expired(_, let sequence, let floor) = fact { [sequence.number, floor.number] } else { nil }
        }
        #expect(expired == [[1, 2]])
        #expect(scene.kept == 1 && scene.journal.records.keys.sorted() == [2])
    }

    /// The forwarder drops the second before the first: it goes with the first, whatever that comes to.
    @Test func aLifeThatEndsBehindALongerOneWaitsForIt() {
        scene.submit(1, 1, lifetime: 1000)
        scene.submit(1, 2, lifetime: 10)
        scene.turn()
        scene.advance(.seconds(11))
        #expect(scene.kept == 2)
        scene.advance(.seconds(1000))
        #expect(scene.kept == 0 && scene.journal.records.isEmpty)
    }

    @Test func ofReceiptsThatExpireNothingIsHeard() {
        scene.submit(1, 1, lifetime: 4_000_000)
        scene.turn()
        let mark = DeliveryOutcome.mark(source: AgentScene.id(AgentScene.peer), stream: Sample.stream(8), Sequence(1))
        scene.machine.take([mark], &scene.exchange, at: scene.now)
        scene.advance(.seconds(1))
        #expect(scene.counters.accepted == 2)
        scene.advance(.seconds(31 * 86_400))
        #expect(scene.counters.expired == 1)
        #expect(scene.kept == 1)
        let expired = scene.takeFacts().contains { if case .expired = $0 { true } else { false } }
        #expect(!expired)
    }

    // MARK: Reading back

    /// An envelope of which only the durable copy is left, and whose turn has come.
    private func sentAgain() {
        scene.connect()
        scene.submit(1, 1)
        scene.turn()
        scene.isJournalSlow = true
        scene.advance(.seconds(60))
    }

    @Test func aReadThatTheDiskFailedIsTriedAgain() {
        sentAgain()
        scene.journal.fault = ToyJournal.diskFault
        scene.isJournalSlow = false
        scene.turn()
        #expect(scene.kept == 1 && scene.counters.lost == 0 && scene.atRelay.count == 1)
        scene.journal.fault = nil
        scene.advance(.seconds(2))
        #expect(scene.atRelay.count == 2)
        let failed = scene.takeFacts().contains { if case .readFailed = $0 { true } else { false } }
        #expect(!failed)
    }

    @Test func aDamagedRecordIsToldAndTriedWithTheNextResending() {
        sentAgain()
        scene.journal.fault = .damaged(LSN(1))
        scene.isJournalSlow = false
        scene.turn()
        let failed = scene.takeFacts().contains { if case .readFailed(LSN(1), _) = $0 { true } else { false } }
        #expect(failed)
        #expect(scene.kept == 1 && scene.counters.lost == 1 && scene.journal.records.count == 1)
        scene.journal.fault = nil
        // A second try waits twice as long.
        scene.advance(.seconds(120))
        #expect(scene.atRelay.count == 2)
    }

    @Test func anotherRecordInItsPlaceIsNotSent() {
        sentAgain()
        scene.journal.put(1, OutboxRecord.envelopeKind, [1, 2, 3])
        scene.isJournalSlow = false
        scene.turn()
        let reasons = scene.takeFacts().compactMap { if case .readFailed(_, let reason) = $0 { reason } else { nil } }
        #expect(reasons == ["a foreign record"])
        #expect(scene.atRelay.count == 1)
    }

    /// Its receipt comes while it waits to be read: then nothing has failed.
    @Test func whatIsReceiptedNeedNotBeRead() {
        sentAgain()
        scene.bringReceipt(1, 1)
        scene.isJournalSlow = false
        scene.turn()
        #expect(scene.kept == 0)
        let failed = scene.takeFacts().contains { if case .readFailed = $0 { true } else { false } }
        #expect(!failed)
    }

    // MARK: A journal that refuses

    @Test func whatIsRefusedIsHeldAndHandedOverAgain() {
        scene.connect()
        scene.journal.refusal = .full(bytesInUse: 9, maxBytes: 9)
        scene.submit(1, 1)
        scene.turn()
        let refused = scene.takeFacts().compactMap {
            if case .submissionRefused(let token, _) = $0 { token } else { nil }
        }
        #expect(refused == [1])
        #expect(scene.refuse(1))
        #expect(scene.gate.holdsAny(of: AgentScene.job))
        scene.journal.refusal = nil
        let isHeld = scene.retryAll()
        #expect(!isHeld)
        scene.turn()
        #expect(scene.atRelay == [AgentScene.envelope(1, 1)])
        #expect(!scene.gate.holdsAny(of: AgentScene.job))
    }

    @Test func aStallAndItsEndAreTold() {
        let completions = [
            JournalCompletion(token: 0, lsn: .none, outcome: .stalled(ToyJournal.diskFault)),
            JournalCompletion(token: 0, lsn: .none, outcome: .resumed),
            JournalCompletion(token: 0, lsn: LSN(4), outcome: .released),
            // Of a submission that nobody remembers.
            JournalCompletion(token: 77, lsn: LSN(5), outcome: .durable),
        ]
        scene.machine.complete(completions, &scene.exchange, &scene.batch, at: scene.now) { scene.gate.take($0) }
        let words = scene.takeFacts().map { fact in
            switch fact {
            case .outboxStalled: "stalled"
            case .outboxResumed: "resumed"
            default: "more"
            }
        }
        #expect(words == ["stalled", "resumed"])
        #expect(scene.kept == 0)
    }

    // MARK: What is for others than the outbox

    @Test func effectsOfAStoreAndStrangeInstancesChangeNothing() {
        scene.submit(1, 1)
        scene.turn()
        let strange = InstanceID(token: 0xFFFF_FFFF_0000)
        scene.machine.perform(
            [.store(strange), .forget(stored: 1), .deliver(strange)], &scene.exchange, &scene.batch, at: scene.now)
        scene.turn()
        #expect(scene.kept == 1 && scene.journal.records.count == 1)
        #expect(scene.takeFacts().count == 1)
    }

    @Test func whatIsFreshOvertakesABacklogWhereTheJobAllowsIt() {
        scene.machine.set(Overtaking(jobs: [AgentScene.job], after: .seconds(60)), at: scene.now)
        for sequence in 1...3 as ClosedRange<UInt64> { scene.submit(1, sequence) }
        scene.turn()
        scene.advance(.seconds(61))
        scene.connect()
        _ = scene.takeFacts()
        scene.bringReceipt(1, 1)
        let behind = scene.takeFacts().contains {
            if case .fellBehind(let stream) = $0 { stream == Sample.stream(1) } else { false }
        }
        #expect(behind)
        scene.submit(2, 1)
        scene.turn()
        #expect(scene.atRelay.last == AgentScene.envelope(2, 1))
        scene.bringReceipt(2, 1)
        #expect(scene.kept == 2)
        #expect(scene.machine.unreceiptedEnds(of: AgentScene.job).map(\.stream) == [Sample.stream(1)])
    }
}
