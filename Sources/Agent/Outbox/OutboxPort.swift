import Envelope
import Journal
import Mesh
import Node
import Platform
import Synchronization

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
///
/// Invariant: the envelopes of a stream become durable in their order, or else a crash could leave the checkpoint
/// of a later one without the records of an earlier one. So a stream of which the journal refused an envelope is
/// held whole until that one is taken.
final class OutboxPort: Sendable {
    /// Bytes handed over and not yet durable, before the makers wait.
    static let pendingBytes = 16 << 20

    private struct State {
        var pending: [UInt64: Submission] = [:]
        var bytes = 0
        var nextToken: UInt64 = 1
        /// Of streams that have something pending.
        var streams: [UInt64: Stream] = [:]
        var waiters: [Bell] = []
        var isClosed = false
        var journal: JournalThread?
        var needsRetry: @Sendable () -> Void = {}
    }

    private struct Stream {
        /// In the journal's hands.
        var outstanding = 0
        /// Refused, or made since then; in order.
        var held: [UInt64] = []
        var isHeld = false
    }

    private let state = Mutex(State())
    private let boot = Bytes16.currentBoot

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
                let isRoom = state.bytes < Self.pendingBytes && stream.mayMake(sequence)
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
        state.withLock { !$0.isClosed && $0.bytes < Self.pendingBytes && stream.mayMake(sequence) }
    }

    /// Hands an envelope to the journal; what becomes of it comes as a completion with the token returned.
    @discardableResult
    func submit(_ submission: Submission) -> UInt64 {
        let (token, needsRetry) = state.withLock { state -> (UInt64, (@Sendable () -> Void)?) in
            let token = state.nextToken
            state.nextToken += 1
            state.pending[token] = submission
            state.bytes += submission.envelope.count
            let chain = submission.stream.chain
            if state.streams[chain, default: Stream()].isHeld || !append(token, submission, &state) {
                let wasHeld = state.streams[chain, default: Stream()].isHeld
                state.streams[chain, default: Stream()].isHeld = true
                state.streams[chain, default: Stream()].held.append(token)
                return (token, wasHeld ? nil : state.needsRetry)
            }
            return (token, nil)
        }
        needsRetry?()
        return token
    }

    /// Under the lock, so that two envelopes of a stream cannot overtake each other.
    private func append(_ token: UInt64, _ submission: Submission, _ state: inout State) -> Bool {
        guard let journal = state.journal else { return false }
        let now = Clock.now
        let stored = StoredEnvelope(
            hop: HopFields().aged(by: now - submission.madeAt), storedAt: now, boot: boot)
        let isTaken = submission.envelope.withUnsafeBytes { envelope in
            let front = OutboxRecord.front(
                stored, header: UnsafeRawBufferPointer(rebasing: envelope[..<Header.size]), job: submission.stream.job,
                checkpoint: submission.checkpoint)
            let body = UnsafeRawBufferPointer(rebasing: envelope[Header.size...])
            var isTaken = false
            journal.submit { batch in
                isTaken = batch.append(
                    OutboxRecord.envelopeKind, token: token, front.readable, body, chain: submission.stream.chain)
            }
            return isTaken
        }
        if isTaken { state.streams[submission.stream.chain, default: Stream()].outstanding += 1 }
        return isTaken
    }

    /// The journal did not take it: it is held, and all of its stream with it.
    func refuse(_ token: UInt64) {
        let needsRetry = state.withLock { state -> (@Sendable () -> Void)? in
            guard let submission = state.pending[token] else { return nil }
            let chain = submission.stream.chain
            var stream = state.streams[chain, default: Stream()]
            stream.outstanding -= 1
            stream.isHeld = true
            // What was refused is older than what was held back since.
            let place = stream.held.firstIndex { $0 > token } ?? stream.held.count
            stream.held.insert(token, at: place)
            state.streams[chain] = stream
            return state.needsRetry
        }
        needsRetry?()
    }

    /// Hands over again what was refused, each stream in its order.
    /// - Returns: whether something is held still.
    func retryAll() -> Bool {
        state.withLock { state in
            var isHeld = false
            for chain in state.streams.keys.sorted() {
                guard state.streams[chain]?.isHeld == true else { continue }
                release(chain, &state)
                if state.streams[chain]?.isHeld == true { isHeld = true }
            }
            return isHeld
        }
    }

    private func release(_ chain: UInt64, _ state: inout State) {
        // While the journal has not answered for all, an answer may be a refusal of an earlier one.
        guard let stream = state.streams[chain], stream.outstanding == 0 else { return }
        state.journal?.submit { $0.mend(chain: chain) }
        var taken = 0
        for token in stream.held {
            if let submission = state.pending[token], !append(token, submission, &state) { break }
            taken += 1
        }
        state.streams[chain]?.held.removeFirst(taken)
        state.streams[chain]?.isHeld = taken < stream.held.count
    }

    /// The submission is durable: takes it out and lets makers go on.
    func take(_ token: UInt64) -> Submission? {
        let (submission, waiters) = state.withLock { state -> (Submission?, [Bell]) in
            guard let submission = state.pending.removeValue(forKey: token) else { return (nil, []) }
            state.bytes -= submission.envelope.count
            var stream = state.streams[submission.stream.chain, default: Stream()]
            stream.outstanding -= 1
            let isIdle = stream.outstanding == 0 && !stream.isHeld
            state.streams[submission.stream.chain] = isIdle ? nil : stream
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
    func holdsAny(of job: String) -> Bool {
        state.withLock { state in state.pending.values.contains { $0.stream.job == job } }
    }

    func holdsAny(of stream: StreamID) -> Bool {
        state.withLock { state in state.pending.values.contains { $0.stream.id == stream } }
    }
}
