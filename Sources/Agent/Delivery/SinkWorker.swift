import AgentCore
import Envelope
import Mesh
import Node
import Platform
import Synchronization

/// Drives one sink on a thread of its own. What is done with what comes for it, and when, ``AgentCore/SinkMachine``
/// says; here are the thread, the queue before it, the sink, the log and the status.
final class SinkWorker: Sendable {
    /// What the worker needs beside the sink.
    struct Settings: Sendable {
        var name: String
        var onReject = SinkConfiguration.Rejection.block
        /// Keeps an item's envelope durably; false where it is not to be kept, or there is no room for it.
        var quarantine: @Sendable (_ item: SinkItem, _ reason: String) -> Bool = { _, _ in false }
        /// Between attempts after a failure.
        var pauses = SinkMachine.Settings().pauses
        /// How long a stream waits before a rejected batch is tried again.
        var rejectionDelay = SinkMachine.Settings().rejectionDelay

        var machine: SinkMachine.Settings {
            var settings = SinkMachine.Settings()
            settings.quarantines = onReject == .quarantine
            settings.pauses = pauses
            settings.rejectionDelay = rejectionDelay
            return settings
        }
    }

    /// Bytes of batches that may wait to be ordered; and as many again for earlier ones of their stream.
    static let memoryBytes = SinkMachine.Settings().memoryBytes
    static let commitBytes = SinkMachine.Settings().commitBytes
    static let giveBackDelay = SinkMachine.Settings().giveBackDelay

    let settings: Settings
    let status: SinkStatus
    let factory: ConnectorMaking.SinkFactory
    let queue = WorkQueue<SinkItem>()
    let report: @Sendable ([DeliveryOutcome]) -> Void
    let log: Log
    /// Interrupts a pause after a failure.
    let bell = Bell()
    /// What others want to know of the sink.
    let questions = MarkQuestions()
    let bytesQueued = Atomic<Int>(0)
    let duplicateCount = Atomic<UInt64>(0)
    private let thread = Mutex<Threads.Handle?>(nil)
    private let isStopped = Atomic<Bool>(false)
    private let ended = Reply<Bool>()

    init(
        _ settings: Settings, factory: @escaping ConnectorMaking.SinkFactory, log: Log,
        report: @escaping @Sendable ([DeliveryOutcome]) -> Void
    ) {
        self.settings = settings
        self.factory = factory
        self.log = log
        self.report = report
        status = SinkStatus(name: settings.name)
    }

    /// Envelopes that came though their effect was durable already.
    var duplicates: UInt64 { duplicateCount.load(ordering: .relaxed) }

    /// Whether items should bring their envelope along.
    var keepsEnvelopes: Bool { settings.onReject == .quarantine }

    func start() throws(ThreadError) {
        let handle = try Threads.start(name: "sink-\(settings.name)") { [self] in
            run()
            status.set("stopped")
            ended.fill(true)
        }
        thread.withLock { $0 = handle }
    }

    /// - Returns: false where there is no room or the worker is stopping; the items are to be given back then.
    func add(_ items: [SinkItem]) -> Bool {
        guard bytesQueued.load(ordering: .relaxed) < Self.memoryBytes else { return false }
        let bytes = items.reduce(0) { $0 + $1.bytes }
        bytesQueued.add(bytes, ordering: .relaxed)
        if queue.add(items) { return true }
        bytesQueued.subtract(bytes, ordering: .relaxed)
        return false
    }

    func add(_ item: SinkItem) -> Bool { add([item]) }

    /// Ends after the commit under way; what is not applied is given back.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        queue.close()
        bell.ring()
    }

    /// Waits for the thread's end.
    /// - Parameter limit: for ever where it is nil.
    /// - Returns: false where the sink holds the thread longer.
    @discardableResult
    func join(within limit: Duration? = nil) -> Bool {
        guard let handle = thread.withLock({ $0 }) else { return true }
        if let limit, ended.wait(within: limit) == nil { return false }
        handle.join()
        return true
    }

    var mustStop: Bool { isStopped.load(ordering: .acquiring) }
}
