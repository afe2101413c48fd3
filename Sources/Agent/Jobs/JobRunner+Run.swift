import AgentCore
import Envelope
import Node
import Platform
import Synchronization

// What happens on the job's thread.
extension JobRunner {
    /// What the thread holds for the machine.
    private struct Hands {
        var source: (any Source)?
        /// Records read and not handed over yet.
        var batch: RecordBatch.Builder?
    }

    func run(from start: Checkpoint?, behind: [Place]) {
        var machine = JobMachine(.init(linger: configuration.linger), from: start?.bytes, behind: behind)
        var hands = Hands()
        while !mustStop, turn(&machine, &hands) {}
    }

    /// Does what the machine says next.
    /// - Returns: false where the agent is stopping.
    private func turn(_ machine: inout JobMachine, _ hands: inout Hands) -> Bool {
        for heard in takeNews() {
            switch heard {
            case .receipted(let place): machine.receipted(place)
            case .ended(let stream): machine.ended(stream)
            }
        }
        let (now, wall) = (Clock.now, Clock.wall)
        var step = machine.next(at: now, wall: wall)
        if case .awaitRoom = step, maker.mayReadOn {
            machine.hasRoom()
            step = machine.next(at: now, wall: wall)
        }
        tell(&machine)
        switch step {
        case .awaitRoom:
            status.set("waiting")
            guard maker.awaitRoom(bell: bell, isCancelled: { mustStop }) else { return false }
            status.set("running")
            machine.hasRoom()
        case .askSchedule: machine.fires(in: untilNextFire, at: Clock.now, wall: Clock.wall)
        case .pause(let until): bell.wait(within: until - Clock.now)
        case .rest(let until):
            hands.source = nil
            bell.wait(within: until - Clock.now)
        case .open, .acknowledge, .read, .handOver:
            do throws(JobFailure) { try act(step, &machine, &hands) } catch {
                machine.failed(error.ofConnector, at: Clock.now, random: Entropy.word())
            }
            tell(&machine)
        }
        return true
    }

    private func takeNews() -> [News] {
        news.withLock { news in
            if news.isEmpty { return [] }
            defer { news.removeAll(keepingCapacity: true) }
            return news
        }
    }

    private func act(
        _ step: JobMachine.Step, _ machine: inout JobMachine, _ hands: inout Hands
    ) throws(JobFailure) {
        if case .open = step {
            try open(&hands)
            return machine.opened()
        }
        // Out of the hands, so that it is not copied when records are appended.
        guard let source = hands.source, var batch = hands.batch.take() else { return }
        defer { hands.batch = batch }
        if case .acknowledge(let checkpoint) = step {
            try JobFailure.ofSource { () throws(ConnectorError) in try source.acknowledge(Checkpoint(checkpoint)) }
            machine.acknowledged()
        } else if case .read(let place) = step {
            let outcome = try JobFailure.ofSource { () throws(ConnectorError) in
                try source.read(into: &batch, after: place.map { Checkpoint($0) })
            }
            machine.read(
                JobMachine.Reading(
                    checkpoint: outcome.checkpoint?.bytes, hasMore: outcome.hasMore, again: outcome.again,
                    records: batch.count, isFull: batch.isFull), at: Clock.now)
        } else if case .handOver(let checkpoint) = step {
            let records = batch.count
            let made = try batch.withFinished { (bytes) throws(JobFailure) in
                try maker.make(bytes, records: records, checkpoint: checkpoint)
            }
            batch.removeAll(keepingCapacity: true)
            machine.handedOver(Place(stream: made.stream, sequence: made.sequence))
        }
    }

    private func open(_ hands: inout Hands) throws(JobFailure) {
        hands.source = nil
        hands.source = try JobFailure.ofSource(factory)
        if hands.batch == nil {
            hands.batch = try JobFailure.catching { () throws(EnvelopeError) in
                try RecordBatch.Builder(topic: configuration.topic, limit: configuration.batchBytes)
            }
        }
        hands.batch?.removeAll(keepingCapacity: true)
    }

    private var untilNextFire: Duration {
        let now = Clock.wall
        guard let next = schedule.nextFire(after: now, in: .local) else { return .seconds(3600) }
        return .milliseconds(max(1, next.milliseconds - now.milliseconds))
    }

    // MARK: What people are told

    private func tell(_ machine: inout JobMachine) {
        for fact in machine.takeFacts() { note(fact) }
    }

    private func note(_ fact: JobMachine.Fact) {
        switch fact {
        case .began: status.set("running", at: Clock.wall)
        case .made(let records): status.made(records: records)
        case .succeeded: status.succeeded()
        case .untold(let failure): status.failed(failure.state, failure.reason)
        case .failed(let failure, let isNew):
            status.failed(failure.state, failure.reason)
            guard isNew else { return }
            log.warning(
                "job.failed", "a job cannot go on; it is tried again",
                ["job": configuration.name, "reason": failure.reason])
        }
    }
}
