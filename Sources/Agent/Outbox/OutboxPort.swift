import Envelope
import Journal
import Node
import Platform
import Synchronization

/// A stream being made: what its maker and the outbox share.
final class StreamHandle: Sendable {
    let id: StreamID
    let job: String
    let destination: NodeID
    let lane: Lane
    /// The lowest sequence without receipt, raised by the outbox.
    private let lowest = Atomic<UInt64>(1)

    init(id: StreamID, job: String, destination: NodeID, lane: Lane) {
        self.id = id
        self.job = job
        self.destination = destination
        self.lane = lane
    }

    var floor: Sequence { Sequence(lowest.load(ordering: .acquiring)) }

    func raiseFloor(to sequence: Sequence) { lowest.store(sequence.number, ordering: .releasing) }

    /// True where the destination's window has room for one more; some is kept back for what is on its way.
    func mayMake(_ sequence: Sequence) -> Bool { sequence.number < floor.number + Limits.window - 1024 }
}

/// A sealed envelope on its way into the outbox.
struct Submission: Sendable {
    var stream: StreamHandle
    var sequence: Sequence
    var envelope: [UInt8]
    var lifetime: UInt32
    var records: Int
    /// Where the source goes on behind this envelope.
    var checkpoint: [UInt8]?
    var madeAt: Instant
}

/// Where the threads of the jobs hand sealed envelopes to the journal, and where they wait when there is too much.
final class OutboxPort: Sendable {
    /// Bytes handed over and not yet durable, before the makers wait.
    static let pendingBytes = 16 << 20

    private struct State {
        var pending: [UInt64: Submission] = [:]
        var bytes = 0
        var nextToken: UInt64 = 1
        var waiters: [Bell] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let journal = Mutex<JournalThread?>(nil)
    private let boot = Bytes16.currentBoot

    func open(_ journal: JournalThread) { self.journal.withLock { $0 = journal } }

    /// Waits until one more may be made.
    /// - Returns: false once the port is closed: the agent is stopping.
    func awaitRoom(_ stream: StreamHandle, _ sequence: Sequence, bell: Bell, isCancelled: () -> Bool) -> Bool {
        while true {
            let (isRoom, isClosed) = state.withLock { state in
                let isRoom = state.bytes < Self.pendingBytes && stream.mayMake(sequence)
                if !isRoom, !state.waiters.contains(where: { $0 === bell }) { state.waiters.append(bell) }
                return (isRoom, state.isClosed)
            }
            if isClosed || isCancelled() { return false }
            if isRoom { return true }
            bell.wait(within: .seconds(1))
        }
    }

    /// Hands an envelope to the journal; what becomes of it comes as a completion with the token returned.
    @discardableResult
    func submit(_ submission: Submission) -> UInt64 {
        let token = state.withLock { state in
            defer { state.nextToken += 1 }
            state.pending[state.nextToken] = submission
            state.bytes += submission.envelope.count
            return state.nextToken
        }
        append(submission, token: token)
        return token
    }

    /// Tries again what the journal refused.
    func retry(_ token: UInt64) {
        guard let submission = state.withLock({ $0.pending[token] }) else { return }
        append(submission, token: token)
    }

    private func append(_ submission: Submission, token: UInt64) {
        let age = Clock.now - submission.madeAt
        let stored = StoredEnvelope(hop: HopFields().aged(by: age), storedAt: Clock.now, boot: boot)
        submission.envelope.withUnsafeBytes { envelope in
            let front = OutboxRecord.front(
                stored, header: UnsafeRawBufferPointer(rebasing: envelope[..<Header.size]), job: submission.stream.job,
                checkpoint: submission.checkpoint)
            let body = UnsafeRawBufferPointer(rebasing: envelope[Header.size...])
            let journal = journal.withLock { $0 }
            journal?.submit { batch in
                // Refused for now: the pending submission is tried again with the others, see ``retryAll()``.
                if !batch.append(OutboxRecord.envelopeKind, token: token, front.readable, body) { refuse(token) }
            }
        }
    }

    private let refused = Mutex<[UInt64]>([])

    func refuse(_ token: UInt64) { refused.withLock { $0.append(token) } }

    /// Tries again what was refused, in its order.
    /// - Returns: whether there was anything.
    func retryAll() -> Bool {
        let tokens = refused.withLock { refused in
            defer { refused = [] }
            return refused.sorted()
        }
        for token in tokens { retry(token) }
        return !tokens.isEmpty
    }

    /// The submission is durable: takes it out and lets makers go on.
    func take(_ token: UInt64) -> Submission? {
        let (submission, waiters) = state.withLock { state in
            let submission = state.pending.removeValue(forKey: token)
            state.bytes -= submission?.envelope.count ?? 0
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

    var isEmpty: Bool { state.withLock { $0.pending.isEmpty } }
}
