import Crypto
import Envelope
import Glibc

/// One TCP connection with mutual TLS 1.3, owned by one reactor.
///
/// It lives, held by the reactor, until ``ChannelOwner/channelClosed(_:reason:)``, and holds its owner as long. No
/// byte reaches the owner before the handshake is done. It queues nothing itself: bytes not taken by
/// ``write(_:)`` stay with the owner, which is how back-pressure reaches it.
public final class Channel {
    enum Phase: Equatable {
        /// The attempt has no connection yet.
        case dialling
        case handshaking
        case open
        /// Closing: sends what ``Channel/close(flushing:within:)`` was given.
        case flushing
        /// Closing: everything is sent; waits for the peer's end so that the kernel does not reset the
        /// connection and with it throw away what the peer has not read.
        case draining
        case closed
    }

    public let reactor: Reactor
    /// True where this end dialled.
    public let isDialled: Bool
    /// Who is told what happens. The listener's `accept` must set it.
    public var owner: (any ChannelOwner)?

    /// The name in the peer's certificate; nil until the handshake is done.
    public internal(set) var peer: NodeName?
    /// The peer's certificate as DER; empty until the handshake is done.
    public internal(set) var peerCertificate: [UInt8] = []
    /// The other end of the TCP connection, which is the proxy's where there is one; nil until connected.
    public internal(set) var remoteAddress: SocketAddress?
    /// This end of the TCP connection.
    public internal(set) var localAddress: SocketAddress?

    /// Payload bytes read and written since the handshake.
    public internal(set) var bytesRead: UInt64 = 0
    public internal(set) var bytesWritten: UInt64 = 0

    /// While true, the owner is not told of bytes that wait, and the peer is soon held back by TCP. A peer that
    /// goes away is not noticed meanwhile unless something is written.
    public var isPaused = false {
        didSet { if isPaused != oldValue { pauseChanged() } }
    }

    var phase: Phase
    /// nil before there is one, and while another thread has it.
    var connection: Connection?
    /// What another thread does for this channel; nil where nobody does.
    var carried: CarriedConnection?
    var attempt: DialAttempt?
    var waits = Waits()
    var deadline: TimerToken?
    var farewell: ArraySlice<UInt8> = []
    private var reason: CloseReason?

    /// What stands between the channel and its next step.
    struct Waits {
        var handshake: Poller.Interest = []
        /// ``Channel/write(_:hasMore:)`` found no room and the owner waits to be told.
        var ownerWantsToWrite = false
        /// The TLS layer must read before it can write, or write before it can read.
        var writeNeedsRead = false
        var readNeedsWrite = false
        /// Bytes may wait that no event will tell of, since they are in the TLS layer.
        var mayHoldUnread = false
        var isQueued = false
        var isServing = false
        var servedTurn: UInt64 = 0
    }

    init(_ reactor: Reactor, isDialled: Bool, owner: (any ChannelOwner)?) {
        self.reactor = reactor
        self.isDialled = isDialled
        self.owner = owner
        phase = .dialling
        reactor.residents[ObjectIdentifier(self)] = self
    }

    /// Whether the handshake is done and neither end has closed.
    public var isOpen: Bool { phase == .open }

    /// Bytes the TLS layer and the kernel have not yet been able to send are the owner's; see ``write(_:)``.
    public var isWritable: Bool { phase == .open && !waits.ownerWantsToWrite }

    /// Ends the channel; the owner is told at the end of the turn.
    func finish(_ reason: CloseReason) {
        guard phase != .closed else { return }
        phase = .closed
        self.reason = reason
        attempt?.cancel()
        attempt = nil
        cancelDeadline()
        farewell = []
        connection?.close()
        connection = nil
        carried?.leave()
        carried = nil
        reactor.tasks.addClosed(self)
    }

    func reportClosed() {
        guard let reason else { return }
        self.reason = nil
        let owner = owner
        self.owner = nil
        reactor.residents[ObjectIdentifier(self)] = nil
        owner?.channelClosed(self, reason: reason)
    }

    func setDeadline(after limit: Duration, _ reason: CloseReason) {
        cancelDeadline()
        deadline = reactor.schedule(after: limit) { [weak self] in self?.finish(reason) }
    }

    func cancelDeadline() {
        if let deadline { reactor.cancel(deadline) }
        deadline = nil
    }
}

extension Channel: Resident {
    func leave() { finish(.shutDown) }
}
