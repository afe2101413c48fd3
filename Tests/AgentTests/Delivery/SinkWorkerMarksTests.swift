import Envelope
import Mesh
import Platform
import Testing

@testable import Agent
@testable import AgentCore

/// A sink is asked where a stream stands while it works, rests or waits, and its work is none the worse for it.
@Suite(.timeLimit(.minutes(1))) struct SinkWorkerMarksTests {
    private let store = SinkStore()
    private let outcomes = Collected<DeliveryOutcome>()
    private let stream = Sample.stream(1)

    private func worker(pause: Duration = .milliseconds(1)) throws -> SinkWorker {
        let settings = SinkWorker.Settings(name: "store", pauses: Backoff(shortest: pause, longest: pause))
        return SinkWorker(settings, factory: store.factory, log: Sample.log) { [outcomes] in outcomes.append($0) }
    }

    private func item(_ sequence: UInt64) throws -> SinkItem {
        SinkItem(
            instance: .init(token: sequence), source: Sample.destination, stream: stream, sequence: Sequence(sequence),
            floor: Sequence(1), batch: try Sample.batch(["v"]), records: 1)
    }

    private func ask(_ worker: SinkWorker) -> Sequence? {
        worker.askMark(of: stream).wait(within: .seconds(20)) ?? nil
    }

    @Test func aSinkThatWaitsIsAsked() throws {
        store.change { $0.marks[stream] = Sequence(7) }
        let worker = try worker()
        try worker.start()
        #expect(ask(worker) == Sequence(7))
        #expect(worker.add(try item(8)))
        #expect(outcomes.wait { $0.finished == [8] })
        #expect(ask(worker) == Sequence(8))
        worker.stop()
        #expect(worker.join(within: .seconds(10)))
        #expect(store.applied == [8])
    }

    @Test func aSinkThatCannotSaySaysSo() throws {
        store.change { $0.openingFaults = [.transient] }
        let worker = try worker()
        try worker.start()
        #expect(ask(worker) == nil)
        #expect(ask(worker) == Sequence.none, "it is back, and knows nothing of the stream")
        store.change { $0.markFaults = [.transient] }
        #expect(ask(worker) == nil)
        worker.stop()
        #expect(worker.join(within: .seconds(10)))
    }

    @Test func aSinkThatRestsIsAskedAndRestsOn() throws {
        store.change { state in
            state.faults = [.before(.transient)]
            state.marks[stream] = Sequence(3)
        }
        let worker = try worker(pause: .seconds(600))
        #expect(worker.add(try item(4)))
        try worker.start()
        #expect(store.attempts.wait { $0.count == 1 })
        #expect(ask(worker) == Sequence(3))
        #expect(ask(worker) == Sequence(3))
        #expect(store.attempts.all.count == 1)
        worker.stop()
        #expect(worker.join(within: .seconds(10)))
    }

    /// Nobody waits for the answer of a thread that has ended.
    @Test func aSinkThatHasEndedSaysNothing() throws {
        let worker = try worker()
        try worker.start()
        worker.stop()
        #expect(worker.join(within: .seconds(10)))
        #expect(worker.askMark(of: stream).wait(within: .zero) == .some(nil))
    }
}
