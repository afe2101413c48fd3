import Crypto
import Envelope
import Link
import Mesh
import Platform

/// What a role hears from its links and does for them. All calls come on the reactor's thread.
public protocol LinkHubOwner: AnyObject {
    func linkEstablished(_ link: LinkIndex, _ neighbour: Neighbour)
    func linkEnded(_ link: LinkIndex, _ neighbour: Neighbour)
    func meshMessage(_ message: [UInt8], from neighbour: NodeName)
    func perform(_ effects: [Effect])
}

/// A node with which a session stands or stood.
public struct Neighbour: Sendable {
    public var name: NodeName
    public var id: NodeID
    public var kind: NodeKind
    public var link: LinkIndex
    public var isUp: Bool
    /// True where this end opened the connection.
    public var dialledByUs: Bool
    public var since: Instant
    public var software: String
    /// Why there is no session, or why the last one ended.
    public var reason: String
}

/// Joins the exchange to the network: listens, dials for ever, feeds bytes in, writes bytes out, keeps time.
///
/// Everything happens on one reactor's thread; what connections cost may be carried by others. Per turn: read what came,
/// let the role carry out the effects, settle, write once.
public final class LinkHub {
    public let reactor: Reactor
    public private(set) var identity: NodeIdentity
    public let log: Log
    public var exchange: Exchange
    public weak var owner: (any LinkHubOwner)?
    /// By link index.
    public internal(set) var neighbours: [Neighbour?] = []

    var configuration: NodeConfiguration
    var listeners: [Listener] = []
    var targets: [DialTarget] = []
    /// Whom a connection was last opened with, by link index; outlives the connection, for the log.
    private var peers: [LinkIndex: NodeName] = [:]
    /// By session number.
    var connections: [LinkConnection?] = []
    var toWrite: [LinkConnection] = []
    var isStopping = false
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LinkHub.readBytes, alignment: 64)
    private var timer: DeadlineTimer?
    /// Other threads for what connections cost; nil where this reactor does it all.
    let carriers: Carriers?
    private var forecastTimer: DeadlineTimer?
    /// What the store and the queues come to; see ``forecast(storeBytes:)``.
    public internal(set) var forecaster = Forecaster()
    private var hook: TurnHook?

    /// Bytes read from one connection in a turn; large reads are what a relay's speed depends on.
    static let readBytes = 256 << 10
    /// Bytes written to one connection in a turn, so that others get theirs.
    static let writeBytes = 1 << 20

    public init(
        _ reactor: Reactor, _ configuration: NodeConfiguration, identity: NodeIdentity, kind: NodeKind,
        forwarder: consuming Forwarder, carriers: Carriers? = nil, log: Log
    ) {
        self.reactor = reactor
        self.configuration = configuration
        self.identity = identity
        self.carriers = carriers
        self.log = log
        exchange = Exchange(node: identity.name, kind: kind, software: Software.version, forwarder: forwarder)
        timer = DeadlineTimer(reactor) { [unowned self] in self.timeReached() }
        hook = reactor.afterEveryTurn { [weak self] in self?.finishTurn() }
    }

    deinit { buffer.deallocate() }

    /// Begins to listen and to dial.
    /// - Throws: ``ListenError`` where a port cannot be had.
    public func start() throws(ListenError) {
        for address in configuration.listen { try listen(address) }
        for link in configuration.links where link.dial != nil { addTarget(link) }
        finishTurn()
    }

    /// Takes a renewed certificate of the same name: for connections made or taken from now on. Sessions that stand
    /// go on with the old one.
    /// - Precondition: the name is the node's.
    public func renew(_ identity: NodeIdentity) {
        precondition(identity.name == self.identity.name, "a node keeps its name")
        self.identity = identity
        for listener in listeners { listener.context = identity.context }
    }

    /// Watches the sizes of queues and store from now on.
    public func forecast(storeBytes: @escaping () -> Int) {
        let timer = DeadlineTimer(reactor) { [unowned self] in
            noteSizes(storeBytes())
            forecastTimer?.arm(at: reactor.now + Forecaster.interval)
        }
        forecastTimer = timer
        timer.arm(at: reactor.now)
    }

    private func noteSizes(_ storeBytes: Int) {
        var queues: [Forecaster.Queue: Int] = [:]
        for queue in exchange.forwarder.waitingBytes {
            queues[Forecaster.Queue(destination: queue.destination, lane: queue.lane)] = queue.bytes
        }
        forecaster.note(
            accepted: exchange.forwarder.counters.bytesAccepted, storeBytes: storeBytes, queues: queues, at: reactor.now
        )
    }

    /// The ports really listened on.
    public var ports: [UInt16] { listeners.map(\.port) }

    private func listen(_ address: NodeConfiguration.Address) throws(ListenError) {
        let limits = AdmissionLimits(handshakesPerSource: 64)
        let listener = try Listener(
            reactor, host: address.host, port: address.port, context: identity.context, limits: limits,
            accept: { [weak self] channel in self?.accepted(channel) },
            refused: { [log] reason, remote in
                log.warning(
                    "link.refused", "a connection came to nothing",
                    ["remote": remote?.description ?? "unknown", "reason": reason])
            })
        listeners.append(listener)
        log.info("listen", "listening for links", ["address": address.host, "port": listener.port])
    }

    // MARK: Connections

    private func accepted(_ channel: Channel) {
        let connection = LinkConnection(hub: self, target: nil)
        channel.owner = connection
        connection.channel = channel
        opened(connection, channel)
    }

    func opened(_ connection: LinkConnection, _ channel: Channel) {
        guard let peer = channel.peer else { return channel.abort() }
        connection.peer = peer
        connection.openedAt = reactor.now
        if let target = connection.target, target.link.peer != peer {
            target.lastReason = "\(peer) answers where \(target.link.peer) was dialled; check the address"
            log.error("link.wrong-peer", target.lastReason, ["peer": peer, "expected": target.link.peer])
            return channel.close()
        }
        carriers?.carry(channel)
        let id = NodeID(of: peer)
        let session = exchange.open(
            peer: id, name: peer, session: Entropy.bytes16(), wall: Clock.wall, at: reactor.now)
        connection.session = session
        if let link = exchange.forwarder.linkNumber(of: id) { peers[link] = peer }
        while connections.count <= session.number { connections.append(nil) }
        connections[session.number] = connection
        if isStopping || !isAllowed(peer) {
            if !isStopping {
                log.warning(
                    "link.not-allowed", "the peer is not in this node's links or attach list", ["peer": peer])
            }
            exchange.leave(session, isStopping ? .stopping : .notAllowed, at: reactor.now)
        }
        markForWriting(connection)
    }

    private func isAllowed(_ peer: NodeName) -> Bool {
        configuration.links.contains { $0.peer == peer } || configuration.attach.contains { $0.matches(peer) }
    }

    func read(_ connection: LinkConnection, _ channel: Channel) {
        guard let session = connection.session else { return }
        channel.take(by: buffer) { exchange.receive(session, $0, at: reactor.now) }
    }

    func closed(_ connection: LinkConnection, _ reason: CloseReason) {
        connection.channel = nil
        if let session = connection.session {
            if let peer = connection.peer, exchange.forwarder.isEstablished(NodeID(of: peer)) {
                note(reason.description, for: peer)
            }
            // The peer's farewell may have come with the end of the connection: its reason is noted by the connection.
            hear()
            exchange.close(session, at: reactor.now)
            handleEvents()
            connections[session.number] = nil
        }
        if let target = connection.target { redial(target, connection, reason) }
        finishTurn()
    }

    private func note(_ reason: String, for peer: NodeName) {
        guard let index = neighbours.firstIndex(where: { $0?.name == peer }) else { return }
        neighbours[index]?.reason = reason
    }

    // MARK: Turns

    func markForWriting(_ connection: LinkConnection) {
        guard !connection.isMarked else { return }
        connection.isMarked = true
        toWrite.append(connection)
    }

    private func timeReached() {
        exchange.timeReached(reactor.now)
        finishTurn()
    }

    /// Carries out what the turn brought, then writes: effects may bring effects, so until there are none.
    public func finishTurn() {
        repeat {
            hear()
            let effects = exchange.takeEffects()
            if !effects.isEmpty { owner?.perform(effects) }
            exchange.settle(at: reactor.now)
        } while exchange.hasWork
        for id in exchange.sessionsWithOutput {
            if let connection = connections[id.number] { markForWriting(connection) }
        }
        let connections = toWrite
        toWrite.removeAll(keepingCapacity: true)
        for connection in connections {
            connection.isMarked = false
            write(connection)
        }
        timer?.arm(at: exchange.nextDeadline)
    }

    /// Acts on what the sessions told, and on what they tell then.
    private func hear() {
        repeat {
            handleEvents()
            exchange.resume(at: reactor.now)
        } while exchange.isPaused
    }

    private func handleEvents() {
        for event in exchange.takeEvents() {
            switch event {
            case .established(let id, let link, let hello): established(id, link, hello)
            case .ended(let id, let link, let error, let wasEstablished): ended(id, link, error, wasEstablished)
            case .meshMessage(let link, let message):
                if let neighbour = neighbours[link] { owner?.meshMessage(message, from: neighbour.name) }
            }
        }
    }

    private func established(_ id: SessionID, _ link: LinkIndex, _ hello: Hello) {
        guard let connection = connections[id.number], let peer = connection.peer else { return }
        // Certificates name nodes, not roles: only a link configured with a relay makes a relay of a peer, so that an
        // agent cannot take part in routing.
        guard hello.kind != .relay || configuration.links.contains(where: { $0.peer == peer && $0.role == .relay })
        else {
            log.warning(
                "link.not-allowed", "the peer says it is a relay, and this node's links say it is none",
                ["peer": peer])
            return exchange.leave(id, .notAllowed, at: reactor.now)
        }
        while neighbours.count <= link { neighbours.append(nil) }
        let neighbour = Neighbour(
            name: peer, id: NodeID(of: peer), kind: hello.kind, link: link, isUp: true,
            dialledByUs: connection.target != nil, since: reactor.now, software: hello.software, reason: "")
        neighbours[link] = neighbour
        // A failure after this is news again.
        connection.target?.lastReason = ""
        log.info(
            "link.up", "a link is up",
            ["peer": peer, "kind": hello.kind, "dialled": connection.target == nil ? "by peer" : "by us"])
        owner?.linkEstablished(link, neighbour)
    }

    private func ended(_ id: SessionID, _ link: LinkIndex, _ error: SessionError, _ wasEstablished: Bool) {
        let connection = connections[id.number]
        let peer = (connection?.peer ?? peers[link])?.description ?? "unknown"
        connection?.target?.lastReason = error.description
        if wasEstablished, link < neighbours.count, var neighbour = neighbours[link], neighbour.isUp {
            neighbour.isUp = false
            if neighbour.reason.isEmpty { neighbour.reason = error.description }
            neighbours[link] = neighbour
            log.notice("link.down", "a link is down", ["peer": peer, "reason": neighbour.reason])
            owner?.linkEnded(link, neighbour)
        } else if !isStopping {
            log.warning("link.failed", "no session came about", ["peer": peer, "reason": error])
        }
        if let connection { finish(connection, id) }
    }

    /// Sends what the session still has to say, then closes.
    private func finish(_ connection: LinkConnection, _ id: SessionID) {
        guard let channel = connection.channel else { return }
        channel.close(flushing: exchange.takeOutput(id))
    }

    private func write(_ connection: LinkConnection) {
        guard let session = connection.session, let channel = connection.channel, channel.isOpen else { return }
        var written = 0
        while written < Self.writeBytes, exchange.hasOutput(session) {
            var taken = 0
            var offered = 0
            exchange.write(session) { bytes, hasMore in
                offered = bytes.count
                taken = channel.write(bytes, hasMore: hasMore)
                return taken
            }
            written += taken
            guard taken == offered else { return }
            exchange.drained(session, at: reactor.now)
        }
        channel.flush()
        if exchange.hasOutput(session) {
            reactor.afterTurn { [weak self, weak connection] in
                if let connection { self?.markForWriting(connection) }
            }
        }
    }

    // MARK: Stopping

    /// Takes no new connections and dials no more; sessions that stand go on.
    public func stopListening() {
        isStopping = true
        for listener in listeners { listener.close() }
        listeners = []
        for target in targets {
            target.isStopped = true
            if let timer = target.timer { reactor.cancel(timer) }
        }
    }

    /// Says farewell on every session. The reactor should run on for a moment so that it is heard.
    public func leaveAll() {
        for connection in connections {
            guard let session = connection?.session else { continue }
            exchange.leave(session, .stopping, at: reactor.now)
        }
        finishTurn()
    }

    public var hasConnections: Bool { connections.contains { $0?.channel != nil } }
}
