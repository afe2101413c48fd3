import AgentCore
import Envelope
import Journal
import Node
import Platform
import Synchronization

/// Where the threads of the jobs hand sealed envelopes to the journal, and where they wait when there is too much.
/// What is held and in which order it goes is the ``AgentCore/OutboxGate``'s to say.
final class OutboxPort: Sendable {
    fileprivate struct State {
        var gate = OutboxGate(machineBoot: .currentBoot)
        var waiters: [Bell] = []
        var isClosed = false
        var journal: JournalThread?
        var needsRetry: @Sendable () -> Void = {}
    }

    private let state = Mutex(State())
    /// Makers look here first, since the lock has many users. Told under the lock.
    private let isOpen = Atomic<Bool>(true)

    /// - Parameter needsRetry: called on any thread when ``retryAll()`` should be called in a while.
    func open(_ journal: JournalThread, needsRetry: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.journal = journal
            state.needsRetry = needsRetry
        }
    }

    /// Waits until one more may be made.
    /// - Parameter mayMake: what else must hold; ``wake()`` is to be called when it does.
    /// - Returns: false once the port is closed: the agent is stopping.
    func awaitRoom(bell: Bell, isCancelled: () -> Bool, mayMake: () -> Bool) -> Bool {
        while true {
            if isCancelled() { return false }
            if hasRoom, mayMake() { return true }
            let isClosed = state.withLock { state in
                if !state.waiters.contains(where: { $0 === bell }) { state.waiters.append(bell) }
                return state.isClosed
            }
            if isClosed { return false }
            // It may have come before the bell was known.
            if hasRoom, mayMake() { return true }
            bell.wait(within: .seconds(1))
        }
    }

    /// Whether the port takes one more now.
    var hasRoom: Bool { isOpen.load(ordering: .acquiring) }

    /// Hands an envelope to the journal; what becomes of it comes as a completion with the token returned.
    @discardableResult
    func submit(_ submission: Submission) -> UInt64 {
        // Under the lock, so that two envelopes of a stream cannot overtake each other.
        let (token, needsRetry) = state.withLock { state -> (UInt64, (@Sendable () -> Void)?) in
            var (token, isHeld): (UInt64, Bool) = (0, false)
            state.lend { gate, batch in (token, isHeld) = gate.submit(submission, &batch, at: submission.madeAt) }
            if !state.gate.hasRoom { isOpen.store(false, ordering: .releasing) }
            return (token, isHeld ? state.needsRetry : nil)
        }
        needsRetry?()
        return token
    }

    /// The journal did not take it: it is held, and all of its job with it.
    func refuse(_ token: UInt64) {
        let needsRetry = state.withLock { $0.gate.refuse(token) ? $0.needsRetry : nil }
        needsRetry?()
    }

    /// Hands over again what was refused, each job in its order.
    /// - Returns: whether something is held still.
    func retryAll() -> Bool {
        state.withLock { state in
            var isHeld = false
            state.lend { gate, batch in isHeld = gate.retryAll(&batch, at: Clock.now) }
            return isHeld
        }
    }

    /// Takes out the submissions that are durable now, all at once, and lets makers go on where that is worth it.
    func take(_ completions: [JournalCompletion]) -> TakenSubmissions {
        let (taken, waiters) = state.withLock { state -> (TakenSubmissions, [Bell]) in
            var taken = TakenSubmissions()
            for completion in completions {
                guard case .durable = completion.outcome else { continue }
                if let submission = state.gate.take(completion.token) { taken.add(completion.token, submission) }
            }
            guard !state.isClosed, state.gate.hasMuchRoom else { return (taken, []) }
            isOpen.store(true, ordering: .releasing)
            defer { state.waiters = [] }
            return (taken, state.waiters)
        }
        for bell in waiters { bell.ring() }
        return taken
    }

    /// Lets makers look again: a receipt raised a floor.
    func wake() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for bell in waiters { bell.ring() }
    }

    /// Lets nobody in any more.
    func close() {
        state.withLock { state in
            state.isClosed = true
            isOpen.store(false, ordering: .releasing)
        }
        wake()
    }

    /// Whether something of a job is not durable yet.
    func holdsAny(of job: String) -> Bool { state.withLock { $0.gate.holdsAny(of: job) } }

    func holdsAny(of stream: StreamID) -> Bool { state.withLock { $0.gate.holdsAny(of: stream) } }
}

/// Submissions in the order in which they became durable.
struct TakenSubmissions {
    private var list: [(token: UInt64, submission: Submission)] = []
    private var next = 0

    mutating func add(_ token: UInt64, _ submission: Submission) { list.append((token, submission)) }

    /// The next, where it has this token.
    mutating func take(_ token: UInt64) -> Submission? {
        guard next < list.count, list[next].token == token else { return nil }
        next += 1
        return list[next - 1].submission
    }
}

extension OutboxPort.State {
    /// Lends the gate the batch that the journal's thread takes next. A journal that is stopping takes nothing more.
    fileprivate mutating func lend(_ body: (inout OutboxGate, inout JournalBatch) -> Void) {
        gate.isOpen = false
        journal?.submit { batch in
            gate.isOpen = true
            body(&gate, &batch)
        }
        guard !gate.isOpen else { return }
        var none = JournalBatch()
        body(&gate, &none)
    }
}
