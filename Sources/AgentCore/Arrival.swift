import Envelope
import Mesh

/// An envelope for this agent, copied out of the forwarder's memory for the threads that open and apply it.
package struct Arrival: Sendable {
    package var instance: InstanceID
    package var header: Header
    package var envelope: [UInt8]

    package init(instance: InstanceID, header: Header, envelope: [UInt8]) {
        self.instance = instance
        self.header = header
        self.envelope = envelope
    }
}

/// What the delivering threads say of an arrival.
package enum DeliveryOutcome: Sendable {
    /// Its effect is durable, now or before, or it must not have one.
    case finished(InstanceID)
    /// Cannot be taken now; the relay keeps it.
    case giveBack(InstanceID, Duration)
    /// A sink went on behind these, which it never had: their source cares for them no more. Told before the mark.
    case skipped(source: NodeID, stream: StreamID, ClosedRange<UInt64>)
    /// Effects of a stream are durable up to here.
    case mark(source: NodeID, stream: StreamID, Sequence)
}
