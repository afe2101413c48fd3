import AgentCore
import Envelope
import Synchronization

/// A stream being made: what its maker and the outbox share.
final class StreamHandle: Sendable {
    let stream: OutboxStream
    /// The lowest sequence without receipt, raised by the outbox.
    private let lowest = Atomic<UInt64>(1)
    private let behind = Atomic<Bool>(false)

    private static let chains = Atomic<UInt64>(0)

    init(_ stream: OutboxStream) { self.stream = stream }

    /// Unlike all others of the process.
    static func nextChain() -> UInt64 { chains.add(1, ordering: .relaxed).newValue }

    var id: StreamID { stream.id }

    var floor: Sequence { Sequence(lowest.load(ordering: .acquiring)) }

    func raiseFloor(to sequence: Sequence) { lowest.store(sequence.number, ordering: .releasing) }

    /// What is fresh is to go in another stream, says the outbox.
    var isBehind: Bool { behind.load(ordering: .acquiring) }

    func fellBehind() { behind.store(true, ordering: .releasing) }

    /// True where the destination's window has room for one more, or that one will be in another stream.
    func mayMake(_ sequence: Sequence) -> Bool { isBehind || StreamWriter.hasRoom(for: sequence, floor: floor) }
}
