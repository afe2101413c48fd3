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

    /// - Parameter needsRetry: called on any thread when ``retryAll()`` should be called in a while.
    func open(_ journal: JournalThread, needsRetry: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.journal = journal
            state.needsRetry = needsRetry
        }
    }

    /// Waits until one more may be made.
    /// - Returns: false once the port is closed: the agent is stopping.
    func awaitRoom(_ stream: StreamHandle, _ sequence: Sequence, bell: Bell, isCancelled: () -> Bool) -> Bool {
        while true {
            let (isRoom, isClosed) = state.withLock { state in
                let isRoom = state.gate.hasRoom && stream.mayMake(sequence)
                if !isRoom, !state.waiters.contains(where: { $0 === bell }) { state.waiters.append(bell) }
                return (isRoom, state.isClosed)
            }
            if isClosed || isCancelled() { return false }
            if isRoom { return true }
            bell.wait(within: .seconds(1))
        }
    }

    /// Whether one more may be made now.
    func hasRoom(_ stream: StreamHandle, _ sequence: Sequence) -> Bool {
        state.withLock { !$0.isClosed && $0.gate.hasRoom && stream.mayMake(sequence) }
    }

    /// Hands an envelope to the journal; what becomes of it comes as a completion with the token returned.
    @discardableResult
    func submit(_ submission: Submission) -> UInt64 {
        // Under the lock, so that two envelopes of a stream cannot overtake each other.
        let (token, needsRetry) = state.withLock { state -> (UInt64, (@Sendable () -> Void)?) in
            var (token, isHeld): (UInt64, Bool) = (0, false)
            state.lend { gate, batch in (token, isHeld) = gate.submit(submission, &batch, at: Clock.now) }
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

    /// The submission is durable: takes it out and lets makers go on.
    func take(_ token: UInt64) -> Submission? {
        let (submission, waiters) = state.withLock { state -> (Submission?, [Bell]) in
            guard let submission = state.gate.take(token) else { return (nil, []) }
            defer { state.waiters = [] }
            return (submission, state.waiters)
        }
        for bell in waiters { bell.ring() }
        return submission
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
        state.withLock { $0.isClosed = true }
        wake()
    }

    /// Whether something of a job is not durable yet.
    func holdsAny(of job: String) -> Bool { state.withLock { $0.gate.holdsAny(of: job) } }

    func holdsAny(of stream: StreamID) -> Bool { state.withLock { $0.gate.holdsAny(of: stream) } }
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
