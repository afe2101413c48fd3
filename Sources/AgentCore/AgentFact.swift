import Envelope
import Journal
import Mesh

/// Something an agent's owner should do, log or pass on.
package enum AgentFact: Sendable {
    /// Open it and bring it to its sink; the outcome goes to ``AgentMachine/take(_:_:at:)``.
    case deliver(Arrival)
    /// An arrival that must have no effect: to be kept aside.
    case damaged([UInt8], reason: String)
    /// A receipt that is not genuine; it had no effect.
    case forgedReceipt(from: NodeID)
    /// A relay tells that envelopes of ours lived out their lifetimes there. It is news only: what has no receipt is kept
    /// here until it expires here too.
    case expiryNotice(StreamID, ClosedRange<Sequence>, relay: NodeID)
    /// An envelope of ours is durable here, all before it of its stream too.
    case stored(StreamID, Sequence)
    /// All up to `through` have had their effect; `floor` is the lowest without receipt.
    case receipted(StreamID, job: String, through: Sequence, floor: Sequence)
    /// What is fresh should go in another stream; see ``Overtaking``.
    case fellBehind(StreamID)
    /// The source of the job should wait; false where it may be read on. See ``AgentMachine/isAhead(_:)``.
    case ahead(job: String, Bool)
    /// Lived out its lifetime without a receipt.
    case expired(StreamID, Sequence, floor: Sequence)
    /// A stream gets no more, and all of it is receipted or expired; nil where it never had anything.
    case ended(StreamID, job: String?)
    /// The journal did not take a submission: to be told to the ``OutboxGate``.
    case submissionRefused(token: UInt64, JournalError)
    /// A job's long checkpoint was read back: the job may start.
    case checkpointRead(job: String)
    /// It cannot be read; ``AgentMachine/readCheckpoint(of:in:_:)`` should be called again after a while.
    case checkpointUnreadable(job: String, record: UInt64, JournalError)
    case unreadableRecord(LSN)
    /// A stored envelope without receipt cannot be read back.
    case readFailed(LSN, String)
    case outboxStalled(JournalError)
    case outboxResumed
    /// A durable copy was read for a carrier, or is not there any more.
    case copied(request: UInt64, stored: UInt64, CopiedEnvelope?)
}

/// Signs this node's receipts, and judges those of others.
package protocol ReceiptTrust: ReceiptVerifier {
    /// A receipt for the source of the streams.
    /// - Precondition: at most ``Limits/receiptEntries`` entries.
    func receipt(for source: NodeID, _ entries: [Receipt.Entry]) -> Receipt
}
