import Envelope
import Mesh
import Node
import Platform
import Synchronization
import Testing

@testable import Agent
@testable import AgentCore

@Suite(.timeLimit(.minutes(1))) struct SinkWorkerTests {
    private let store = SinkStore()
    private let outcomes = Collected<DeliveryOutcome>()
    private let a = Sample.stream(1)
    private let b = Sample.stream(2)

    private func worker(_ change: (inout SinkWorker.Settings) -> Void = { _ in }) -> SinkWorker {
        var settings = SinkWorker.Settings(
            name: "store", pauses: Backoff(shortest: .milliseconds(1), longest: .milliseconds(2)))
        change(&settings)
        return SinkWorker(settings, factory: store.factory, log: Sample.log) { [outcomes] in outcomes.append($0) }
    }

    /// The instance of an item says its stream and its number.
    private func item(
        _ stream: StreamID, _ sequence: UInt64, value: String = "v", instance: UInt64? = nil
    ) throws -> SinkItem {
        SinkItem(
            instance: InstanceID(token: instance ?? token(stream, sequence)), source: Sample.destination,
            stream: stream, sequence: Sequence(sequence), floor: Sequence(1), batch: try Sample.batch([value]),
            records: 1, envelope: [1, 2, 3])
    }

    private func token(_ stream: StreamID, _ sequence: UInt64) -> UInt64 { (stream == a ? 100 : 200) + sequence }

    private func end(_ worker: SinkWorker) {
        worker.stop()
        #expect(worker.join(within: .seconds(10)))
    }

    // MARK: Order

    @Test func whatComesInAnyOrderIsAppliedInOrder() throws {
        let worker = worker()
        for sequence: UInt64 in [4, 2, 1, 5, 3] { #expect(worker.add(try item(a, sequence))) }
        try worker.start()
        #expect(outcomes.wait { $0.finished.count == 5 })
        end(worker)
        #expect(store.applied == [1, 2, 3, 4, 5])
        #expect(outcomes.all.marks(of: a).max() == 5)
        #expect(outcomes.all.givenBack == [])
        #expect(worker.status.current.records == 5)
    }

    @Test func aGapIsWaitedForAndGivenBackAtTheEnd() throws {
        let worker = worker()
        for sequence: UInt64 in [1, 3] { #expect(worker.add(try item(a, sequence))) }
        try worker.start()
        #expect(outcomes.wait { $0.finished == [101] })
        end(worker)
        #expect(store.applied == [1])
        #expect(outcomes.all.givenBack == [103])
    }

    /// A relay with many copies of what waits already, on a slow link, would else offer them again and again and never
    /// come to the one they wait for.
    @Test func aCopyOfWhatWaitsIsSetAsideSoThatOthersPassIt() throws {
        let worker = worker()
        #expect(worker.add(try item(a, 2)))
        #expect(worker.add(try item(a, 2, instance: 177)))
        try worker.start()
        #expect(outcomes.wait { $0.givenBack == [177] })
        #expect(outcomes.all.setAside == [177])
        #expect(worker.add(try item(a, 1)))
        #expect(outcomes.wait { $0.finished == [101, 102] })
        end(worker)
    }

    @Test func aDuplicateIsFinishedWithTheMarkAndWithoutEffect() throws {
        store.change { $0.marks[a] = Sequence(7) }
        let worker = worker()
        #expect(worker.add(try item(a, 6)))
        try worker.start()
        #expect(outcomes.wait { $0.finished == [106] && $0.marks(of: a) == [7] })
        end(worker)
        #expect(store.applied == [])
        #expect(worker.duplicates == 1)
    }

    @Test func afterTheEndNothingIsTaken() throws {
        let worker = worker()
        try worker.start()
        end(worker)
        #expect(!worker.add(try item(a, 1)))
        #expect(worker.bytesQueued.load(ordering: .relaxed) == 0)
        #expect(worker.status.current.state == "stopped")
    }

    // MARK: Failures

    @Test func aFailureSkipsAndRepeatsNothing() throws {
        store.change {
            $0.openingFaults = [.transient, .configuration]
            $0.markFaults = [.transient]
            $0.faults = [.before(.transient), .before(.configuration), .before(.transient)]
        }
        let worker = worker()
        for sequence: UInt64 in 1...20 { #expect(worker.add(try item(a, sequence))) }
        try worker.start()
        // The relay brings again what it gets back.
        var answered = 0
        #expect(
            outcomes.wait { all in
                let back = all.givenBack
                for token in back.dropFirst(answered) {
                    if let again = try? item(a, token - 100) { _ = worker.add(again) }
                }
                answered = back.count
                return Set(all.finished).count == 20
            })
        end(worker)
        #expect(store.applied == Array(1...20))
        #expect(worker.status.current.lastError == nil)
    }

    @Test func aCommitWhoseAnswerWasLostIsNotRepeated() throws {
        store.change { $0.faults = [.after] }
        let worker = worker()
        for sequence: UInt64 in 1...3 { #expect(worker.add(try item(a, sequence))) }
        try worker.start()
        #expect(outcomes.wait { $0.finished.count == 3 })
        end(worker)
        #expect(store.applied == [1, 2, 3])
        #expect(outcomes.all.marks(of: a).max() == 3)
        #expect(store.state.withLock { $0.openings } == 2, "the marks are asked of a fresh sink")
    }

    @Test func stopInterruptsThePauseAfterAFailure() throws {
        store.change { $0.faults = [.before(.transient)] }
        let worker = worker { $0.pauses = Backoff(shortest: .seconds(3600), longest: .seconds(3600)) }
        for sequence: UInt64 in 1...2 { #expect(worker.add(try item(a, sequence))) }
        try worker.start()
        #expect(store.attempts.wait { $0.count == 1 })
        end(worker)
        #expect(outcomes.all.givenBack.sorted() == [101, 102])
        #expect(outcomes.all.finished == [])
        #expect(store.applied == [])
    }

    // MARK: Rejection

    @Test func aRejectedBatchHoldsUpItsOwnStreamOnly() throws {
        store.change { $0.rejected = [.init(stream: a, sequence: 2)] }
        let worker = worker()
        for sequence: UInt64 in 1...3 {
            #expect(worker.add(try item(a, sequence)))
            #expect(worker.add(try item(b, sequence)))
        }
        try worker.start()
        #expect(outcomes.wait { $0.finished.count == 4 && $0.givenBack.count == 2 })
        #expect(worker.status.current.state == "blocked")
        // What comes of it meanwhile goes back, too.
        #expect(worker.add(try item(a, 4)))
        #expect(outcomes.wait { $0.givenBack.contains(104) })
        end(worker)
        #expect(store.applied(a) == [1])
        #expect(store.applied(b) == [1, 2, 3])
        #expect(outcomes.all.givenBack.sorted() == [102, 103, 104])
    }

    @Test func aStreamThatWasHeldUpGoesOnWhereItStopped() throws {
        store.change { $0.rejected = [.init(stream: a, sequence: 2)] }
        let worker = worker { $0.rejectionDelay = .nanoseconds(1) }
        for sequence: UInt64 in 1...3 { #expect(worker.add(try item(a, sequence))) }
        try worker.start()
        #expect(outcomes.wait { $0.givenBack.sorted() == [102, 103] })
        store.change { $0.rejected = [] }
        for sequence: UInt64 in 2...3 { #expect(worker.add(try item(a, sequence, instance: 500 + sequence))) }
        #expect(outcomes.wait { $0.finished.count == 3 })
        end(worker)
        #expect(store.applied == [1, 2, 3])
    }

    /// More is ready than one commit takes, and a rejection makes the worker apply one by one: it must not fall
    /// asleep on the rest.
    @Test func behindARejectionTheRestGoesOnWithoutANewArrival() throws {
        store.change { $0.rejected = [.init(stream: a, sequence: 1)] }
        let worker = worker()
        let large = String(repeating: "x", count: SinkWorker.commitBytes * 5 / 8)
        #expect(worker.add(try item(a, 1)))
        for sequence: UInt64 in 1...4 { #expect(worker.add(try item(b, sequence, value: large))) }
        try worker.start()
        #expect(outcomes.wait { $0.finished.count == 4 })
        end(worker)
        #expect(store.applied(b) == [1, 2, 3, 4])
    }

    @Test func aRejectedBatchInTheQuarantineLetsItsStreamGoOn() throws {
        store.change { $0.rejected = [.init(stream: a, sequence: 2)] }
        let kept = Collected<[UInt8]>()
        let worker = worker { settings in
            settings.onReject = .quarantine
            settings.quarantine = { item, _ in
                kept.append(item.envelope)
                return true
            }
        }
        for sequence: UInt64 in 1...3 { #expect(worker.add(try item(a, sequence))) }
        try worker.start()
        #expect(outcomes.wait { $0.finished.count == 3 })
        end(worker)
        #expect(kept.all == [[1, 2, 3]])
        #expect(store.applied == [1, 2, 3])
        #expect(store.state.withLock { $0.records[.init(stream: a, sequence: 2)] } == 0, "it had no effect")
        #expect(worker.status.current.records == 2)
    }

    @Test func aRejectedBatchWithoutRoomInTheQuarantineWaits() throws {
        store.change { $0.rejected = [.init(stream: a, sequence: 1)] }
        let worker = worker { $0.onReject = .quarantine }
        #expect(worker.add(try item(a, 1)))
        try worker.start()
        #expect(outcomes.wait { $0.givenBack == [101] })
        end(worker)
        #expect(store.applied == [])
        #expect(outcomes.all.finished == [])
    }
}
