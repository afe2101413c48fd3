import Envelope
import Link

extension Exchange {
    /// Folds in a session, for the exhaustive checker. Left out: when it was established, which decides between two
    /// sessions that came about within ``Limits/simultaneous``; the caller's run must be shorter.
    package func fold(
        _ id: SessionID, into print: inout Fingerprint, _ names: inout InstanceNames, record: (UInt64) -> Int
    ) {
        guard let slot = slots[id.number] else { return print.add(-1) }
        print.add(slot.link)
        print.add(slot.isClosed)
        print.add(current[slot.link] == id.number)
        print.addName(slot.outbound)
        slot.session.fold(into: &print) { token, print in
            forwarder.fold(forwarder.instances.id(token), into: &print, &names, record: record)
        }
    }
}
