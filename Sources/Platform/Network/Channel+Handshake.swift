import Crypto
import Envelope

extension Channel {
    /// Takes over a connected socket and begins the handshake.
    func attach(_ descriptor: Int32, context: TLSContext, side: TLSSide, handshakeTimeout: Duration) {
        attempt = nil
        remoteAddress = SocketAddress.remote(of: descriptor)
        localAddress = SocketAddress.local(of: descriptor)
        do {
            connection = try Connection(
                reactor, descriptor: descriptor, context: context, side: side, owner: self)
        } catch {
            return finish(.handshakeFailed("\(error)"))
        }
        phase = .handshaking
        setDeadline(after: handshakeTimeout, .handshakeTimedOut)
        continueHandshake()
    }

    func continueHandshake() {
        guard let connection else { return }
        switch connection.session.handshake() {
        case .done:
            opened(connection.session)
        case .wantsRead:
            waits.handshake = .readable
        case .wantsWrite:
            waits.handshake = .writable
        case .failed(let text):
            finish(.handshakeFailed(text))
        }
        updateInterest()
    }

    private func opened(_ session: TLSSession) {
        phase = .open
        waits.handshake = []
        cancelDeadline()
        peer = session.peer
        peerCertificate = session.peerCertificate
        owner?.channelOpened(self)
        // The peer's first bytes may have come in one piece with its last handshake message.
        queueUnread()
    }
}
