import AgentCore
import Envelope
import Mesh
import Node
import Platform
import Synchronization

/// Drives one sink on a thread of its own: brings each stream into order, applies in batches, says what is durable.
///
/// A sink that fails is tried for ever, with growing pauses: nothing is skipped, and what does not fit in memory
/// meanwhile goes back to the relay, so that other sinks are not held up. A batch that the sink rejects holds up its
/// own stream only, or is put into the quarantine where the configuration says so.
final class SinkWorker: Sendable {
    struct Item: Sendable {
        var instance: InstanceID
        var floor: Sequence
        var delivery: Delivery
        var records: Int
        /// The envelope as it came, where a rejected batch is to be quarantined; else empty.
        var envelope: [UInt8] = []

        var bytes: Int { delivery.batch.count + envelope.count }
    }

    /// What the worker needs beside the sink.
    struct Settings: Sendable {
        var name: String
        var onReject = SinkConfiguration.Rejection.block
        /// Keeps an envelope durably; false where there is no room for it.
        var quarantine: @Sendable (_ envelope: [UInt8], _ reason: String) -> Bool = { _, _ in false }
        /// Between attempts after a failure.
        var pauses = Backoff(shortest: .milliseconds(100), longest: .seconds(30))
        /// How long a stream waits before a rejected batch is tried again: a person may have made room for it.
        var rejectionDelay: Duration = .seconds(30)
    }

    /// Bytes of batches that may wait to be ordered; and as many again for earlier ones of their stream.
    static let memoryBytes = 32 << 20
    /// Bytes of batches brought to the sink in one commit.
    static let commitBytes = 8 << 20
    static let giveBackDelay: Duration = .milliseconds(200)
    /// For one that cannot be ordered now: long enough that the relay lays it aside, so that the envelope which must
    /// come first, and may stand behind it in the relay's queue, passes it.
    static let asideDelay: Duration = .seconds(1)

    let settings: Settings
    let status: SinkStatus
    let factory: ConnectorMaking.SinkFactory
    let queue = WorkQueue<Item>()
    let report: @Sendable ([DeliveryOutcome]) -> Void
    let log: Log
    /// Interrupts a pause after a failure.
    let bell = Bell()
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

    /// - Returns: false where there is no room or the worker is stopping; the item is to be given back then.
    func add(_ item: Item) -> Bool {
        guard bytesQueued.load(ordering: .relaxed) < Self.memoryBytes else { return false }
        bytesQueued.add(item.bytes, ordering: .relaxed)
        if queue.add(item) { return true }
        bytesQueued.subtract(item.bytes, ordering: .relaxed)
        return false
    }

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
