import Envelope

extension Session {
    /// When ``timeReached(_:)`` wants to be called next.
    public var nextDeadline: Instant {
        switch state {
        case .awaitingHello: startedAt + Limits.helloWait
        case .established: min(pingDue, lastHeard + Limits.silence)
        case .ended: .never
        }
    }

    /// Pings a peer that may be gone and gives up on one that is.
    /// - Throws: ``SessionError/helloTooLate`` or ``SessionError/silent``.
    public mutating func timeReached(_ now: Instant) throws(SessionError) {
        switch state {
        case .awaitingHello:
            guard now < startedAt + Limits.helloWait else { throw .helloTooLate }
        case .established:
            guard now < lastHeard + Limits.silence else { throw .silent }
            guard now >= pingDue else { return }
            pingDue = now + Limits.pingInterval
            if out.isEmpty { out.shrink() }
            out.appendFrame(.ping) { $0.append(now.nanoseconds) }
        case .ended:
            return
        }
    }
}
