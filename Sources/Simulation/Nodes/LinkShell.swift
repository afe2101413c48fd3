import Envelope
import Link
import Mesh

/// What a simulated node does for its links.
protocol LinkShellOwner: AnyObject {
    func linkUp(_ link: LinkIndex, _ peer: NodeName, _ kind: NodeKind, dialledByUs: Bool)
    func linkDown(_ peer: NodeName)
    func meshMessage(_ message: [UInt8], from peer: NodeName)
    func perform(_ effects: [Effect])
}

/// Joins an exchange to the simulated network, as `Node.LinkHub` joins one to sockets: dials for ever, feeds bytes in,
/// writes bytes out, keeps time.
final class LinkShell {
    private struct Connection {
        var id: ConnectionID
        var session: SessionID
        var peer: NodeName
        var isDialled: Bool
        var openedAt: Instant
        var isClosing = false
    }

    private struct Target {
        var peer: NodeName
        var backoff = Backoff.ofLinks
        /// A dial is under way or its connection stands.
        var isBusy = false
        var due = Instant.zero
    }

    let host: Host
    // Not checked for overlapping access when it runs, as `World` says.
    @exclusivity(unchecked) var exchange: Exchange
    /// The program that holds this shell, and outlives it. Not weak: every use of an object with weak references to it
    /// goes a longer way.
    unowned(unsafe) var owner: (any LinkShellOwner)?
    @exclusivity(unchecked) private var connections: [Connection] = []
    @exclusivity(unchecked) private var targets: [Target]
    /// Who is or was at each link, by link index.
    @exclusivity(unchecked) private var peers: [NodeName?] = []
    private let identify: (NodeName) -> NodeID

    init(_ host: Host, _ exchange: consuming Exchange, dials: [NodeName], identify: @escaping (NodeName) -> NodeID) {
        self.host = host
        self.exchange = exchange
        self.identify = identify
        targets = dials.map { Target(peer: $0) }
    }

    // MARK: What the network tells

    func connected(_ id: ConnectionID, to peer: NodeName, dialled: Bool) {
        let session = exchange.open(
            peer: identify(peer), name: peer, session: Bytes16(low: host.random.next(), high: host.random.next()),
            wall: host.wall, at: host.now)
        connections.append(
            Connection(id: id, session: session, peer: peer, isDialled: dialled, openedAt: host.now))
        if let link = exchange.forwarder.linkNumber(of: identify(peer)) {
            while peers.count <= link { peers.append(nil) }
            peers[link] = peer
        }
        finishTurn()
    }

    func dialFailed(_ peer: NodeName) {
        again(peer, lasted: .zero)
    }

    func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) {
        guard let place = place(of: id) else { return }
        exchange.receive(connections[place].session, bytes, at: host.now)
        finishTurn()
    }

    func writable(_ id: ConnectionID) { finishTurn() }

    func closed(_ id: ConnectionID) {
        guard place(of: id) != nil else { return }
        hear()
        // What was heard may have ended it.
        if let place = place(of: id) { drop(place) }
        finishTurn()
    }

    private func drop(_ place: Int) {
        let connection = connections.remove(at: place)
        exchange.close(connection.session, at: host.now)
        if connection.isDialled { again(connection.peer, lasted: host.now - connection.openedAt) }
    }

    private func place(of id: ConnectionID) -> Int? { connections.firstIndex { $0.id == id } }

    var state: String {
        let up = peers.compactMap { $0 }.filter { exchange.forwarder.isEstablished(identify($0)) }
        return "links up: \(up.map(\.description).joined(separator: " ")); queues: "
            + exchange.forwarder.queueFigures(at: host.now).map { "\($0)" }.joined(separator: " ")
    }

    // MARK: Dialling

    private func again(_ peer: NodeName, lasted: Duration) {
        guard let index = targets.firstIndex(where: { $0.peer == peer }) else { return }
        targets[index].isBusy = false
        targets[index].backoff.sessionEnded(after: lasted)
        targets[index].due = host.now + targets[index].backoff.next(random: host.random.next())
    }

    private func dialDue() {
        for index in targets.indices where !targets[index].isBusy && targets[index].due <= host.now {
            // The peer may have dialled us meanwhile; one session is enough, and a second would only replace it.
            if exchange.forwarder.isEstablished(identify(targets[index].peer)) {
                targets[index].due = host.now + targets[index].backoff.next(random: host.random.next())
                continue
            }
            targets[index].isBusy = true
            host.dial(targets[index].peer)
        }
    }

    // MARK: Turns

    func timeReached() {
        if exchange.nextDeadline <= host.now { exchange.timeReached(host.now) }
        dialDue()
        finishTurn()
    }

    var nextDeadline: Instant {
        var deadline = exchange.nextDeadline
        for index in targets.indices where !targets[index].isBusy { deadline = min(deadline, targets[index].due) }
        return deadline
    }

    /// Acts on what the sessions told, and on what they tell then.
    private func hear() {
        repeat {
            for event in exchange.takeEvents() { handle(event) }
        } while exchange.resume(at: host.now)
    }

    func finishTurn() {
        repeat {
            hear()
            let effects = exchange.takeEffects()
            if !effects.isEmpty { owner?.perform(effects) }
        } while exchange.settle(at: host.now)
        var place = 0
        while let id = exchange.nextWithOutput(from: &place) { write(id) }
    }

    /// - Precondition: the session has output.
    private func write(_ session: SessionID) {
        guard let place = connections.firstIndex(where: { $0.session == session }), !connections[place].isClosing else {
            return
        }
        let id = connections[place].id
        repeat {
            var isShort = false
            exchange.write(session) { bytes in
                let taken = host.write(id, bytes)
                isShort = taken < bytes.count
                return taken
            }
            guard !isShort else { return }
        } while exchange.drained(session, at: host.now)
    }

    private func handle(_ event: Exchange.Event) {
        switch event {
        case .established(let id, let link, let hello):
            guard let connection = connections.first(where: { $0.session == id }) else { return }
            owner?.linkUp(link, connection.peer, hello.kind, dialledByUs: connection.isDialled)
        case .ended(let id, let link, _, let wasEstablished):
            if wasEstablished, let peer = peers[link] { owner?.linkDown(peer) }
            finish(id)
        case .meshMessage(let link, let message):
            if let peer = peers[link] { owner?.meshMessage(message, from: peer) }
        }
    }

    /// Sends what the session still has to say, then closes.
    private func finish(_ session: SessionID) {
        guard let place = connections.firstIndex(where: { $0.session == session }) else { return }
        host.close(connections[place].id, flushing: exchange.takeOutput(session))
        drop(place)
    }
}
