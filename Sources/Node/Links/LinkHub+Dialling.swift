import Crypto
import Envelope
import Link
import Mesh
import Platform

extension LinkHub {
    func addTarget(_ link: LinkConfiguration) {
        let target = DialTarget(link)
        targets.append(target)
        dial(target)
    }

    private func dial(_ target: DialTarget) {
        target.timer = nil
        guard !target.isStopped, target.connection == nil, let address = target.link.dial else { return }
        // The peer may have dialled us meanwhile; one session is enough, and a second would only replace it.
        if exchange.forwarder.isEstablished(NodeID(of: target.link.peer)) { return wait(target) }
        let connection = LinkConnection(hub: self, target: target)
        target.connection = connection
        connection.channel = Dialer(reactor).dial(
            host: address.host, port: address.port, context: identity.context, timeout: .seconds(5),
            via: target.link.proxy.map(ProxyAddress.init), owner: connection)
    }

    func redial(_ target: DialTarget, _ connection: LinkConnection, _ reason: CloseReason) {
        guard target.connection === connection else { return }
        target.connection = nil
        target.backoff.sessionEnded(after: connection.session == nil ? .zero : reactor.now - connection.openedAt)
        if connection.session == nil {
            let text = reason.description
            if text != target.lastReason {
                log.warning(
                    "link.dial-failed", "cannot reach a peer; trying on",
                    ["peer": target.link.peer, "address": target.link.dial?.description ?? "", "reason": text])
            }
            target.lastReason = text
        }
        wait(target)
    }

    private func wait(_ target: DialTarget) {
        guard !target.isStopped else { return }
        let delay = target.backoff.next(random: Entropy.word())
        target.timer = reactor.schedule(after: delay) { [weak self, weak target] in
            if let target { self?.dial(target) }
        }
    }

    /// Takes over changed links while running: new ones are dialled, removed ones cut, others left alone.
    ///
    /// Listening addresses and identity are not changed here; they need a restart.
    public func apply(_ configuration: NodeConfiguration) {
        let before = self.configuration
        self.configuration = configuration
        for target in targets where !configuration.links.contains(target.link) {
            target.isStopped = true
            if let timer = target.timer { reactor.cancel(timer) }
            if target.connection?.session == nil { target.connection?.channel?.abort() }
        }
        targets.removeAll { $0.isStopped }
        for link in configuration.links where link.dial != nil && !before.links.contains(link) { addTarget(link) }
        cutForeign(before)
        finishTurn()
    }

    /// Sessions with peers that are no longer allowed, or whose link changed, end.
    private func cutForeign(_ before: NodeConfiguration) {
        for connection in connections {
            guard let connection, let session = connection.session, let peer = connection.peer else { continue }
            let link = configuration.links.first { $0.peer == peer }
            let isChanged = link != before.links.first { $0.peer == peer }
            let isAttached = configuration.attach.contains { $0.matches(peer) }
            guard isChanged || (link == nil && !isAttached) else { continue }
            exchange.leave(session, link == nil && !isAttached ? .notAllowed : .replaced, at: reactor.now)
        }
    }

    /// The configured cost of sending to a peer.
    public func cost(of peer: NodeName) -> UInt16 {
        UInt16(clamping: configuration.links.first { $0.peer == peer }?.cost ?? 10)
    }

    /// Why a configured peer that we dial has no session.
    public func dialReason(of peer: NodeName) -> String? {
        targets.first { $0.link.peer == peer }.map { $0.lastReason.isEmpty ? "dialling" : $0.lastReason }
    }

    public var currentConfiguration: NodeConfiguration { configuration }
}

extension ProxyAddress {
    init(_ proxy: ProxyConfiguration) {
        let credentials = proxy.user.map { Credentials(user: $0, password: proxy.password ?? "") }
        self.init(host: proxy.address.host, port: proxy.address.port, credentials: credentials)
    }
}
