import AgentCore
import Envelope
import Node
import Platform
import Synchronization

/// Runs one collecting job on a thread of its own. When it reads, hands over, goes back and tidies up,
/// ``AgentCore/JobMachine`` says; here are the thread, the source, the batch being filled, the schedule and the log.
final class JobRunner: Sendable {
    let configuration: JobConfiguration
    let status: JobStatus
    let maker: EnvelopeMaker
    let schedule: Schedule
    let factory: ConnectorMaking.SourceFactory
    let log: Log
    let bell = Bell()
    /// What was heard of streams and is not told to the machine yet, in order.
    let news = Mutex<[News]>([])
    private let isStopped = Atomic<Bool>(false)
    private let thread = Mutex<Threads.Handle?>(nil)
    private let ended = Reply<Bool>()

    typealias Place = JobMachine.Place

    enum News {
        case receipted(Place)
        case ended(StreamID)
    }

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
    ///   - behind: whose receipts, all of them, make everything up to the checkpoint settled.
    func start(from checkpoint: Checkpoint?, behind: [Place]) throws(ThreadError) {
        let handle = try Threads.start(name: "job-\(configuration.name)") { [self] in
            run(from: checkpoint, behind: behind)
            status.set("stopped")
            ended.fill(true)
        }
        thread.withLock { $0 = handle }
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        bell.ring()
    }

    /// Waits for the thread's end.
    /// - Parameter limit: for ever where it is nil.
    /// - Returns: false where the source holds the thread longer.
    @discardableResult
    func join(within limit: Duration? = nil) -> Bool {
        guard let handle = thread.withLock({ $0 }) else { return true }
        if let limit, ended.wait(within: limit) == nil { return false }
        handle.join()
        return true
    }

    /// Receipts of a stream of the job have come up to here.
    func receipted(_ stream: StreamID, through sequence: Sequence) {
        news.withLock { news in
            // A job whose source blocks hears of each stream's newest only.
            news.removeAll { heard in
                if case .receipted(let earlier) = heard { earlier.stream == stream } else { false }
            }
            news.append(.receipted(Place(stream: stream, sequence: sequence)))
        }
        bell.ring()
    }

    /// Nothing of a stream of the job is waited for any more.
    func ended(_ stream: StreamID) {
        news.withLock { $0.append(.ended(stream)) }
        bell.ring()
    }

    var mustStop: Bool { isStopped.load(ordering: .acquiring) }
}
