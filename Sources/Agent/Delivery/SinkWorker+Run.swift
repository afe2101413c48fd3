import AgentCore
import Envelope
import Platform
import Synchronization

// What happens on the sink's thread.
extension SinkWorker {
    func run() {
        var machine = SinkMachine(settings.machine)
        var sink: (any Sink)?
        while !mustStop, turn(&machine, &sink) { answerQuestions(sink) }
        questions.close()
        sink = nil
        while let items = queue.takeAll() { take(items, &machine) }
        machine.leave()
        tell(&machine)
    }

    /// Does what the machine says next.
    /// - Returns: false once there is nothing left to wait for.
    private func turn(_ machine: inout SinkMachine, _ sink: inout (any Sink)?) -> Bool {
        let step = machine.next(at: Clock.now)
        tell(&machine)
        switch step {
        case .wait: return take(within: nil, &machine)
        case .rest(let until):
            sink = nil
            bell.wait(within: until - Clock.now)
        case .setAside(let item, let reason):
            machine.setAside(settings.quarantine(item, reason), at: Clock.now)
        case .open, .askMark, .commit:
            do throws(ConnectorError) { try use(&sink, step, &machine) } catch {
                machine.failed(ConnectorFailure(error), at: Clock.now, random: Entropy.word())
            }
        }
        tell(&machine)
        // What came meanwhile: it must not fill the queue while a long run is applied, or a sink is away.
        return machine.takesMore ? take(within: .zero, &machine) : true
    }

    private func use(
        _ sink: inout (any Sink)?, _ step: SinkMachine.Step, _ machine: inout SinkMachine
    ) throws(ConnectorError) {
        if case .open = step {
            sink = nil
            sink = try factory()
            machine.opened()
        }
        guard let sink else { return }
        if case .askMark(let stream) = step { machine.marked(stream, try sink.mark(of: stream)) }
        if case .commit(let items) = step {
            try sink.apply(items.map(Delivery.init))
            machine.committed()
        }
    }

    /// - Returns: false once the queue is closed and empty.
    private func take(within limit: Duration?, _ machine: inout SinkMachine) -> Bool {
        guard let items = queue.takeAll(within: limit) else { return false }
        take(items, &machine)
        return true
    }

    private func take(_ items: [SinkItem], _ machine: inout SinkMachine) {
        guard !items.isEmpty else { return }
        bytesQueued.subtract(items.reduce(0) { $0 + $1.bytes }, ordering: .relaxed)
        machine.take(items)
    }

    // MARK: What people and the relay are told

    private func tell(_ machine: inout SinkMachine) {
        duplicateCount.store(machine.duplicates, ordering: .relaxed)
        for fact in machine.takeFacts() { note(fact) }
        let outcomes = machine.takeOutcomes()
        if !outcomes.isEmpty { report(outcomes) }
    }

    private func note(_ fact: SinkMachine.Fact) {
        switch fact {
        case .committed(let records, let isBlocked): status.succeeded(records: records, isBlocked: isBlocked)
        case .failed(let failure, let isNew):
            status.failed(failure.state, failure.reason)
            guard isNew else { return }
            log.error(
                "sink.failed", "a sink cannot take data; it is tried again and nothing is skipped",
                ["sink": settings.name, "reason": failure.reason])
        case .blocked(let stream, let sequence, let reason):
            status.failed(
                "blocked",
                "\(reason) (stream \(stream), envelope \(sequence)); the stream waits until the sink takes it, or set "
                    + "onReject: quarantine")
            log.error(
                "sink.rejected", "a sink rejects a batch; its stream waits and nothing is lost, other streams go on",
                ["sink": settings.name, "stream": stream, "sequence": sequence, "reason": reason])
        }
    }
}

extension Delivery {
    fileprivate init(_ item: SinkItem) {
        self.init(source: item.source, stream: item.stream, sequence: item.sequence, batch: item.batch)
    }
}
