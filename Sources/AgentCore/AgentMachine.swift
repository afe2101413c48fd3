import Envelope
import Journal
import Link
import Mesh

/// What an agent decides of its envelopes, as a machine without I/O: the outbox over its journal on one side, arrivals
/// and the receipts for them on the other.
///
/// The owner keeps the ``Exchange``, which its connections feed, and lends it for each call; it gives what is put into
/// the batch to the agent's journal and the journal's answers to ``complete(_:_:_:at:taking:)``.
///
/// Invariants:
/// - an envelope leaves only once it is durable here together with the checkpoint behind it;
/// - it is forgotten only when its destination's signed receipt has come, or its life is over;
/// - a receipt says only what was told to be durable by ``DeliveryOutcome/mark(source:stream:_:)``.
package struct AgentMachine<Trust: ReceiptTrust>: ~Copyable {
    let identity: NodeID
    /// Id of the machine's boot: ages go on over a restart of the process within it.
    let boot: Bytes16
    let trust: Trust
    var outbox: Outbox
    var book = ReceiptBook()
    /// What becomes of each stream, for people; nothing is decided by it. The owner keeps it over a restart.
    package var ledger = StreamLedger()
    /// Wall time of what happens next; the owner sets it before each call. It goes into the ledger only.
    package var wall = WallTime(milliseconds: 0)
    /// Numbers this agent's own receipts; a receipt stream begins with the process.
    private let receiptStream: StreamID
    private var receiptSequence = Sequence(1)
    /// Checkpoints that must be read back before their jobs may start: job name by record.
    var checkpointReads: [UInt64: String] = [:]
    /// Jobs whose newest checkpoint was too long for the replay, with the record it is in.
    var cutCheckpoints: [String: LSN] = [:]
    private var facts: [AgentFact] = []

    /// - Parameter receiptStream: 16 random bytes, new at each start.
    package init(
        identity: NodeID, machineBoot: Bytes16, trust: Trust, resendAfter: Duration, receiptStream: StreamID
    ) {
        self.identity = identity
        boot = machineBoot
        self.trust = trust
        self.receiptStream = receiptStream
        outbox = Outbox(resendAfter: resendAfter)
    }

    package mutating func takeFacts() -> [AgentFact] {
        var taken: [AgentFact] = []
        swap(&taken, &facts)
        return taken
    }

    mutating func note(_ fact: AgentFact) { facts.append(fact) }

    package var nextDeadline: Instant { min(outbox.nextDeadline, book.nextDeadline) }

    /// How long an envelope may stay without receipt before it is sent again.
    package var resendAfter: Duration {
        get { outbox.resendAfter }
        set { outbox.resendAfter = newValue }
    }

    /// Which jobs give up their order. What was held only for it goes with the next ``settle(_:_:at:)``.
    package mutating func set(_ overtaking: Overtaking, at now: Instant) { outbox.set(overtaking, at: now) }

    /// Bytes of each job, by its name, that may wait for their way before ``AgentFact/ahead(job:_:)``.
    package mutating func set(readAhead: [String: Int]) { outbox.set(readAhead: readAhead) }

    /// A session with a relay of this agent stands again.
    package mutating func linkReturned() { outbox.linkReturned() }

    package mutating func timeReached(
        _ now: Instant, wall: WallTime, _ exchange: inout Exchange, _ batch: inout JournalBatch
    ) {
        outbox.timeReached(now)
        sendReceipts(wall: wall, &exchange, at: now)
        settle(&exchange, &batch, at: now)
    }

    /// A stream gets no more; it is forgotten once all of it is receipted.
    package mutating func close(
        _ stream: StreamID, _ exchange: inout Exchange, _ batch: inout JournalBatch, at now: Instant
    ) {
        outbox.close(stream)
        settle(&exchange, &batch, at: now)
    }
}

// MARK: Arrivals

extension AgentMachine {
    /// The owner number of this agent's receipts: no journal record has it.
    static var receiptOwner: UInt64 { .max }
    /// Seconds: 30 days. A lost receipt is made good by a resent envelope, but it may have to wait for a zone that is cut
    /// off for weeks.
    static var receiptLifetime: UInt32 { 30 * 86_400 }

    /// Carries out what the exchange wants done.
    package mutating func perform(
        _ effects: [Effect], _ exchange: inout Exchange, _ batch: inout JournalBatch, at now: Instant
    ) {
        for effect in effects {
            switch effect {
            case .deliver(let id): deliver(id, &exchange, at: now)
            case .departed(let owner):
                if owner != Self.receiptOwner { outbox.departed(stored: owner, at: now) }
            case .expired(let dropped):
                if dropped.owner != 0, dropped.owner != Self.receiptOwner {
                    outbox.expiredUnderWay(stored: dropped.owner, at: now)
                }
            case .damaged(_, let bytes, let reason): note(.damaged(bytes, reason: reason))
            case .fetch(let id, let stored): batch.read(LSN(stored), token: id.token)
            case .store, .forget, .receipt, .refuse: break
            }
        }
        settle(&exchange, &batch, at: now)
    }

    private mutating func deliver(_ id: InstanceID, _ exchange: inout Exchange, at now: Instant) {
        guard let bytes = exchange.forwarder.bytes(of: id) else { return }
        guard let header = try? Header(bytes) else {
            note(.damaged(Array(bytes), reason: "no header"))
            return exchange.forwarder.finished(id, at: now)
        }
        switch header.kind {
        case .data: note(.deliver(Arrival(instance: id, header: header, envelope: Array(bytes))))
        case .receipt:
            take(header, UnsafeRawBufferPointer(rebasing: bytes[Header.size...]), at: now)
            exchange.forwarder.finished(id, at: now)
        case .expiry:
            note(.expiryNotice(header.stream, max(header.floor, Sequence(1))...header.sequence, relay: header.source))
            exchange.forwarder.finished(id, at: now)
        }
    }

    /// A receipt counts only with the signature of the node it speaks for.
    private mutating func take(_ header: Header, _ body: UnsafeRawBufferPointer, at now: Instant) {
        guard let receipt = try? Receipt(body), trust.verify(receipt, from: header.source, to: identity) else {
            return note(.forgedReceipt(from: header.source))
        }
        for entry in receipt.entries {
            guard let index = outbox.streamIndex[entry.stream], outbox.streams[index].destination == header.source
            else { continue }
            outbox.receipt(stream: entry.stream, through: entry.mark, at: now)
        }
    }

    /// What became of arrivals.
    package mutating func take(_ outcomes: [DeliveryOutcome], _ exchange: inout Exchange, at now: Instant) {
        for outcome in outcomes {
            switch outcome {
            case .finished(let id): exchange.forwarder.finished(id, at: now)
            case .giveBack(let id, let delay): giveBack(id, delay, &exchange, at: now)
            case .skipped(let source, let stream, let gap): ledger.skipped(source, stream, gap, at: wall)
            case .mark(let source, let stream, let mark):
                book.note(source: source, stream: stream, mark: mark, at: now)
                ledger.delivered(source, stream, through: mark, at: wall)
            }
        }
    }

    /// A long delay concerns this envelope alone: the relay lays it aside and others pass. A short one means that
    /// there is no room for the moment.
    package func giveBack(_ id: InstanceID, _ delay: Duration, _ exchange: inout Exchange, at now: Instant) {
        let reason = delay < .seconds(1) ? RefusalReason.destinationBusy : .setAside
        exchange.forwarder.giveBack(id, reason, delay: delay, at: now)
    }

    /// Tells sources what has had its effect, as far as it is due.
    package mutating func sendReceipts(wall: WallTime, _ exchange: inout Exchange, at now: Instant) {
        sendReceipts(due: now, wall: wall, &exchange, at: now)
    }

    /// Tells sources all there is to tell: the agent is about to leave.
    package mutating func sendLastReceipts(wall: WallTime, _ exchange: inout Exchange, at now: Instant) {
        sendReceipts(due: .never, wall: wall, &exchange, at: now)
    }

    private mutating func sendReceipts(
        due: Instant, wall: WallTime, _ exchange: inout Exchange, at now: Instant
    ) {
        for (source, entries) in book.takeDue(at: due) {
            let body = trust.receipt(for: source, entries).encoded
            let header = Header(
                kind: .receipt, lane: .control, source: identity, destination: source, stream: receiptStream,
                sequence: receiptSequence, floor: receiptSequence, created: wall, lifetime: Self.receiptLifetime,
                key: KeyID(Bytes16(low: 0, high: 0)), bodyLength: UInt32(body.count))
            receiptSequence = receiptSequence.next
            let envelope = header.encoded + body
            envelope.withUnsafeBytes { bytes in
                exchange.forwarder.originate(
                    Forwarder.Origin(
                        destination: source, identity: header.identity, lane: .control, length: bytes.count,
                        lifetime: Self.receiptLifetime,
                        owner: Self.receiptOwner, stored: 0),
                    bytes, at: now)
            }
        }
    }
}
