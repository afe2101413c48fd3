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
    let acknowledged = Mutex<Place?>(nil)
    private let isStopped = Atomic<Bool>(false)
    private let thread = Mutex<Threads.Handle?>(nil)
    private let ended = Reply<Bool>()

    typealias Place = JobMachine.Place

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
    ///   - behind: whose receipt makes everything up to the checkpoint settled; nil where it is so already.
    func start(from checkpoint: Checkpoint?, behind: Place?) throws(ThreadError) {
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

    /// Receipts of a stream of the job have come up to here. Streams of one job are receipted one after the other.
    func receipted(_ stream: StreamID, through sequence: Sequence) {
        acknowledged.withLock { $0 = Place(stream: stream, sequence: sequence) }
        bell.ring()
    }

    var mustStop: Bool { isStopped.load(ordering: .acquiring) }
}
