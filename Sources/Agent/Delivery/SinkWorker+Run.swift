import AgentCore
import Envelope
import Platform
import Synchronization

// What happens on the sink's thread.
extension SinkWorker {
    struct RunState {
        var sink: (any Sink)?
        var order = DeliveryOrder<Item>(memoryBytes: SinkWorker.memoryBytes)
        /// Taken out of the order and not applied yet.
        var ready: [Item] = []
        /// Offered once the sink can tell the stream's mark.
        var unplaced: [Item] = []
        /// Streams with a rejected batch, until when they wait.
        var blocked: [StreamID: Instant] = [:]
        var failures: Backoff
        var lastLogged = ""
    }

    func run() {
        var state = RunState(failures: settings.pauses)
        while !mustStop {
            let isIdle = state.ready.isEmpty && state.unplaced.isEmpty
            guard let items = queue.takeAll(within: isIdle ? nil : .zero) else { break }
            take(items, &state)
            do throws(ConnectorError) {
                try place(&state)
                try apply(&state)
            } catch {
                fail(error, &state)
            }
        }
        leave(&state)
    }

    private func take(_ items: [Item], _ state: inout RunState) {
        guard !items.isEmpty else { return }
        bytesQueued.subtract(items.reduce(0) { $0 + $1.bytes }, ordering: .relaxed)
        state.unplaced += items
    }

    /// The relay gets back what was not applied, so that its credit and our memory are free again.
    private func leave(_ state: inout RunState) {
        state.sink = nil
        while let items = queue.takeAll() { take(items, &state) }
        giveBack(state.ready + state.order.removeAll() + state.unplaced, delay: Self.giveBackDelay)
    }

    private func giveBack(_ items: [Item], delay: Duration) {
        if !items.isEmpty { report(items.map { .giveBack($0.instance, delay) }) }
    }

    func opened(_ state: inout RunState) throws(ConnectorError) -> any Sink {
        if let sink = state.sink { return sink }
        let sink = try factory()
        state.sink = sink
        return sink
    }

    // MARK: Order

    /// Puts what came into the order of its stream, asking the sink where a new stream stands.
    private func place(_ state: inout RunState) throws(ConnectorError) {
        guard !state.unplaced.isEmpty else { return }
        var outcomes: [DeliveryOutcome] = []
        var placed = 0
        defer {
            state.unplaced.removeFirst(placed)
            if !outcomes.isEmpty { report(outcomes) }
        }
        let sink = try opened(&state)
        unblock(&state)
        for item in state.unplaced {
            let stream = item.delivery.stream
            if let until = state.blocked[stream] {
                outcomes.append(.giveBack(item.instance, max(Self.asideDelay, until - Clock.now)))
            } else {
                if !state.order.knows(stream) { state.order.add(stream, mark: try sink.mark(of: stream)) }
                offer(item, &state.order, &outcomes)
            }
            placed += 1
        }
    }

    private func offer(_ item: Item, _ order: inout DeliveryOrder<Item>, _ outcomes: inout [DeliveryOutcome]) {
        let stream = item.delivery.stream
        let verdict = order.offer(
            stream, item.delivery.sequence, floor: item.floor, bytes: item.bytes, token: item)
        switch verdict {
        case .waits: break
        case .duplicate:
            duplicateCount.add(1, ordering: .relaxed)
            outcomes.append(.finished(item.instance))
            if let mark = order.mark(of: stream) {
                outcomes.append(.mark(source: item.delivery.source, stream: stream, mark))
            }
        case .turnedAway: outcomes.append(.giveBack(item.instance, Self.asideDelay))
        }
    }

    // MARK: Failures

    /// Keeps what was to be applied, gives the rest back to the relay, waits, and starts with a fresh sink. Whether
    /// the failed commit took effect after all, the fresh sink's marks tell.
    private func fail(_ error: ConnectorError, _ state: inout RunState) {
        state.sink = nil
        status.failed(error.kind == .transient ? "retrying" : "misconfigured", error.description)
        if error.description != state.lastLogged {
            log.error(
                "sink.failed", "a sink cannot take data; it is tried again and nothing is skipped",
                ["sink": settings.name, "reason": error.description])
        }
        state.lastLogged = error.description
        let pause = state.failures.next(random: Entropy.word())
        giveBack(state.order.removeAll() + state.unplaced, delay: max(.seconds(1), pause))
        state.unplaced = state.ready
        state.ready = []
        bell.wait(within: pause)
    }
}
