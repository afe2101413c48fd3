import Envelope
import Node
import Platform
import Synchronization

// What happens on the job's thread.
extension JobRunner {
    struct RunState {
        /// Where what was handed over ends.
        var checkpoint: Checkpoint?
        var source: (any Source)?
        var failures = Backoff(shortest: .milliseconds(200), longest: .seconds(30))
        /// Records read and not handed over yet, where they end in the source, and when the first was read.
        var batch: RecordBatch.Builder?
        var readTo: Checkpoint?
        var openedAt = Instant.zero
        var settling = Settling()
        var lastLogged = ""

        /// Throws away what was read and not handed over: it is read again.
        mutating func rewind() {
            batch?.removeAll(keepingCapacity: true)
            readTo = checkpoint
        }
    }

    /// Checkpoints on their way to the source's ear.
    struct Settling {
        /// Behind envelopes that are not receipted yet, in their order.
        var behind: [(place: Place, checkpoint: Checkpoint)] = []
        /// A receipted checkpoint the source has not been told of.
        var settled: Checkpoint?
        /// The newest receipt heard of; it may come before its envelope is noted in `behind`.
        var mark: Place?

        /// A receipt for one stream settles all that was made before it.
        mutating func update() {
            guard let mark, var end = behind.firstIndex(where: { $0.place.stream == mark.stream }) else { return }
            while end < behind.count, behind[end].place.stream == mark.stream,
                behind[end].place.sequence <= mark.sequence
            {
                end += 1
            }
            guard end > 0 else { return }
            settled = behind[end - 1].checkpoint
            behind.removeFirst(end)
        }
    }

    func run(from start: Checkpoint?, behind: Place?) {
        var state = RunState(checkpoint: start, readTo: start)
        if let start, let behind { state.settling.behind = [(behind, start)] }
        if behind == nil { state.settling.settled = start }
        while !mustStop {
            var wait = untilNextFire
            do throws(JobFailure) {
                status.set("running", at: Clock.wall)
                if let again = try runOnce(&state) { wait = min(wait, again) }
                state.failures.reset()
                state.lastLogged = ""
                status.succeeded()
            } catch {
                state.rewind()
                state.source = nil
                wait = failed(error, &state)
            }
            pause(wait, &state)
        }
    }

    /// Reads until the source has no more for now.
    /// - Returns: how soon it should be asked again, where that is sooner than its schedule says.
    private func runOnce(_ state: inout RunState) throws(JobFailure) -> Duration? {
        let source = try opened(&state)
        var batch = try takeBatch(&state)
        defer { state.batch = batch }
        while !mustStop {
            try settle(&state)
            guard maker.awaitRoom(bell: bell, isCancelled: { mustStop }) else { return nil }
            let wasEmpty = batch.isEmpty
            let outcome: ReadOutcome
            do throws(ConnectorError) { outcome = try source.read(into: &batch, after: state.readTo) } catch {
                throw .connector(error)
            }
            state.readTo = outcome.checkpoint
            if wasEmpty { state.openedAt = Clock.now }
            if !batch.isEmpty, !outcome.hasMore, !batch.isFull, let look = lingers(outcome, state) { return look }
            try handOver(&batch, &state)
            guard outcome.hasMore else { return outcome.again }
        }
        return nil
    }

    /// Takes the batch out of the state, so that it is not copied when records are appended.
    private func takeBatch(_ state: inout RunState) throws(JobFailure) -> RecordBatch.Builder {
        if let batch = state.batch.take() { return batch }
        return try JobFailure.catching { () throws(EnvelopeError) in
            try RecordBatch.Builder(topic: configuration.topic, limit: configuration.batchBytes)
        }
    }

    /// Whether a batch that is not full should wait for more: only where the source is asked again in time.
    /// - Returns: when that is; nil to send it now.
    private func lingers(_ outcome: ReadOutcome, _ state: RunState) -> Duration? {
        let rest = configuration.linger - (Clock.now - state.openedAt)
        guard rest > .zero else { return nil }
        let look = min(outcome.again ?? untilNextFire, untilNextFire)
        return look <= rest ? look : nil
    }

    private func handOver(_ batch: inout RecordBatch.Builder, _ state: inout RunState) throws(JobFailure) {
        if !batch.isEmpty {
            let made = try maker.make(batch.finish(), records: batch.count, checkpoint: state.readTo?.bytes)
            status.made(records: batch.count)
            if let checkpoint = state.readTo {
                state.settling.behind.append((Place(stream: made.stream, sequence: made.sequence), checkpoint))
            }
            batch.removeAll(keepingCapacity: true)
        }
        state.checkpoint = state.readTo
    }

    private func opened(_ state: inout RunState) throws(JobFailure) -> any Source {
        if let source = state.source { return source }
        do throws(ConnectorError) {
            let source = try factory()
            state.source = source
            return source
        } catch {
            throw .connector(error)
        }
    }

    /// Tells the source what has had its effect, so that it may tidy up.
    private func settle(_ state: inout RunState) throws(JobFailure) {
        let mark = acknowledged.withLock { mark in
            defer { mark = nil }
            return mark
        }
        if let mark { state.settling.mark = mark }
        state.settling.update()
        guard let settled = state.settling.settled, let source = state.source else { return }
        do throws(ConnectorError) { try source.acknowledge(settled) } catch { throw .connector(error) }
        state.settling.settled = nil
    }

    private func failed(_ failure: JobFailure, _ state: inout RunState) -> Duration {
        let wait = state.failures.next(random: Entropy.word())
        status.failed(failure.state, failure.description)
        if failure.description != state.lastLogged {
            log.warning(
                "job.failed", "a job cannot go on; it is tried again",
                ["job": configuration.name, "reason": failure.description])
        }
        state.lastLogged = failure.description
        return wait
    }

    private var untilNextFire: Duration {
        let now = Clock.wall
        guard let next = schedule.nextFire(after: now, in: .local) else { return .seconds(3600) }
        return .milliseconds(max(1, next.milliseconds - now.milliseconds))
    }

    /// Sleeps until it is time; receipts that come meanwhile are passed on to the source at once.
    private func pause(_ wait: Duration, _ state: inout RunState) {
        let until = Clock.now + wait
        let wall = Clock.wall
        while !mustStop {
            let now = Clock.now
            guard now < until else { return }
            // At most a minute at a time: the wall clock may be set, and a schedule goes by it.
            bell.wait(within: min(until - now, .seconds(60)))
            do throws(JobFailure) { try settle(&state) } catch {
                status.failed(error.state, error.description)
            }
            if wasSet(wall, since: until + .nanoseconds(-wait.wholeNanoseconds)) { return }
        }
    }

    /// Whether the wall clock has gone another way than time since it showed `wall`: then the schedule is asked anew.
    private func wasSet(_ wall: WallTime, since: Instant) -> Bool {
        let passed = (Clock.now - since).wholeMilliseconds
        return abs(Clock.wall.milliseconds - wall.milliseconds - passed) > 5000
    }
}
