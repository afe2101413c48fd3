import Envelope
import Journal
import Mesh

/// What was handed over and is not durable yet, as a machine without I/O.
///
/// Invariant: the envelopes of a job become durable in their order, whatever streams they are in, or else a crash could
/// leave the checkpoint of a later one without the records of an earlier one. So a chain of which the journal refused an
/// envelope is held whole until that one is taken.
public struct OutboxGate: Sendable {
    /// Bytes handed over and not yet durable, before the makers wait.
    public static let pendingBytes = 16 << 20

    private struct Chain {
        /// In the journal's hands.
        var outstanding = 0
        /// Refused, or made since then; in order.
        var held: [UInt64] = []
        var isHeld = false
    }

    /// There is a journal that takes appends; else everything is held.
    public var isOpen = false
    /// Id of the machine's boot; see ``StoredEnvelope``.
    private let boot: Bytes16
    /// In the journal's hands since their making, by token, which is about the order in which it gives them back; nil where
    /// one was taken or is set aside.
    private var pending: [Submission?] = []
    /// Those before it are nil.
    private var head = 0
    /// Those that are or were held: one may be for long, and many pass it meanwhile.
    private var aside: [UInt64: Submission] = [:]
    private var bytes = 0
    /// Of the next one.
    private var nextToken: UInt64 = 1
    /// Those that have something pending.
    private var chains: [UInt64: Chain] = [:]

    public init(machineBoot: Bytes16) { boot = machineBoot }

    public var hasRoom: Bool { bytes < Self.pendingBytes }

    /// So much room that it is worth while to wake makers who wait for it.
    public var hasMuchRoom: Bool { bytes <= Self.pendingBytes / 2 }

    /// Hands an envelope to the journal; what becomes of it comes as a completion with the token.
    /// - Returns: the token, and whether something is held that was not before: ``retryAll(_:at:)`` should be called in
    ///   a while.
    public mutating func submit(
        _ submission: Submission, _ batch: inout JournalBatch, at now: Instant
    ) -> (token: UInt64, needsRetry: Bool) {
        let token = nextToken
        nextToken += 1
        bytes += submission.envelope.count
        let chain = submission.stream.chain
        let wasHeld = chains[chain, default: Chain()].isHeld
        if !wasHeld, append(token, submission, &batch, at: now) {
            pending.append(submission)
            return (token, false)
        }
        pending.append(nil)
        forgetTaken()
        aside[token] = submission
        chains[chain, default: Chain()].isHeld = true
        chains[chain, default: Chain()].held.append(token)
        return (token, !wasHeld)
    }

    private mutating func append(
        _ token: UInt64, _ submission: Submission, _ batch: inout JournalBatch, at now: Instant
    ) -> Bool {
        guard isOpen else { return false }
        let stored = StoredEnvelope(
            hop: HopFields().aged(by: now - submission.madeAt), storedAt: now, boot: boot)
        let front = submission.envelope.span.bytes.withUnsafeBytes { envelope in
            OutboxRecord.front(
                stored, header: UnsafeRawBufferPointer(rebasing: envelope[..<Header.size]), job: submission.stream.job,
                checkpoint: submission.checkpoint)
        }
        let chain = submission.stream.chain
        guard
            batch.append(
                OutboxRecord.envelopeKind, token: token, front.readable, submission.envelope, from: Header.size,
                chain: chain)
        else { return false }
        chains[chain, default: Chain()].outstanding += 1
        return true
    }

    /// The journal did not take it: it is held, and all of its chain with it.
    /// - Returns: whether it was pending; ``retryAll(_:at:)`` should then be called in a while.
    public mutating func refuse(_ token: UInt64) -> Bool {
        guard let submission = takeOut(token) else { return false }
        aside[token] = submission
        let chain = submission.stream.chain
        var entry = chains[chain, default: Chain()]
        entry.outstanding -= 1
        entry.isHeld = true
        // What was refused is older than what was held back since.
        let turn = entry.held.firstIndex { $0 > token } ?? entry.held.count
        entry.held.insert(token, at: turn)
        chains[chain] = entry
        return true
    }

    /// Hands over again what was refused, each chain in its order.
    /// - Returns: whether something is held still.
    public mutating func retryAll(_ batch: inout JournalBatch, at now: Instant) -> Bool {
        var isHeld = false
        for chain in chains.keys.sorted() {
            guard chains[chain]?.isHeld == true else { continue }
            release(chain, &batch, at: now)
            if chains[chain]?.isHeld == true { isHeld = true }
        }
        return isHeld
    }

    private mutating func release(_ chain: UInt64, _ batch: inout JournalBatch, at now: Instant) {
        // While the journal has not answered for all, an answer may be a refusal of an earlier one.
        guard let entry = chains[chain], entry.outstanding == 0 else { return }
        if isOpen { batch.mend(chain: chain) }
        var taken = 0
        for token in entry.held {
            if let submission = aside[token], !append(token, submission, &batch, at: now) { break }
            taken += 1
        }
        chains[chain]?.held.removeFirst(taken)
        chains[chain]?.isHeld = taken < entry.held.count
    }

    /// The submission is durable: takes it out.
    public mutating func take(_ token: UInt64) -> Submission? {
        guard let submission = takeOut(token) else { return nil }
        bytes -= submission.envelope.count
        var entry = chains[submission.stream.chain, default: Chain()]
        entry.outstanding -= 1
        let isIdle = entry.outstanding == 0 && !entry.isHeld
        chains[submission.stream.chain] = isIdle ? nil : entry
        return submission
    }

    private mutating func takeOut(_ token: UInt64) -> Submission? {
        let place = pending.count - Int(clamping: nextToken &- token)
        guard place >= head, place < pending.count, let submission = pending[place].take() else {
            return aside.removeValue(forKey: token)
        }
        forgetTaken()
        return submission
    }

    /// Moves the head to the oldest that is pending, and gives the places before it back now and then.
    private mutating func forgetTaken() {
        while head < pending.count, pending[head] == nil { head += 1 }
        guard head == pending.count || head >= 1024 && head * 2 > pending.count else { return }
        pending.removeFirst(head)
        head = 0
    }

    /// Whether something of a job is not durable yet.
    public func holdsAny(of job: String) -> Bool { holdsAny { $0.stream.job == job } }

    public func holdsAny(of stream: StreamID) -> Bool { holdsAny { $0.stream.id == stream } }

    private func holdsAny(where fits: (Submission) -> Bool) -> Bool {
        aside.values.contains(where: fits) || pending[head...].contains { $0.map(fits) ?? false }
    }
}
