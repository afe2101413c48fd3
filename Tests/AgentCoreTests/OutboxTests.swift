import Envelope
import Testing

@testable import AgentCore

@Suite final class OutboxTests {
    private var outbox = Outbox(resendAfter: .seconds(60))
    private var stored: UInt64 = 0
    private let now = Sample.now

    private func add(
        _ stream: UInt64, _ sequence: UInt64, checkpoint: [UInt8]? = nil, job: String = "job", lifetime: UInt32 = 3600,
        age: Duration = .zero, at time: Instant = Sample.now
    ) -> Bool {
        stored += 1
        let index = outbox.stream(
            Sample.stream(stream), job: job, destination: Sample.destination, lane: .live)
        return outbox.added(
            index, Sequence(sequence), stored: stored, length: 10, lifetime: lifetime, age: age, checkpoint: checkpoint,
            at: time)
    }

    private func effects() -> [Outbox.Effect] { outbox.takeEffects() }

    private func receipt(_ stream: UInt64, _ mark: UInt64, at time: Instant = Sample.now) -> [Outbox.Effect] {
        outbox.receipt(stream: Sample.stream(stream), through: Sequence(mark), at: time)
        return effects()
    }

    private func send(
        _ stored: UInt64, as identity: (stream: UInt64, sequence: UInt64), age: Duration = .zero,
        lifetime: UInt32 = 3600
    ) -> Outbox.Effect {
        .send(
            stored: stored, stream: Sample.stream(identity.stream), sequence: Sequence(identity.sequence),
            destination: Sample.destination,
            lane: .live, length: 10, lifetime: lifetime, age: age)
    }

    // MARK: Streams and receipts

    @Test func aLaterStreamOfAJobWaitsForTheEarlierOne() {
        #expect(add(1, 1))
        #expect(add(1, 2))
        #expect(!add(2, 1))
        #expect(!add(2, 2))
        // Another job is not held up.
        #expect(add(3, 1, job: "other"))
        #expect(
            receipt(1, 1) == [
                .forget(stored: 1),
                .receipted(stream: Sample.stream(1), job: "job", through: Sequence(1), floor: Sequence(2)),
            ])
        #expect(
            receipt(1, 2) == [
                .forget(stored: 2),
                .receipted(stream: Sample.stream(1), job: "job", through: Sequence(2), floor: Sequence(3)),
                send(3, as: (2, 1)), send(4, as: (2, 2)),
            ])
        #expect(add(2, 3))
    }

    @Test func aReceiptThatIsLateDoubleOrForAnotherStreamDoesNothing() {
        _ = add(1, 1)
        _ = add(1, 2)
        _ = receipt(1, 2)
        #expect(receipt(1, 1) == [])
        #expect(receipt(1, 2) == [])
        #expect(receipt(9, 5) == [])
        #expect(outbox.itemCount == 0)
        #expect(outbox.byteCount == 0)
    }

    @Test func aReceiptBeyondTheLastCountsUpToIt() {
        _ = add(1, 1)
        _ = add(1, 2)
        #expect(
            receipt(1, 1000).last
                == .receipted(stream: Sample.stream(1), job: "job", through: Sequence(2), floor: Sequence(3)))
        #expect(add(1, 3))
        #expect(outbox.itemCount == 1)
    }

    @Test func aClosedStreamIsForgottenOnceItHasDrained() {
        _ = add(1, 1)
        outbox.close(Sample.stream(1))
        #expect(effects() == [])
        #expect(receipt(1, 1).contains(.ended(stream: Sample.stream(1), job: "job")))
        #expect(outbox.streamIndex.isEmpty)
        // Its place is used again.
        _ = add(2, 1)
        #expect(outbox.streams.count == 1)
        _ = receipt(2, 1)
        outbox.close(Sample.stream(2))
        #expect(effects() == [.ended(stream: Sample.stream(2), job: "job")])
    }

    // MARK: Resending

    @Test func theOldestAreSentAgainWhenNoReceiptComes() {
        for sequence in 1...100 { _ = add(1, UInt64(sequence)) }
        for stored in 1...100 { outbox.departed(stored: UInt64(stored), at: now) }
        #expect(outbox.nextDeadline == now + .seconds(60))
        outbox.timeReached(now + .seconds(59))
        #expect(effects() == [])
        outbox.timeReached(now + .seconds(60))
        let again = effects()
        #expect(again == (1...64).map { send(UInt64($0), as: (1, UInt64($0)), age: .seconds(60)) })
        // What is under way is not sent twice.
        outbox.timeReached(now + .seconds(61))
        #expect(effects() == [])
        #expect(outbox.resentCount == 64)
        // Receipts for these and for nothing behind them: the rest is lost too and follows after a pause.
        for stored in 1...64 { outbox.departed(stored: UInt64(stored), at: now + .seconds(61)) }
        _ = receipt(1, 64, at: now + .seconds(61))
        #expect(outbox.nextDeadline == now + .seconds(62))
        outbox.timeReached(now + .seconds(62))
        #expect(effects().count == 36)
    }

    @Test func batchesDoubleWhileAllIsLost() {
        for sequence in 1...1000 { _ = add(1, UInt64(sequence)) }
        for stored in 1...1000 { outbox.departed(stored: UInt64(stored), at: now) }
        var (time, sent, counts) = (now + .seconds(60), 0, [Int]())
        while sent < 1000 {
            outbox.timeReached(time)
            let count = effects().count
            for stored in sent..<sent + count { outbox.departed(stored: UInt64(stored + 1), at: time) }
            sent += count
            counts.append(count)
            // Receipts come in parts.
            _ = receipt(1, UInt64(sent - 1), at: time)
            _ = receipt(1, UInt64(sent), at: time)
            time = time + .seconds(1)
        }
        #expect(counts == [64, 128, 256, 512, 40])
    }

    @Test func nothingIsSentAgainWhileReceiptsCome() {
        for sequence in 1...100 { _ = add(1, UInt64(sequence), lifetime: 1_000_000) }
        for stored in 1...100 { outbox.departed(stored: UInt64(stored), at: now) }
        // A backlog that drains one envelope in 50 s: the last waits for 80 minutes and is well.
        var time = now
        for sequence in 1...99 {
            time = time + .seconds(50)
            outbox.timeReached(time)
            _ = receipt(1, UInt64(sequence), at: time)
        }
        #expect(outbox.resentCount == 0)
        #expect(outbox.nextDeadline == time + .seconds(60))
    }

    @Test func withoutReceiptsTheWaitDoubles() {
        _ = add(1, 1, lifetime: 1_000_000)
        outbox.departed(stored: 1, at: now)
        var (time, waits) = (now, [Int]())
        for _ in 0..<9 {
            let next = outbox.nextDeadline
            waits.append(Int((next - time).components.seconds))
            time = next
            outbox.timeReached(time)
            #expect(effects().count == 1)
            outbox.departed(stored: 1, at: time)
        }
        #expect(waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
        // The agent's own relay was away: what it kept may be gone.
        outbox.linkReturned()
        #expect(outbox.nextDeadline == time + .seconds(60))
    }

    @Test func whatIsReceiptedBehindABatchWasNotLost() {
        for sequence in 1...200 { _ = add(1, UInt64(sequence)) }
        for stored in 1...200 { outbox.departed(stored: UInt64(stored), at: now) }
        outbox.timeReached(now + .seconds(60))
        #expect(effects().count == 64)
        for stored in 1...64 { outbox.departed(stored: UInt64(stored), at: now + .seconds(60)) }
        _ = receipt(1, 65, at: now + .seconds(61))
        #expect(outbox.nextDeadline == now + .seconds(121))
    }

    @Test func anExpiredHeadIsGivenUpAndTheFloorRises() {
        _ = add(1, 1, lifetime: 10)
        _ = add(1, 2, lifetime: 100)
        outbox.departed(stored: 1, at: now)
        outbox.departed(stored: 2, at: now)
        outbox.timeReached(now + .seconds(10))
        #expect(
            effects() == [
                .forget(stored: 1),
                .expired(stream: Sample.stream(1), sequence: Sequence(1), floor: Sequence(2)),
            ])
        #expect(outbox.expiredCount == 1)
        #expect(outbox.itemCount == 1)
    }

    @Test func whatTheForwarderExpiresBehindTheHeadWaitsForTheHead() {
        _ = add(1, 1, lifetime: 1000)
        _ = add(1, 2, lifetime: 10)
        outbox.expiredUnderWay(stored: 2, at: now + .seconds(10))
        #expect(effects() == [])
        #expect(outbox.itemCount == 2)
        outbox.expiredUnderWay(stored: 1, at: now + .seconds(1000))
        outbox.timeReached(now + .seconds(1000))
        #expect(outbox.itemCount == 0)
        // An unknown one is nobody's.
        outbox.expiredUnderWay(stored: 77, at: now)
    }

    @Test func anExpiredStreamLetsTheNextGo() {
        _ = add(1, 1, lifetime: 10)
        _ = add(2, 1)
        outbox.expiredUnderWay(stored: 1, at: now + .seconds(10))
        #expect(effects().contains(send(2, as: (2, 1), age: .seconds(10))))
    }

    @Test func anItemHeldBackExpiresToo() {
        _ = add(1, 1, lifetime: 1000)
        _ = add(2, 1, lifetime: 10)
        #expect(outbox.nextDeadline == now + .seconds(10))
        outbox.timeReached(now + .seconds(10))
        #expect(outbox.itemCount == 1)
    }

    // MARK: Checkpoints

    @Test func theHolderOfTheNewestCheckpointIsKeptUntilAnotherIsDurable() {
        _ = add(1, 1, checkpoint: [1])
        #expect(
            !receipt(1, 1).contains(.forget(stored: 1)))
        #expect(outbox.checkpoint(of: "job") == [1])
        _ = add(1, 2, checkpoint: [2])
        #expect(effects() == [.forget(stored: 1)])
        #expect(outbox.checkpointHolder(of: "job") == 2)
    }

    @Test func aCheckpointAtRestMovesToARecordOfItsOwn() {
        _ = add(1, 1, checkpoint: [1])
        _ = receipt(1, 1)
        outbox.timeReached(now + .seconds(1))
        #expect(effects() == [.saveCheckpoint(job: 0, name: "job", origin: 1, checkpoint: [1])])
        outbox.timeReached(now + .seconds(9))
        #expect(effects() == [])
        outbox.checkpointSaved(job: 0, as: 50)
        #expect(effects() == [.forget(stored: 1)])
        #expect(outbox.nextDeadline == .never)
        stored = 50
        _ = add(1, 2, checkpoint: [2])
        #expect(effects() == [.forget(stored: 50)])
    }

    @Test func aRefusedCheckpointRecordIsAskedForAgain() {
        _ = add(1, 1, checkpoint: [1])
        _ = receipt(1, 1)
        outbox.timeReached(now + .seconds(1))
        _ = effects()
        outbox.checkpointNotSaved(job: 0, at: now + .seconds(1))
        #expect(outbox.nextDeadline == now + .seconds(2))
        outbox.timeReached(now + .seconds(2))
        #expect(effects().count == 1)
    }

    /// The record is written behind the item that replaces it, and that item is receipted before the record is
    /// reported: the older checkpoint must not win.
    @Test func aCheckpointRecordThatComesLateDoesNotUndoANewerOne() {
        _ = add(1, 1, checkpoint: [1])
        _ = receipt(1, 1)
        outbox.timeReached(now + .seconds(1))
        _ = effects()
        _ = add(1, 2, checkpoint: [2])
        _ = receipt(1, 2, at: now + .seconds(1))
        outbox.checkpointSaved(job: 0, as: 3)
        #expect(effects() == [.forget(stored: 3)])
        #expect(outbox.checkpoint(of: "job") == [2])
        #expect(outbox.checkpointHolder(of: "job") == 2)
    }

    @Test func anOldCheckpointRecordFoundAtStartIsForgotten() {
        // On the disk: item 2 with checkpoint 2, then record 3 with the checkpoint of item 1.
        stored = 1
        _ = add(1, 2, checkpoint: [2])
        let isOldTaken = outbox.recovered(checkpoint: [1], of: "job", stored: 3, origin: 1)
        #expect(!isOldTaken)
        #expect(effects() == [.forget(stored: 3)])
        #expect(outbox.checkpoint(of: "job") == [2])
        // The record of item 2's own checkpoint is taken.
        let isNewTaken = outbox.recovered(checkpoint: [2], of: "job", stored: 4, origin: 2)
        #expect(isNewTaken)
        #expect(outbox.checkpointHolder(of: "job") == 4)
        #expect(receipt(1, 2).contains(.forget(stored: 2)))
    }

    @Test func streamsOfSeveralStartsGoInTheirOrder() {
        #expect(add(1, 5, checkpoint: [5]))
        #expect(!add(2, 1, checkpoint: [6]))
        #expect(!add(3, 1, checkpoint: [7]))
        #expect(outbox.unreceiptedEnds(of: "job").map(\.stream) == [1, 2, 3].map(Sample.stream))
        #expect(receipt(1, 5).contains(send(2, as: (2, 1))))
        #expect(receipt(2, 1).contains(send(3, as: (3, 1))))
        _ = receipt(3, 1)
        #expect(outbox.isSettled("job"))
        #expect(outbox.unreceipted(of: "job") == 0)
    }

    @Test func ageIsCountedFromTheMaking() {
        _ = add(1, 1, lifetime: 100, age: .seconds(95))
        outbox.departed(stored: 1, at: now)
        #expect(outbox.nextDeadline == now + .seconds(5))
    }

    // MARK: Reading ahead

    private func ahead(_ effects: [Outbox.Effect]) -> [Bool] {
        effects.compactMap { if case .ahead("job", let isAhead) = $0 { isAhead } else { nil } }
    }

    @Test func aSourceWaitsWhileMoreThanIsAllowedWaitsForItsWay() {
        outbox.set(readAhead: ["job": 30])
        for sequence in 1...3 as ClosedRange<UInt64> { _ = add(1, sequence) }
        _ = add(9, 1, job: "other")
        #expect(ahead(effects()) == [] && !outbox.isAhead("job"))
        // What is held for an earlier stream waits too.
        #expect(!add(2, 1))
        #expect(ahead(effects()) == [true] && outbox.isAhead("job"))
        outbox.departed(stored: 1, at: now)
        outbox.departed(stored: 1, at: now)
        outbox.departed(stored: 2, at: now)
        #expect(ahead(effects()) == [])
        outbox.departed(stored: 3, at: now)
        #expect(ahead(effects()) == [false] && !outbox.isAhead("job"))
        // What a relay has does not count, receipt or not; what must be sent again does.
        #expect(ahead(receipt(1, 1)) == [])
        for sequence in 2...3 as ClosedRange<UInt64> { _ = add(2, sequence) }
        #expect(ahead(effects()) == [])
        outbox.timeReached(now + .seconds(61))
        #expect(ahead(effects()) == [true])
        // Both are receipted while they are on their way again, and the next stream goes.
        #expect(ahead(receipt(1, 3)) == [])
        outbox.set(readAhead: [:])
        #expect(ahead(effects()) == [false])
    }

    @Test func whatARestartFoundCountsAndWhatExpiresDoesNot() {
        for sequence in 1...2 as ClosedRange<UInt64> { _ = add(1, sequence, lifetime: 10) }
        outbox.set(readAhead: ["job": 15])
        #expect(ahead(effects()) == [true])
        outbox.expiredUnderWay(stored: 1, at: now + .seconds(10))
        #expect(ahead(effects()) == [])
        outbox.expiredUnderWay(stored: 2, at: now + .seconds(10))
        #expect(ahead(effects()) == [false])
    }

    // MARK: Overtaking

    private func overtake(_ jobs: Set<String> = ["job"]) {
        outbox.set(Overtaking(jobs: jobs, after: .seconds(10)), at: now)
    }

    private func fallsBehind(_ effects: [Outbox.Effect]) -> [StreamID] {
        effects.compactMap { if case .fellBehind(let stream) = $0 { stream } else { nil } }
    }

    @Test func streamsOfAJobThatGivesUpItsOrderDoNotWait() {
        overtake()
        #expect(add(1, 1) && add(2, 1) && add(1, 2))
        #expect(add(3, 1, job: "other"))
        #expect(!add(4, 1, job: "other"))
        #expect(receipt(2, 1).contains { if case .receipted = $0 { true } else { false } })
        #expect(outbox.unreceiptedEnds(of: "job").map(\.sequence) == [Sequence(2)])
    }

    @Test func aJobThatGivesUpItsOrderNowHoldsNothingAnyMore() {
        #expect(add(1, 1))
        #expect(!add(2, 1))
        #expect(!add(3, 1))
        overtake()
        #expect(effects() == [send(2, as: (2, 1)), send(3, as: (3, 1))])
        // And one that wants it back holds what comes from then on.
        overtake([])
        #expect(!add(2, 2))
        #expect(receipt(1, 1).contains(send(4, as: (2, 2))))
    }

    @Test func aReceiptForWhatIsOldAsksForAnotherStreamOnce() {
        overtake()
        for sequence in 1...4 as ClosedRange<UInt64> { _ = add(1, sequence) }
        #expect(fallsBehind(receipt(1, 1, at: now + .seconds(10))) == [])
        #expect(fallsBehind(receipt(1, 2, at: now + .seconds(11))) == [Sample.stream(1)])
        #expect(fallsBehind(receipt(1, 3, at: now + .seconds(12))) == [])
    }

    @Test func nothingFallsBehindWhereNothingWaitsOrTheOrderCounts() {
        _ = add(1, 1)
        _ = add(1, 2)
        #expect(fallsBehind(receipt(1, 1, at: now + .seconds(99))) == [])
        overtake()
        #expect(fallsBehind(receipt(1, 2, at: now + .seconds(99))) == [])
        // Nor where it gets no more, or is not the newest.
        for stream in [2, 3] as [UInt64] { for sequence in 1...2 as ClosedRange<UInt64> { _ = add(stream, sequence) } }
        #expect(fallsBehind(receipt(2, 1, at: now + .seconds(99))) == [])
        outbox.close(Sample.stream(3))
        #expect(fallsBehind(receipt(3, 1, at: now + .seconds(99))) == [])
    }

    @Test func aJobHasAFewStreamsAtOnce() {
        overtake()
        for stream in 1...4 as ClosedRange<UInt64> {
            _ = add(stream, 1)
            _ = add(stream, 2)
        }
        #expect(fallsBehind(receipt(4, 1, at: now + .seconds(99))) == [])
        _ = receipt(1, 2)
        _ = add(4, 3)
        #expect(fallsBehind(receipt(4, 2, at: now + .seconds(99))) == [Sample.stream(4)])
    }
}
