import Envelope
import Link

/// What one neighbour has sent us and what of it is safe here, for its current session and the one before.
///
/// The one before matters once: our next hello tells which of its transmissions are safe, so that the neighbour
/// need not repeat them.
struct CustodyLedger {
    /// Counts beginnings and ends of sessions with this neighbour; a creditor's serial tells which one its number
    /// belongs to.
    private(set) var serial: UInt32 = 0
    /// The neighbour's name for the numbering of the current session.
    private(set) var session = Bytes16(low: 0, high: 0)
    private var isUp = false
    private var hasReceived = false
    private var safe = RangeSet()
    /// Safe, and not yet said so.
    private var pending = RangeSet()
    private(set) var bytesSettled: UInt64 = 0
    private(set) var envelopesSettled: UInt64 = 0
    private var bytesGranted = UInt64(Limits.linkWindowBytes)
    private var envelopesGranted = UInt64(Limits.linkWindowEnvelopes)
    private var previousSafe = RangeSet()
    private var previousSession = Bytes16(low: 0, high: 0)
    private var previousSerial: UInt32 = .max

    mutating func sessionBegan(_ session: Bytes16) {
        serial &+= 1
        self.session = session
        isUp = true
        hasReceived = false
        bytesSettled = 0
        envelopesSettled = 0
        bytesGranted = UInt64(Limits.linkWindowBytes)
        envelopesGranted = UInt64(Limits.linkWindowEnvelopes)
        safe.removeAll()
        pending.removeAll()
    }

    mutating func sessionEnded() {
        isUp = false
        // A session that brought nothing does not push out what the one before it still has to tell.
        if hasReceived {
            previousSession = session
            previousSafe = safe
            previousSerial = serial
        }
        safe.removeAll()
        pending.removeAll()
        serial &+= 1
        session = Bytes16(low: 0, high: 0)
    }

    /// The resumption part of our next hello. While a session stands it speaks of that one, which the new session
    /// is about to replace.
    var resumption: (session: Bytes16, safe: RangeSet) {
        isUp && hasReceived ? (session, safe) : (previousSession, previousSafe)
    }

    /// Something of the current session has come.
    mutating func noteReceived() { hasReceived = true }

    mutating func markSafe(_ creditor: Creditor, length: Int) {
        if creditor.serial == serial {
            safe.insert(creditor.transmission)
            pending.insert(creditor.transmission)
            settle(length)
            if safe.ranges.count > Limits.safeRanges { safe.keepHighest(Limits.custodyRanges) }
        } else if creditor.serial == previousSerial {
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

    /// True where the neighbour should hear from us: something became safe, or it needs credit.
    var isDue: Bool { !pending.isEmpty || isPressing }

    /// A quarter of the window came free since the neighbour heard of it.
    var isPressing: Bool {
        bytesSettled + UInt64(Limits.linkWindowBytes) >= bytesGranted + UInt64(Limits.linkWindowBytes / 4)
            || envelopesSettled + UInt64(Limits.linkWindowEnvelopes)
                >= envelopesGranted + UInt64(Limits.linkWindowEnvelopes / 4)
    }

    /// What to tell: ranges, and the totals the neighbour may have sent.
    mutating func takePending() -> (safe: RangeSet, bytes: UInt64, envelopes: UInt64) {
        let ranges = pending
        pending.removeAll()
        bytesGranted = bytesSettled + UInt64(Limits.linkWindowBytes)
        envelopesGranted = envelopesSettled + UInt64(Limits.linkWindowEnvelopes)
        return (ranges, bytesGranted, envelopesGranted)
    }
}

extension CustodyLedger {
    /// Of the current session 0, of the one before 1, of an older one 2: nobody waits for that any more.
    func age(ofSerial number: UInt32) -> Int { number == serial ? 0 : number == previousSerial ? 1 : 2 }

    /// Folds in what decides what is said next.
    func fold(into print: inout Fingerprint) {
        print.addName(session)
        print.add(isUp)
        print.add(hasReceived)
        print.add(safe)
        print.add(pending)
        print.add(bytesSettled)
        print.add(envelopesSettled)
        print.add(bytesGranted)
        print.add(envelopesGranted)
        print.addName(previousSession)
        print.add(previousSafe)
    }
}
