import Crypto
import Envelope
import Keyring
import Node
import Platform
import Synchronization

/// Runs one collecting job on a thread of its own: waits for its time, reads, seals, hands over.
///
/// The checkpoint moves with what is durable in the outbox, so whatever is killed when, the source is read on from
/// the right place.
final class JobRunner: Sendable {
    let configuration: JobConfiguration
    let status: JobStatus
    private let schedule: Schedule
    private let factory: ConnectorMaking.SourceFactory
    private let maker: EnvelopeMaker
    private let bell = Bell()
    private let isStopped = Atomic<Bool>(false)
    private let acknowledged = Mutex<Place?>(nil)
    private let log: Log
    private let thread = Mutex<Threads.Handle?>(nil)

    init(
        _ configuration: JobConfiguration, schedule: Schedule, factory: @escaping ConnectorMaking.SourceFactory,
        maker: EnvelopeMaker, log: Log
    ) {
        self.configuration = configuration
        self.schedule = schedule
        self.factory = factory
        self.maker = maker
        self.log = log
        status = JobStatus(name: configuration.name)
    }

    /// - Parameters:
    ///   - checkpoint: where the source goes on; nil for its beginning.
    ///   - isSettled: everything up to there has been receipted.
    func start(from checkpoint: Checkpoint?, isSettled: Bool) throws(ThreadError) {
        let handle = try Threads.start(name: "job-\(configuration.name)") { [self] in
            run(checkpoint, isSettled: isSettled)
            status.set("stopped")
        }
        thread.withLock { $0 = handle }
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        bell.ring()
    }

    func join() { thread.withLock { $0 }?.join() }

    /// Receipts of a stream of the job have come up to here. Streams of one job are receipted one after the other.
    func receipted(_ stream: StreamID, through sequence: Sequence) {
        acknowledged.withLock { $0 = Place(stream: stream, sequence: sequence) }
        bell.ring()
    }

    private struct Place {
        var stream: StreamID
        var sequence: Sequence
    }

    private var mustStop: Bool { isStopped.load(ordering: .acquiring) }

    // MARK: On the job's thread

    private func run(_ start: Checkpoint?, isSettled: Bool) {
        var state = RunState(checkpoint: start)
        if isSettled { state.settled = start }
        while !mustStop {
            var wait = untilNextFire()
            do throws(JobFailure) {
                status.set("running", at: Clock.wall)
                if let again = try runOnce(&state) { wait = min(wait, again) }
                status.succeeded()
            } catch {
                state.source = nil
                wait = failed(error, &state)
            }
            pause(wait, &state)
        }
    }

    private struct RunState {
        var checkpoint: Checkpoint?
        var source: (any Source)?
        var failures = Backoff(shortest: .milliseconds(200), longest: .seconds(30))
        /// Checkpoints behind envelopes that are not receipted yet.
        var behind: [(place: Place, checkpoint: Checkpoint)] = []
        /// A receipted checkpoint the source has not been told of.
        var settled: Checkpoint?
        var lastLogged = ""
    }

    /// Reads until the source has no more for now.
    /// - Returns: how soon the source wants to be asked again, where it says so.
    private func runOnce(_ state: inout RunState) throws(JobFailure) -> Duration? {
        let source = try opened(&state)
        try settle(&state)
        var batch = try JobFailure.catching { () throws(EnvelopeError) in
            try RecordBatch.Builder(topic: configuration.topic, limit: configuration.batchBytes)
        }
        while !mustStop {
            guard maker.awaitRoom(bell: bell, isCancelled: { mustStop }) else { return nil }
            batch.removeAll(keepingCapacity: true)
            let outcome: ReadOutcome
            do throws(ConnectorError) { outcome = try source.read(into: &batch, after: state.checkpoint) } catch {
                throw .connector(error)
            }
            if !batch.isEmpty {
                let made = try maker.make(batch.finish(), records: batch.count, checkpoint: outcome.checkpoint?.bytes)
                status.made(records: batch.count)
                if let checkpoint = outcome.checkpoint {
                    state.behind.append((Place(stream: made.stream, sequence: made.sequence), checkpoint))
                }
            }
            state.checkpoint = outcome.checkpoint
            guard outcome.hasMore else { return outcome.again }
        }
        return nil
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
        if let mark = acknowledged.withLock({ $0 }) {
            let last = state.behind.lastIndex {
                $0.place.stream == mark.stream && $0.place.sequence <= mark.sequence
            }
            if let last {
                state.settled = state.behind[last].checkpoint
                state.behind.removeFirst(last + 1)
            }
        }
        guard let settled = state.settled, let source = state.source else { return }
        do throws(ConnectorError) { try source.acknowledge(settled) } catch { throw .connector(error) }
        state.settled = nil
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

    private func untilNextFire() -> Duration {
        let now = Clock.wall
        guard let next = schedule.nextFire(after: now, in: .local) else { return .seconds(3600) }
        return .milliseconds(max(1, next.milliseconds - now.milliseconds))
    }

    /// Sleeps until it is time; receipts that come meanwhile are passed on to the source at once.
    private func pause(_ wait: Duration, _ state: inout RunState) {
        let until = Clock.now + wait
        while !mustStop {
            let now = Clock.now
            guard now < until else { return }
            // At most a minute at a time: the wall clock may be set.
            bell.wait(within: min(until - now, .seconds(60)))
            do throws(JobFailure) { try settle(&state) } catch {
                status.failed(error.state, error.description)
            }
        }
    }
}

/// Why a run of a job ended early.
enum JobFailure: Error, CustomStringConvertible {
    case connector(ConnectorError)
    case envelope(EnvelopeError)
    case noKey(String)
    case seal(SealError)

    var description: String {
        switch self {
        case .connector(let error): error.description
        case .envelope(let error): error.description
        case .noKey(let peer):
            "no key to seal for \(peer); make a grant with relayctl key grant and reload"
        case .seal(let error): error.description
        }
    }

    var state: String {
        switch self {
        case .connector(let error): error.kind == .transient ? "retrying" : "misconfigured"
        case .envelope, .seal: "retrying"
        case .noKey: "misconfigured"
        }
    }

    static func catching<Value>(_ body: () throws(EnvelopeError) -> Value) throws(JobFailure) -> Value {
        do throws(EnvelopeError) { return try body() } catch { throw .envelope(error) }
    }
}
