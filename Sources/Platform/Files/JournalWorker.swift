import Journal
import Synchronization

/// What runs on the journal's thread: hands the committer what has come, and passes on what came of it.
struct JournalWorker<Disk: FileSystem>: ~Copyable {
    private var committer: Committer<Disk>
    private let desk: JournalDesk
    private let completed: @Sendable ([JournalCompletion]) -> Void
    private var batch = JournalBatch()

    init(
        _ committer: consuming Committer<Disk>, desk: JournalDesk,
        completed: @escaping @Sendable ([JournalCompletion]) -> Void
    ) {
        self.committer = committer
        self.desk = desk
        self.completed = completed
    }

    mutating func run() {
        var isBusy = true
        while true {
            batch.removeAll()
            let (isStopping, isEmpty) = desk.take(&batch)
            if isEmpty, isStopping { return finish() }
            if isEmpty, !isBusy {
                desk.bell.wait(within: committer.isStalled ? Committer<Disk>.retryDelay : nil)
                isBusy = true
                // Taken in the next round, together with what comes until then.
                if !committer.isStalled { continue }
                _ = desk.take(&batch)
            }
            committer.run(batch, tell: completed)
            isBusy = committer.tidy(isIdle: isEmpty)
            publish()
        }
    }

    private mutating func publish() {
        let usage = committer.usage
        let damage = committer.damageFound
        desk.shared.withLock { shared in
            shared.usage = usage
            shared.damageFound = damage
        }
    }

    private mutating func finish() {
        let last = committer.finish()
        publish()
        if !last.isEmpty { completed(last) }
    }
}

/// Carries the worker to its thread. Only `run`, on that thread, touches it.
final class JournalWorkerBox<Disk: FileSystem>: @unchecked Sendable {
    private var worker: JournalWorker<Disk>

    init(_ worker: consuming JournalWorker<Disk>) { self.worker = worker }

    func run() { worker.run() }
}
