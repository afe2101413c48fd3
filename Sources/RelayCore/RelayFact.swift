import Envelope
import Journal
import Mesh

/// Something a relay's owner should log, store or count.
public enum RelayFact: Sendable {
    /// An envelope lived out its lifetime here.
    case expired(destination: NodeID, lane: Lane, bytes: Int)
    /// An arrival was no envelope; its first bytes.
    case damagedArrival(link: LinkIndex, bytes: [UInt8], reason: String)
    /// A stored record is no envelope; it is kept.
    case unreadableRecord(LSN)
    /// The store takes no more for now.
    case storeRefused(JournalError)
    /// A stored envelope cannot be read back; its source sends it again.
    case readFailed(LSN, JournalError)
    /// The disk failed a read; it is tried again.
    case readDelayed(LSN, JournalError)
    case storeStalled(JournalError)
    case storeResumed
    case alarm(RouterAlarm)
    /// A neighbour sent a link-state message that is none.
    case badMessage(from: NodeName, LinkStateError)
    /// The mesh knows a later start of this relay: the boot number to store.
    case bootRaised(to: UInt64)
    /// An envelope that was carried here is durable, or the store did not take it.
    case carried(ticket: UInt64, JournalError?)
    /// A durable copy was read, or is not there any more.
    case copied(request: UInt64, stored: UInt64, CopiedEnvelope?)
}
