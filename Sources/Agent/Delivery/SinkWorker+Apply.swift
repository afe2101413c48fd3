import AgentCore
import Envelope
import Node
import Platform
import Synchronization

// Applying on the sink's thread, and what the sink rejects.
extension SinkWorker {
    func apply(_ state: inout RunState) throws(ConnectorError) {
        if state.ready.isEmpty { state.ready = state.order.takeReady(bytes: Self.commitBytes).map(\.token) }
        guard !state.ready.isEmpty else { return }
        let sink = try opened(&state)
        do throws(ConnectorError) {
            try sink.apply(state.ready.map(\.delivery))
            done(state.ready, &state)
            state.ready = []
        } catch {
            guard error.kind == .rejected else { throw error }
            try applyOneByOne(&state, sink)
        }
        // More may be ready that did not fit into this commit, and nothing else need come to wake the thread.
        state.ready = state.order.takeReady(bytes: Self.commitBytes).map(\.token)
    }

    /// Finds what is rejected among several, so that only its stream is held up.
    private func applyOneByOne(_ state: inout RunState, _ sink: any Sink) throws(ConnectorError) {
        while let item = state.ready.first {
            if let until = state.blocked[item.delivery.stream] {
                report([.giveBack(item.instance, max(Self.asideDelay, until - Clock.now))])
                state.ready.removeFirst()
                continue
            }
            do throws(ConnectorError) {
                try sink.apply([item.delivery])
                done([item], &state)
            } catch {
                guard error.kind == .rejected else { throw error }
                try reject(item, error, &state, sink)
            }
            state.ready.removeFirst()
        }
    }

    private func done(_ items: [Item], _ state: inout RunState) {
        var outcomes = items.map { DeliveryOutcome.finished($0.instance) }
        var marks: [StreamID: Int] = [:]
        var records = 0
        for item in items {
            let mark = DeliveryOutcome.mark(
                source: item.delivery.source, stream: item.delivery.stream, item.delivery.sequence)
            if let place = marks[item.delivery.stream] {
                outcomes[place] = mark
            } else {
                marks[item.delivery.stream] = outcomes.count
                outcomes.append(mark)
            }
            records += item.records
            state.order.applied(item.delivery.stream, through: item.delivery.sequence)
        }
        state.failures.reset()
        state.lastLogged = ""
        status.succeeded(records: records, isBlocked: !state.blocked.isEmpty)
        report(outcomes)
    }

    // MARK: Rejection

    private func reject(
        _ item: Item, _ error: ConnectorError, _ state: inout RunState, _ sink: any Sink
    ) throws(ConnectorError) {
        if settings.onReject == .quarantine, settings.quarantine(item.envelope, error.description),
            try skip(item, &state, sink)
        {
            return
        }
        block(item, error, &state)
    }

    /// Raises the sink's mark past a batch that lies in the quarantine, by a batch of the topic without records.
    /// - Returns: false where the sink rejects even that.
    private func skip(_ item: Item, _ state: inout RunState, _ sink: any Sink) throws(ConnectorError) -> Bool {
        var empty = item
        empty.records = 0
        do throws(EnvelopeError) {
            let topic = try RecordBatch.Reader(item.delivery.batch).topic
            empty.delivery.batch = try RecordBatch.Builder(topic: topic).finish()
        } catch {
            return false
        }
        do throws(ConnectorError) { try sink.apply([empty.delivery]) } catch {
            guard error.kind == .rejected else { throw error }
            return false
        }
        done([empty], &state)
        return true
    }

    /// The stream waits; others go on.
    private func block(_ item: Item, _ error: ConnectorError, _ state: inout RunState) {
        let stream = item.delivery.stream
        state.blocked[stream] = Clock.now + settings.rejectionDelay
        status.failed(
            "blocked",
            "\(error.description) (stream \(stream), envelope \(item.delivery.sequence)); the stream waits until the "
                + "sink takes it, or set onReject: quarantine")
        log.error(
            "sink.rejected", "a sink rejects a batch; its stream waits and nothing is lost, other streams go on",
            [
                "sink": settings.name, "stream": stream, "sequence": item.delivery.sequence,
                "reason": error.description,
            ])
        let held = [item] + state.order.remove(stream)
        report(held.map { .giveBack($0.instance, settings.rejectionDelay) })
    }

    /// Streams whose time has come may try again.
    func unblock(_ state: inout RunState) {
        guard !state.blocked.isEmpty else { return }
        let now = Clock.now
        state.blocked = state.blocked.filter { $0.value > now }
    }
}
