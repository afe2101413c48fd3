import Envelope

extension Session {
    /// One more session in the same state, for a checker that tries what happens in several orders.
    /// - Precondition: it has read whole frames alone, and no envelope was longer than a frame.
    package func copy() -> Session {
        precondition(out.readable.count == out.count, "nothing is read from another's memory")
        var copy = Session(configuration, at: startedAt)
        copy.state = state
        copy.out.removeAll()
        copy.out.append(out.readable)
        copy.partial.append(partial.readable)
        copy.held.append(held.readable)
        copy.inFlight = inFlight
        copy.underWay = underWay
        copy.bytesSent = bytesSent
        copy.bytesAllowed = bytesAllowed
        copy.envelopesAllowed = envelopesAllowed
        copy.lastReceived = lastReceived
        copy.bytesReceived = bytesReceived
        copy.bytesGranted = bytesGranted
        copy.envelopesGranted = envelopesGranted
        copy.pingDue = pingDue
        copy.measureDue = measureDue
        copy.lastHeard = lastHeard
        copy.unheardPings = unheardPings
        copy.patience = patience
        copy.roundTrip = roundTrip
        copy.out.shrink()
        return copy
    }
}
