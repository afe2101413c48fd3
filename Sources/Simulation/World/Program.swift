import Envelope

/// One process of a node: built anew at each start, let go when it is killed. All it knows of the world is its
/// ``Host``.
///
/// Calls come one at a time. A program may call its host from within any of them; what it causes comes later, never
/// from inside that call. ``nextDeadline`` is asked after every call.
public protocol Program: AnyObject {
    /// The first call. Where it throws, the process has ended and is started again later.
    func start() throws
    func connected(_ id: ConnectionID, to peer: NodeName, dialled: Bool)
    func dialFailed(_ peer: NodeName, _ failure: DialFailure)
    /// The bytes are valid during the call.
    func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer)
    /// There is room again after a write that took less than was offered.
    func writable(_ id: ConnectionID)
    /// By the peer or the network. Nothing comes of the connection any more.
    func closed(_ id: ConnectionID)
    func timeReached()
    /// By ``Host/now``; `.never` for none.
    var nextDeadline: Instant { get }
    /// What ``Host/after(_:token:)`` began.
    func operationFinished(_ token: UInt64)
}
