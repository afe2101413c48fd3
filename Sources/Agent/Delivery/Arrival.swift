import Envelope
import Mesh

/// An envelope for this agent, copied out of the forwarder's memory for the threads that open and apply it.
struct Arrival: Sendable {
    var instance: InstanceID
    var header: Header
    var envelope: [UInt8]
}

/// What the delivering threads say of an arrival.
enum DeliveryOutcome: Sendable {
    /// Its effect is durable, now or before, or it must not have one.
    case finished(InstanceID)
    /// Cannot be taken now; the relay keeps it.
    case giveBack(InstanceID, Duration)
    /// Effects of a stream are durable up to here.
    case mark(source: NodeID, stream: StreamID, Sequence)
}
