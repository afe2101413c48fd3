import Crypto
import Envelope

/// Opens connections to other nodes.
public struct Dialer {
    private let reactor: Reactor

    public init(_ reactor: Reactor) { self.reactor = reactor }

    /// Begins to dial and returns at once. The owner hears ``ChannelOwner/channelOpened(_:)`` when the handshake
    /// is done, or ``ChannelOwner/channelClosed(_:reason:)`` when it did not come to that. Closing the channel
    /// before ends the attempt.
    /// - Parameters:
    ///   - host: a name or an address in figures; behind a proxy the proxy resolves it.
    ///   - timeout: for resolving, connecting and the proxy together, shared out over the host's addresses.
    ///   - handshakeTimeout: for the TLS handshake after that.
    ///   - proxy: where the firewall lets only its HTTP proxy out.
    public func dial(
        host: String, port: UInt16, context: TLSContext, timeout: Duration = .seconds(10),
        handshakeTimeout: Duration = .seconds(5), via proxy: ProxyAddress? = nil, owner: any ChannelOwner
    ) -> Channel {
        let channel = Channel(reactor, isDialled: true, owner: owner)
        let attempt = DialAttempt(
            channel, host: host, port: port, context: context, handshakeTimeout: handshakeTimeout, proxy: proxy)
        channel.attempt = attempt
        attempt.start(within: timeout)
        return channel
    }
}
