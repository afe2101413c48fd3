import CUV
import Crypto
import Envelope
import Glibc

/// Takes connections on one port and hands on those whose handshake was done: nobody else sees a stranger's byte.
///
/// Lives, held by the reactor, until ``close()``.
public final class Listener {
    /// The port it listens on: the one asked for, or the one the system chose for 0.
    public let port: UInt16
    public let address: SocketAddress
    /// For the next handshakes; change it when a certificate was renewed.
    public var context: TLSContext

    let reactor: Reactor
    var admission: Admission
    var accept: ((Channel) -> Void)?
    var refused: ((RefusalReason, SocketAddress?) -> Void)?
    var handshakes: [ObjectIdentifier: Handshake] = [:]
    private let descriptor: Int32
    private var poller: Poller?
    private var pause: TimerToken?
    private var isClosed = false

    /// Connections taken in one turn, so that a flood of them does not hold up the links.
    private static let acceptsPerTurn = 64
    /// How long to leave connections waiting when the process has no descriptor left for them.
    private static let scarcityPause = Duration.milliseconds(250)

    /// - Parameters:
    ///   - host: a name or an address in figures; `0.0.0.0` for all IPv4, `::` for all IPv6 and IPv4 addresses. A
    ///     name is resolved here and now.
    ///   - accept: gets each channel whose handshake is done, and must set its owner; bytes follow in a later call.
    ///   - refused: gets each connection that came to nothing, with the address it came from.
    /// - Throws: ``ListenError``.
    public init(
        _ reactor: Reactor, host: String, port: UInt16, context: TLSContext,
        limits: AdmissionLimits = AdmissionLimits(), accept: @escaping (Channel) -> Void,
        refused: @escaping (RefusalReason, SocketAddress?) -> Void
    ) throws(ListenError) {
        (descriptor, address) = try ListeningSocket.open(host: host, port: port)
        self.port = address.port
        self.reactor = reactor
        self.context = context
        self.accept = accept
        self.refused = refused
        admission = Admission(limits, at: reactor.now)
        do {
            let poller = try Poller(reactor, descriptor: descriptor, owner: self)
            self.poller = poller
            poller.watch(.readable)
        } catch {
            Glibc.close(descriptor)
            throw ListenError(host: host, port: port, reason: error.description)
        }
        reactor.residents[ObjectIdentifier(self)] = self
    }

    /// Gives the port back and ends the handshakes under way. Channels already handed on stay.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        if let pause { reactor.cancel(pause) }
        poller?.close()
        poller = nil
        Glibc.close(descriptor)
        accept = nil
        refused = nil
        for handshake in handshakes.values.map({ $0 }) { handshake.channel.abort() }
        reactor.residents[ObjectIdentifier(self)] = nil
    }

    private func takeConnections() {
        for _ in 0..<Self.acceptsPerTurn {
            let (accepted, remote) = SocketAddress.withStorage { cuv_accept(descriptor, $0, $1) }
            if accepted >= 0 {
                take(accepted, from: remote)
                if isClosed { return }
                continue
            }
            switch errno {
            case EAGAIN: return
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return waitForDescriptors()
            default: continue
            }
        }
    }

    /// A connection that waits keeps the descriptor readable, so watching on would spin.
    private func waitForDescriptors() {
        poller?.watch([])
        pause = reactor.schedule(after: Self.scarcityPause) { [weak self] in self?.poller?.watch(.readable) }
    }

    private func take(_ descriptor: Int32, from remote: SocketAddress?) {
        guard let remote else {
            Glibc.close(descriptor)
            return
        }
        if let reason = admission.begin(source: remote.source, at: reactor.now) {
            Glibc.close(descriptor)
            refused?(reason, remote)
            return
        }
        let handshake = Handshake(self, remote: remote)
        handshakes[ObjectIdentifier(handshake)] = handshake
        handshake.begin(descriptor)
    }
}

extension Listener: PollerOwner, Resident {
    func pollerReady(readable: Bool, writable: Bool, failed: Bool) {
        if failed { _ = Socket.takeError(descriptor) }
        takeConnections()
        if failed { poller?.watch(.readable) }
    }

    func leave() { close() }
}
