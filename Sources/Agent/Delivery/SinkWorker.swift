import Envelope
import Mesh
import Node
import Platform
import Synchronization

/// Drives one sink on a thread of its own: brings each stream into order, applies in batches, says what is durable.
///
/// A sink that fails is tried for ever, with growing pauses: nothing is skipped, and what does not fit in memory
/// meanwhile goes back to the relay, so that other sinks are not held up.
final class SinkWorker: Sendable {
    struct Item: Sendable {
        var instance: InstanceID
        var floor: Sequence
        var delivery: Delivery
    }

    /// Bytes of batches that may wait here, in order or for earlier ones.
    static let memoryBytes = 32 << 20
    /// Bytes of batches brought to the sink in one commit.
    static let commitBytes = 8 << 20
    static let giveBackDelay: Duration = .milliseconds(200)

    let status: SinkStatus
    private let name: String
    private let factory: ConnectorMaking.SinkFactory
    private let queue = WorkQueue<Item>()
    private let report: @Sendable ([DeliveryOutcome]) -> Void
    private let log: Log
    private let thread = Mutex<Threads.Handle?>(nil)
    private let isStopped = Atomic<Bool>(false)
    private let duplicateCount = Atomic<UInt64>(0)
    /// Interrupts a pause after a failure.
    private let bell = Bell()

    init(
        name: String, factory: @escaping ConnectorMaking.SinkFactory, log: Log,
        report: @escaping @Sendable ([DeliveryOutcome]) -> Void
    ) {
        self.name = name
        self.factory = factory
        self.log = log
        self.report = report
        status = SinkStatus(name: name)
    }

    /// Envelopes that came though their effect was durable already.
    var duplicates: UInt64 { duplicateCount.load(ordering: .relaxed) }

    func start() throws(ThreadError) {
        let handle = try Threads.start(name: "sink-\(name)") { [self] in
            run()
            status.failed("stopped", "the agent is stopping")
        }
        thread.withLock { $0 = handle }
    }

    func add(_ item: Item) { queue.add(item) }

    /// Ends after the commit under way.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        queue.close()
        bell.ring()
    }

    func join() { thread.withLock { $0 }?.join() }

    private var mustStop: Bool { isStopped.load(ordering: .acquiring) }

    // MARK: On the sink's thread

    private struct RunState {
        var sink: (any Sink)?
        var order = DeliveryOrder<Item>(memoryBytes: SinkWorker.memoryBytes)
        /// Taken out of the order and not applied yet.
        var ready: [Item] = []
        /// Offered once the sink can tell the stream's mark.
        var unplaced: [Item] = []
        var failures = Backoff(shortest: .milliseconds(100), longest: .seconds(30))
        var lastLogged = ""
    }

    private func run() {
        var state = RunState()
        while !mustStop {
            let isIdle = state.ready.isEmpty && state.unplaced.isEmpty
            guard let items = queue.takeAll(within: isIdle ? nil : .zero) else { return }
            state.unplaced += items
            do throws(ConnectorError) {
                try place(&state)
                try apply(&state)
            } catch {
                fail(error, &state)
            }
        }
    }

    /// Puts what came into the order of its stream, asking the sink where a new stream stands.
    private func place(_ state: inout RunState) throws(ConnectorError) {
        guard !state.unplaced.isEmpty else { return }
        let sink = try opened(&state)
        var outcomes: [DeliveryOutcome] = []
        var placed = 0
        defer {
            state.unplaced.removeFirst(placed)
            if !outcomes.isEmpty { report(outcomes) }
        }
        for item in state.unplaced {
            let stream = item.delivery.stream
            if !state.order.knows(stream) { state.order.add(stream, mark: try sink.mark(of: stream)) }
            placed += 1
            let verdict = state.order.offer(
                stream, item.delivery.sequence, floor: item.floor, bytes: item.delivery.batch.count, token: item)
            switch verdict {
            case .waits: break
            case .duplicate:
                duplicateCount.add(1, ordering: .relaxed)
                outcomes.append(.finished(item.instance))
                if let mark = state.order.mark(of: stream) {
                    outcomes.append(.mark(source: item.delivery.source, stream: stream, mark))
                }
            case .turnedAway: outcomes.append(.giveBack(item.instance, Self.giveBackDelay))
            }
        }
    }

    private func apply(_ state: inout RunState) throws(ConnectorError) {
        if state.ready.isEmpty { state.ready = state.order.takeReady(bytes: Self.commitBytes).map(\.token) }
        guard !state.ready.isEmpty else { return }
        let sink = try opened(&state)
        try sink.apply(state.ready.map(\.delivery))
        var outcomes = state.ready.map { DeliveryOutcome.finished($0.instance) }
        var marks: [StreamID: (source: NodeID, mark: Sequence)] = [:]
        var streams: [StreamID] = []
        var records = 0
        for item in state.ready {
            let delivery = item.delivery
            if marks[delivery.stream] == nil { streams.append(delivery.stream) }
            marks[delivery.stream] = (delivery.source, delivery.sequence)
            records += (try? RecordBatch.Reader(delivery.batch).count) ?? 0
            let copies = state.order.applied(delivery.stream, through: delivery.sequence)
            duplicateCount.add(UInt64(copies.count), ordering: .relaxed)
            outcomes += copies.map { .finished($0.instance) }
        }
        for stream in streams {
            if let entry = marks[stream] { outcomes.append(.mark(source: entry.source, stream: stream, entry.mark)) }
        }
        // More of the same streams may be ready now.
        state.ready = state.order.takeReady(bytes: Self.commitBytes).map(\.token)
        state.failures.reset()
        state.lastLogged = ""
        status.succeeded(records: records)
        report(outcomes)
    }

    private func opened(_ state: inout RunState) throws(ConnectorError) -> any Sink {
        if let sink = state.sink { return sink }
        let sink = try factory()
        state.sink = sink
        return sink
    }

    /// Keeps what was to be applied, gives the rest back to the relay, waits, and starts with a fresh sink. Whether
    /// the failed commit took effect after all, the fresh sink's marks tell.
    private func fail(_ error: ConnectorError, _ state: inout RunState) {
        state.sink = nil
        status.failed(error.kind == .transient ? "retrying" : "misconfigured", error.description)
        if error.description != state.lastLogged {
            log.error(
                "sink.failed", "a sink cannot take data; it is tried again and nothing is skipped",
                ["sink": name, "reason": error.description])
        }
        state.lastLogged = error.description
        let waiting = state.order.removeAll() + state.unplaced
        if !waiting.isEmpty { report(waiting.map { .giveBack($0.instance, .seconds(1)) }) }
        state.unplaced = state.ready
        state.ready = []
        state.order = DeliveryOrder(memoryBytes: Self.memoryBytes)
        bell.wait(within: state.failures.next(random: Entropy.word()))
    }
}
