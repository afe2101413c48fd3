import Journal
import Synchronization

/// What runs on the journal's thread.
struct JournalWorker<Disk: FileSystem>: ~Copyable {
    /// Bytes that cleaning copies between two commits at most, so that a commit never waits long for it.
    private static var cleaningBudget: Int { 1 << 20 }
    private static var retryDelay: Duration { .seconds(1) }

    private var log: SegmentedLog<Disk>
    private let desk: JournalDesk
    private let completed: @Sendable ([JournalCompletion]) -> Void
    private var batch = JournalBatch()
    /// Completions of operations that wait for the commit.
    private var waiting: [JournalCompletion] = []
    private var done: [JournalCompletion] = []
    /// Chains of which an append was refused, and why.
    private var broken: [UInt64: JournalError] = [:]
    /// Why the last commit or cleaning failed.
    private var stall: JournalError?

    init(
        log: consuming SegmentedLog<Disk>, desk: JournalDesk,
        completed: @escaping @Sendable ([JournalCompletion]) -> Void
    ) {
        self.log = log
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
                desk.bell.wait(within: stall == nil ? nil : Self.retryDelay)
                isBusy = true
                // Taken in the next round, together with what comes until then.
                if stall == nil { continue }
                _ = desk.take(&batch)
            }
            perform()
            commit()
            deliver()
            isBusy = tidy(isIdle: isEmpty) && stall == nil
            publish()
        }
    }

    private mutating func perform() {
        batch.bytes.withUnsafeBytes { bytes in
            var offset = 0
            for operation in batch.operations {
                switch operation {
                case .append(let kind, let token, let count, let urgent, let chain):
                    append(kind, token, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]), urgent, chain)
                    offset += count
                case .mend(let chain): broken[chain] = nil
                case .release(let lsn, let token):
                    log.release(lsn)
                    if let token { waiting.append(JournalCompletion(token: token, lsn: lsn, outcome: .released)) }
                case .read(let lsn, let token):
                    read(lsn, token)
                }
            }
        }
    }

    private mutating func append(
        _ kind: RecordKind, _ token: UInt64, _ bytes: UnsafeRawBufferPointer, _ urgent: Bool, _ chain: UInt64
    ) {
        do throws(JournalError) {
            // A failing disk gets no more to keep: custody stops until a commit is safe again.
            if let stall { throw stall }
            if chain != 0, let error = broken[chain] { throw error }
            let lsn = try log.append(kind, bytes, urgent: urgent)
            waiting.append(JournalCompletion(token: token, lsn: lsn, outcome: .durable))
        } catch {
            if chain != 0 { broken[chain] = error }
            done.append(JournalCompletion(token: token, lsn: .none, outcome: .refused(error)))
        }
    }

    private mutating func read(_ lsn: LSN, _ token: UInt64) {
        var payload: [UInt8] = []
        do throws(JournalError) {
            let kind = try log.read(lsn, into: &payload)
            done.append(JournalCompletion(token: token, lsn: lsn, outcome: .bytes(kind, payload)))
        } catch {
            done.append(JournalCompletion(token: token, lsn: lsn, outcome: .refused(error)))
        }
    }

    private mutating func commit() {
        do throws(JournalError) {
            try log.commit()
            if stall != nil { done.append(JournalCompletion(token: 0, lsn: .none, outcome: .resumed)) }
            stall = nil
            done.append(contentsOf: waiting)
            waiting.removeAll(keepingCapacity: true)
        } catch {
            if stall == nil { done.append(JournalCompletion(token: 0, lsn: .none, outcome: .stalled(error))) }
            stall = error
        }
    }

    private mutating func deliver() {
        guard !done.isEmpty else { return }
        completed(done)
        done = []
    }

    /// Gives room back and keeps empty segments ready.
    /// - Returns: true where there may be more to do.
    private mutating func tidy(isIdle: Bool) -> Bool {
        guard stall == nil else { return false }
        do throws(JournalError) {
            let report = try log.clean(budget: Self.cleaningBudget)
            if !report.isIdle { return true }
            return isIdle ? try log.prepare() : true
        } catch {
            // Nothing is lost by it. What matters fails in the next commit too, and is told there.
            return false
        }
    }

    private mutating func publish() {
        let usage = log.usage
        let damage = log.damageFound
        desk.shared.withLock { shared in
            shared.usage = usage
            shared.damageFound = damage
        }
    }

    private mutating func finish() {
        let last: JournalError?
        do throws(JournalError) {
            try log.close()
            last = nil
        } catch {
            last = error
        }
        for var completion in waiting {
            if let last { completion.outcome = .refused(last) }
            done.append(completion)
        }
        waiting = []
        publish()
        deliver()
    }
}

/// Carries the worker to its thread. Only `run`, on that thread, touches it.
final class JournalWorkerBox<Disk: FileSystem>: @unchecked Sendable {
    private var worker: JournalWorker<Disk>

    init(_ worker: consuming JournalWorker<Disk>) { self.worker = worker }

    func run() { worker.run() }
}
