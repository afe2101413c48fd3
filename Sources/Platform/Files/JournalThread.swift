public import Journal
import Synchronization

/// The thread that owns a node's journal, so that nobody else waits for the disk.
///
/// Everything that is handed over while one commit runs goes into the next (group commit), or the next few where it is
/// much. After each, `completed` is called once, on the journal's thread, with all that came of it. Operations stand
/// alone: one may be refused and its neighbours done. Who replaces a record by another releases the old one when the new one is durable.
public final class JournalThread: Sendable {
    /// What opening found.
    public let report: RecoveryReport
    private let desk: JournalDesk
    private let thread: Threads.Handle

    /// Opens the journal on the calling thread, shows its live records to `replay`, then starts the thread.
    /// - Parameter completed: called on the journal's thread; it should only pass the completions on.
    /// - Throws: what ``SegmentedLog/init(_:directory:options:replay:)`` throws, or a ``JournalError/file(_:)`` where
    ///   no thread can be had.
    public convenience init(
        directory: String, options: LogOptions, replay: (ReplayedRecord) -> Void,
        completed: @escaping @Sendable ([JournalCompletion]) -> Void
    ) throws(JournalError) {
        try self.init(
            DirectFileSystem(), directory: directory, options: options, replay: replay, completed: completed)
    }

    /// The same over another file system, for tests and simulations.
    public init<Disk: FileSystem & SendableMetatype>(
        _ disk: sending Disk, directory: String, options: LogOptions, replay: (ReplayedRecord) -> Void,
        completed: @escaping @Sendable ([JournalCompletion]) -> Void
    ) throws(JournalError) {
        let committer = Committer(
            try SegmentedLog.open(disk, directory: directory, options: options, replay: replay))
        report = committer.report
        let desk = JournalDesk(usage: committer.usage)
        let worker = JournalWorkerBox(JournalWorker(committer, desk: desk, completed: completed))
        do throws(ThreadError) {
            thread = try Threads.start(name: "journal") { worker.run() }
        } catch {
            throw .file(FileError(.open, path: directory, kind: .other, reason: error.description))
        }
        self.desk = desk
    }

    /// Hands operations over and wakes the thread once. May be called from any thread; `fill` runs at once, under
    /// the lock, and must not call this object.
    public func submit(_ fill: (inout JournalBatch) -> Void) { desk.submit(fill) }

    /// As of the last commit.
    public var usage: LogUsage { desk.shared.withLock { $0.usage } }

    /// Records found damaged since opening.
    public var damageFound: [DamagedRecord] { desk.shared.withLock { $0.damageFound } }

    /// Does what was handed over before, closes the journal and waits for the thread's end. What cannot be made
    /// durable any more is completed as refused. Later submissions are dropped without a completion.
    public func stop() {
        desk.stop()
        thread.join()
    }

    deinit { desk.stop() }
}

/// Where producers and the journal's thread meet.
final class JournalDesk: Sendable {
    struct Shared {
        var batch = JournalBatch()
        var isStopping = false
        var usage: LogUsage
        var damageFound: [DamagedRecord] = []
    }

    let shared: Mutex<Shared>
    let bell = Bell()

    init(usage: LogUsage) { shared = Mutex(Shared(usage: usage)) }

    func submit(_ fill: (inout JournalBatch) -> Void) {
        let mustRing = shared.withLock { shared in
            guard !shared.isStopping else { return false }
            let wasEmpty = shared.batch.isEmpty
            fill(&shared.batch)
            return wasEmpty && !shared.batch.isEmpty
        }
        if mustRing { bell.ring() }
    }

    func stop() {
        shared.withLock { $0.isStopping = true }
        bell.ring()
    }

    /// Swaps an emptied batch for what is waiting.
    func take(_ batch: inout JournalBatch) -> (isStopping: Bool, isEmpty: Bool) {
        shared.withLock { shared in
            swap(&batch, &shared.batch)
            return (shared.isStopping, batch.isEmpty)
        }
    }
}
