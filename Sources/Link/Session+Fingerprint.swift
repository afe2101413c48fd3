import Envelope

extension Session {
    /// Folds in what decides what this session does next; `token` folds in what a token given to `transmit` stands for.
    ///
    /// Times are left out: they make pings, and tell how long a confirmation took. So are reassembly and envelopes half
    /// written: there are none where every envelope fits one frame and frames come whole.
    package func fold(into print: inout Fingerprint, token: (UInt32, inout Fingerprint) -> Void) {
        switch state {
        case .awaitingHello: print.add(1)
        case .established: print.add(2)
        case .ended: print.add(3)
        }
        print.add(out.readable)
        print.add(partial.readable)
        print.add(held.readable)
        print.add(inFlight.next)
        print.add(inFlight.count)
        inFlight.forEachOpen { number, entry in
            print.add(number)
            token(entry.token, &print)
        }
        for word in [bytesSent, bytesAllowed, envelopesAllowed] { print.add(word) }
        for word in [lastReceived, bytesReceived, bytesGranted, envelopesGranted] { print.add(word) }
    }
}
