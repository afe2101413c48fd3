import Envelope
import Link

/// What one neighbour has sent us and what of it is safe here, for its current session and the one before.
///
/// The one before matters once: our next hello tells which of its transmissions are safe, so that the neighbour
/// need not repeat them.
struct CustodyLedger {
    /// Counts the sessions with this neighbour; a creditor's serial tells which one its number belongs to.
    private(set) var serial: UInt32 = 0
    /// The neighbour's name for the numbering of the current session.
    private(set) var session = Bytes16(low: 0, high: 0)
    private var safe = RangeSet()
    /// Safe, and not yet said so.
    private var pending = RangeSet()
    private(set) var bytesSettled: UInt64 = 0
    private(set) var envelopesSettled: UInt64 = 0
    private var bytesGranted = UInt64(Limits.linkWindowBytes)
    private var previousSafe = RangeSet()
    private(set) var previousSession = Bytes16(low: 0, high: 0)

    mutating func sessionBegan(_ session: Bytes16) {
        serial += 1
        self.session = session
        bytesSettled = 0
        envelopesSettled = 0
        bytesGranted = UInt64(Limits.linkWindowBytes)
        safe = RangeSet()
        pending = RangeSet()
    }

    mutating func sessionEnded() {
        previousSession = session
        previousSafe = safe
        safe = RangeSet()
        pending = RangeSet()
        serial += 1
        session = Bytes16(low: 0, high: 0)
    }

    /// The resumption part of our next hello.
    var resumption: (session: Bytes16, safe: RangeSet) { (previousSession, previousSafe) }

    mutating func markSafe(_ creditor: Creditor, length: Int) {
        if creditor.serial == serial {
            safe.insert(creditor.transmission)
            pending.insert(creditor.transmission)
            settle(length)
        } else if creditor.serial &+ 1 == serial || creditor.serial &+ 2 == serial {
            // Of the session that ended last (its end raised the serial, a new beginning raised it again).
            previousSafe.insert(creditor.transmission)
        }
    }

    /// A refused transmission no longer takes the neighbour's credit.
    mutating func settleRefused(_ creditor: Creditor, length: Int) {
        if creditor.serial == serial { settle(length) }
    }

    private mutating func settle(_ length: Int) {
        bytesSettled += UInt64(length)
        envelopesSettled += 1
    }

    /// True where the neighbour should hear from us: something became safe, or a quarter of the window came free.
    var isDue: Bool {
        !pending.isEmpty
            || bytesSettled + UInt64(Limits.linkWindowBytes) >= bytesGranted + UInt64(Limits.linkWindowBytes / 4)
    }

    /// What to tell: ranges, and the totals the neighbour may have sent.
    mutating func takePending() -> (safe: RangeSet, bytes: UInt64, envelopes: UInt64) {
        let ranges = pending
        pending.removeAll()
        bytesGranted = bytesSettled + UInt64(Limits.linkWindowBytes)
        return (ranges, bytesGranted, envelopesSettled + UInt64(Limits.linkWindowEnvelopes))
    }
}
