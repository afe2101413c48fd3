import AgentCore
import Envelope
import Synchronization

/// A stream being made: what its maker and the outbox share.
final class StreamHandle: Sendable {
    let stream: OutboxStream
    /// The lowest sequence without receipt, raised by the outbox.
    private let lowest = Atomic<UInt64>(1)

    private static let chains = Atomic<UInt64>(0)

    /// Places of the destination's window kept back for what is on its way.
    static let reserve: UInt64 = 1024

    init(id: StreamID, job: String, destination: NodeID, lane: Lane) {
        stream = OutboxStream(
            id: id, job: job, destination: destination, lane: lane,
            chain: Self.chains.add(1, ordering: .relaxed).newValue)
    }

    var id: StreamID { stream.id }

    var floor: Sequence { Sequence(lowest.load(ordering: .acquiring)) }

    func raiseFloor(to sequence: Sequence) { lowest.store(sequence.number, ordering: .releasing) }

    /// True where the destination's window has room for one more.
    func mayMake(_ sequence: Sequence) -> Bool { sequence.number < floor.number + Limits.window - Self.reserve }
}
