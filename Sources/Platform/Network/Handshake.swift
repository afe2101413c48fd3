import Crypto
import Envelope

/// Owns an accepted channel until its handshake is done, and counts it.
final class Handshake: ChannelOwner {
    let channel: Channel
    private let listener: Listener
    private let remote: SocketAddress
    private var isUnderWay = true

    init(_ listener: Listener, remote: SocketAddress) {
        self.listener = listener
        self.remote = remote
        channel = Channel(listener.reactor, isDialled: false, owner: nil)
    }

    func begin(_ descriptor: Int32) {
        channel.owner = self
        channel.attach(
            descriptor, context: listener.context, side: .server,
            handshakeTimeout: listener.admission.limits.handshakeTimeout)
    }

    func channelOpened(_ channel: Channel) {
        ended()
        channel.owner = nil
        listener.accept?(channel)
        guard channel.owner == nil else { return }
        listener.refused?(.notTaken, remote)
        channel.abort()
    }

    func channelClosed(_ channel: Channel, reason: CloseReason) {
        ended()
        listener.refused?(.failed(reason), remote)
    }

    func channelReadable(_ channel: Channel) {}

    func channelWritable(_ channel: Channel) {}

    private func ended() {
        guard isUnderWay else { return }
        isUnderWay = false
        listener.admission.ended(source: remote.source)
        listener.handshakes[ObjectIdentifier(self)] = nil
    }
}
