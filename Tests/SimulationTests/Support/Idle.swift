import Envelope

@testable import Simulation

/// A process that does nothing.
final class Idle: Program {
    init(_ host: Host) {}
    func start() {}
    func connected(_ id: ConnectionID, to peer: NodeName, dialled: Bool) {}
    func dialFailed(_ peer: NodeName, _ failure: DialFailure) {}
    func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) {}
    func writable(_ id: ConnectionID) {}
    func closed(_ id: ConnectionID) {}
    func timeReached() {}
    var nextDeadline: Instant { .never }
    func operationFinished(_ token: UInt64) {}
}
