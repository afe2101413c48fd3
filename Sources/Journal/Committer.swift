/// Does what a journal is asked for, batch by batch, each under as few commits as can be, and says what came of it. A
/// machine over the ``FileSystem``: whoever owns it decides on which thread and when.
///
/// Invariants:
/// - an append or a release is told as done only after the commit that holds it came back;
/// - after a failed commit appends are refused until one goes through; what the failed one held is kept and tried again;
/// - appends of one chain become durable in their order or not at all.
public struct Committer<Files: FileSystem>: ~Copyable {
    /// Bytes that cleaning copies between two commits at most, so that a commit never waits long for it.
    private static var cleaningBudget: Int { 1 << 20 }
    /// How soon ``run(_:)`` should be called again, with or without a batch, while ``isStalled``.
    public static var retryDelay: Duration { .seconds(1) }

    private var log: SegmentedLog<Files>
    private var outcomes = Outcomes()

    public init(_ log: consuming SegmentedLog<Files>) { self.log = log }

    public var report: RecoveryReport { log.report }
    /// As of the last commit.
    public var usage: LogUsage { log.usage }
    /// Records found damaged since opening.
    public var damageFound: [DamagedRecord] { log.damageFound }
    /// The last commit failed and waits to be tried again.
    public var isStalled: Bool { outcomes.stall != nil }

    /// Performs the operations in their order and commits, a long batch in parts.
    /// - Parameter tell: called after each part with what came of it, and of earlier ones that were waiting for a commit to
    ///   go through.
    public mutating func run(_ batch: borrowing JournalBatch, tell: ([JournalCompletion]) -> Void) {
        log.perform(batch, &outcomes, tell)
        log.commit(&outcomes, tell)
    }

    /// The same, told of at the end.
    public mutating func run(_ batch: borrowing JournalBatch) -> [JournalCompletion] {
        var done: [JournalCompletion] = []
        run(batch) { done += $0 }
        return done
    }

    /// Gives room back and keeps empty segments ready.
    /// - Parameter isIdle: nothing else is waiting, so there is time to make segments ready.
    /// - Returns: true where there may be more to do.
    public mutating func tidy(isIdle: Bool) -> Bool {
        guard outcomes.stall == nil else { return false }
        do throws(JournalError) {
            let report = try log.clean(budget: Self.cleaningBudget)
            if !report.isIdle { return true }
            return isIdle ? try log.prepare() : true
        } catch {
            // Nothing is lost by it. What matters fails in the next commit too, and is told there.
            return false
        }
    }

    /// Closes the journal; what cannot be made durable any more is refused. Nothing may be asked of it afterwards.
    public mutating func finish() -> [JournalCompletion] {
        let last: JournalError?
        do throws(JournalError) {
            try log.close()
            last = nil
        } catch {
            last = error
        }
        for var completion in outcomes.waiting {
            if let last { completion.outcome = .refused(last) }
            outcomes.done.append(completion)
        }
        outcomes.waiting = []
        return outcomes.takeDone()
    }
}

/// What came of operations.
private struct Outcomes {
    /// Completions of operations that wait for the commit.
    var waiting: [JournalCompletion] = []
    var done: [JournalCompletion] = []
    /// Chains of which an append was refused, and why.
    var broken: [UInt64: JournalError] = [:]
    /// Why the last commit failed.
    var stall: JournalError?

    mutating func takeDone() -> [JournalCompletion] {
        var taken: [JournalCompletion] = []
        swap(&taken, &done)
        return taken
    }

    /// The commit is through.
    mutating func durable() {
        if done.isEmpty { return swap(&done, &waiting) }
        done.append(contentsOf: waiting)
        waiting.removeAll(keepingCapacity: true)
    }
}

// In the log and not in the committer: code that is generic over the files finds its way into another generic type anew
// for each call, and these are called for each record.
extension SegmentedLog {
    fileprivate mutating func perform(
        _ batch: borrowing JournalBatch, _ outcomes: inout Outcomes, _ tell: ([JournalCompletion]) -> Void
    ) {
        let held = batch.held
        batch.walk { operation, first in
            switch operation {
            case .append(let kind, let token, _, let place, let urgent, let chain):
                let bytes = first.count + (place.map { held[$0].bytes.count } ?? 0)
                if outcomes.stall == nil, !staging.hasRoom(bytes) { commit(&outcomes, tell) }
                guard let place else {
                    return append(kind, token, first, .init(start: nil, count: 0), urgent, chain, &outcomes)
                }
                held[place].bytes.withUnsafeBytes { append(kind, token, first, $0, urgent, chain, &outcomes) }
            case .mend(let chain): outcomes.broken[chain] = nil
            case .release(let lsn, let token):
                release(lsn)
                guard let token else { return }
                outcomes.waiting.append(JournalCompletion(token: token, lsn: lsn, outcome: .released))
            case .read(let lsn, let token): read(lsn, token, &outcomes)
            }
        }
    }

    fileprivate mutating func commit(_ outcomes: inout Outcomes, _ tell: ([JournalCompletion]) -> Void) {
        do throws(JournalError) {
            try commit()
            if outcomes.stall != nil {
                outcomes.done.append(JournalCompletion(token: 0, lsn: .none, outcome: .resumed))
            }
            outcomes.stall = nil
            outcomes.durable()
        } catch {
            if outcomes.stall == nil {
                outcomes.done.append(JournalCompletion(token: 0, lsn: .none, outcome: .stalled(error)))
            }
            outcomes.stall = error
        }
        let done = outcomes.takeDone()
        if !done.isEmpty { tell(done) }
    }

    private mutating func append(
        _ kind: RecordKind, _ token: UInt64, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ urgent: Bool, _ chain: UInt64, _ outcomes: inout Outcomes
    ) {
        do throws(JournalError) {
            // A failing disk gets no more to keep: custody stops until a commit is safe again.
            if let stall = outcomes.stall { throw stall }
            if chain != 0, let error = outcomes.broken[chain] { throw error }
            let lsn = try append(kind, first, second, urgent: urgent)
            outcomes.waiting.append(JournalCompletion(token: token, lsn: lsn, outcome: .durable))
        } catch {
            if chain != 0 { outcomes.broken[chain] = error }
            outcomes.done.append(JournalCompletion(token: token, lsn: .none, outcome: .refused(error)))
        }
    }

    private mutating func read(_ lsn: LSN, _ token: UInt64, _ outcomes: inout Outcomes) {
        var payload: [UInt8] = []
        do throws(JournalError) {
            let kind = try read(lsn, into: &payload)
            outcomes.done.append(JournalCompletion(token: token, lsn: lsn, outcome: .bytes(kind, payload)))
        } catch {
            outcomes.done.append(JournalCompletion(token: token, lsn: lsn, outcome: .refused(error)))
        }
    }
}
