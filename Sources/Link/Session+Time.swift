import Envelope

extension Session {
    /// When ``timeReached(_:)`` wants to be called next.
    @inline(__always)
    public var nextDeadline: Instant {
        switch state {
        case .awaitingHello: startedAt + Limits.helloWait
        case .established: pingDue
        case .ended: .never
        }
    }

    /// ``nextDeadline`` where the session may be changed: it is mutating as ``openLanes()`` is.
    public mutating func askDeadline() -> Instant { nextDeadline }

    /// Pings a peer that may be gone and gives up on one that is.
    /// - Throws: ``SessionError/helloTooLate``, ``SessionError/silent`` or ``SessionError/notReading``.
    public mutating func timeReached(_ now: Instant) throws(SessionError) {
        switch state {
        case .awaitingHello:
            guard now < startedAt + Limits.helloWait else { throw .helloTooLate }
        case .established:
            guard now >= pingDue else { return }
            guard unheardPings < Limits.missedPings || now < lastHeard + Limits.silence else { throw .silent }
            guard out.count < Limits.unreadBytes else { throw .notReading }
            out.shrinkToLeast()
            let due = min(lastHeard + patience, measureDue)
            if unheardPings == 0, now < due {
                pingDue = due
                return
            }
            unheardPings += 1
            pingDue = now + Limits.pingInterval
            measureDue = now + Limits.measureInterval
            out.appendFrame(.ping) { $0.append(now.nanoseconds) }
        case .ended:
            return
        }
    }
}
