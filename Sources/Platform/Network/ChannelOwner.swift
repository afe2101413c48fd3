/// Who a channel tells what happens. All calls come on the reactor's thread.
public protocol ChannelOwner: AnyObject {
    /// The handshake of a dialled channel is done; ``Channel/peer`` and its certificate are known. The owner of an
    /// accepted channel is not told this: the listener's `accept` said it.
    ///
    /// In TLS 1.3 the dialling end is done first: a peer that dislikes our certificate closes after this call.
    func channelOpened(_ channel: Channel)

    /// Bytes may wait. Take them with ``Channel/read(into:)``, as many as is fair to the others, and return: while
    /// more may wait, the next turn calls again. An owner that wants no bytes sets ``Channel/isPaused``; one that
    /// does neither is called without end.
    func channelReadable(_ channel: Channel)

    /// The channel takes bytes again after ``Channel/write(_:hasMore:)`` took fewer than it was given.
    func channelWritable(_ channel: Channel)

    /// The channel has ended, whoever ended it; comes exactly once, at the end of a turn, and is the last call.
    func channelClosed(_ channel: Channel, reason: CloseReason)
}

/// Why a channel ended.
public enum CloseReason: Error, Equatable, Sendable, CustomStringConvertible {
    /// This end closed it.
    case local
    /// The peer closed it in an orderly way.
    case peerClosed
    /// The reactor shut down.
    case shutDown
    /// The connection broke: reset, unreachable, silent too long, or bytes that are no TLS.
    case broken(String)
    /// The host's name has no address.
    case unresolved(String)
    /// No address took the connection; the text names the last one tried and its error.
    case unreachable(String)
    /// The proxy did not open a way.
    case proxyRefused(String)
    /// No connection within the time given for dialling.
    case dialTimedOut
    /// The certificate was not accepted, or what came was no TLS 1.3 handshake.
    case handshakeFailed(String)
    /// The handshake was not done within its time.
    case handshakeTimedOut

    public var description: String {
        switch self {
        case .local: "closed here"
        case .peerClosed: "closed by the peer"
        case .shutDown: "the node is shutting down"
        case .broken(let text): "the connection broke: \(text)"
        case .unresolved(let text): "no address: \(text)"
        case .unreachable(let text): "cannot connect to \(text)"
        case .proxyRefused(let text): "the proxy refused: \(text)"
        case .dialTimedOut: "no connection in time; is a firewall dropping it?"
        case .handshakeFailed(let text): "the TLS handshake failed: \(text)"
        case .handshakeTimedOut: "the TLS handshake was not done in time"
        }
    }
}
