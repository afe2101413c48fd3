import Envelope
import Journal
import Link
import Mesh

/// What a relay decides, as a machine without I/O: routing for its exchange, and a journal for what the exchange holds.
///
/// The owner keeps the ``Exchange``, which its connections feed, and lends it for each call; it gives what is put into
/// the batch to the relay's journal and the journal's answers to ``complete(_:_:at:)``.
///
/// Invariants:
/// - custody of an instance is passed upstream only on the journal's word, the next hop's, or its end of life;
/// - each stored record is released once its instance needs it no more, and never before;
/// - the exchange's flows and routes are those of the router's last word.
public struct RelayMachine<Trust: AdvertisementTrust & ReceiptVerifier>: ~Copyable {
    public private(set) var router: Router<Trust>
    private var flows: FlowTable
    let trust: Trust
    /// Id of the machine's boot: ages go on over a restart of the process within it.
    private let machineBoot: Bytes16
    /// Who is or was at each link, by link index.
    private var names: [NodeName?] = []
    private var routesAreStale = true
    private var facts: [RelayFact] = []
    var notices = ExpiryNotices()
    /// What was the time when the owner last said it, for the headers of notices.
    private(set) var wall: WallTime
    /// Envelopes carried here that are being stored, by ticket.
    var carried: [UInt64: Carried] = [:]
    var lastTicket: UInt64 = 0

    /// - Parameters:
    ///   - boot: number of this start, durable before it is used; see ``Router``.
    ///   - machineBoot: see ``StoredEnvelope``.
    public init(
        local: NodeName, boot: UInt64, machineBoot: Bytes16, flows: FlowTable, trust: Trust, wall: WallTime,
        at now: Instant, identify: @escaping Router<Trust>.Identify
    ) {
        router = Router(local: local, boot: boot, trust: trust, wall: wall, at: now, identify: identify)
        self.flows = flows
        self.trust = trust
        self.machineBoot = machineBoot
        self.wall = wall
    }

    /// The forwarder of a relay: it answers to its own name alone and permits what the flows say.
    public func makeForwarder(_ configuration: Forwarder.Configuration) -> Forwarder {
        Forwarder(configuration, locals: [router.localID], policy: router.policy(flows))
    }

    public mutating func takeFacts() -> [RelayFact] {
        var taken: [RelayFact] = []
        swap(&taken, &facts)
        return taken
    }

    public var nextDeadline: Instant { router.nextDeadline }

    /// `zone/name` where the mesh knows it, else hexadecimal.
    public func name(of node: NodeID) -> String { router.nodeName(of: node)?.description ?? node.description }

    mutating func note(_ fact: RelayFact) { facts.append(fact) }

    var boot: Bytes16 { machineBoot }
}

// MARK: Routing

extension RelayMachine {
    public mutating func describeSelf(
        softwareVersion: String, listenPorts: [UInt16], _ exchange: inout Exchange, at now: Instant
    ) {
        route(&exchange, at: now) { router, sink in
            router.describeSelf(softwareVersion: softwareVersion, listenPorts: listenPorts, at: now, into: &sink)
        }
    }

    /// A session with a neighbour stands, or its cost changed.
    public mutating func linkUp(
        _ link: LinkIndex, _ peer: NodeName, _ kind: NodeKind, cost: UInt16, dialledByUs: Bool,
        _ exchange: inout Exchange, at now: Instant
    ) {
        while names.count <= link { names.append(nil) }
        names[link] = peer
        route(&exchange, at: now) { router, sink in
            router.linkUp(peer: peer, kind: kind, cost: cost, dialledByUs: dialledByUs, at: now, into: &sink)
        }
    }

    public mutating func linkDown(_ peer: NodeName, _ exchange: inout Exchange, at now: Instant) {
        route(&exchange, at: now) { router, sink in router.linkDown(peer: peer, at: now, into: &sink) }
    }

    /// A neighbour's message about the mesh.
    public mutating func receive(
        _ message: [UInt8], from peer: NodeName, _ exchange: inout Exchange, at now: Instant
    ) {
        var refusal: LinkStateError?
        route(&exchange, at: now) { router, sink in
            do throws(LinkStateError) { try router.receive(message, from: peer, at: now, into: &sink) } catch {
                refusal = error
            }
        }
        if let refusal { note(.badMessage(from: peer, refusal)) }
    }

    /// Names that came with envelopes carried by hand; see ``Router/learn(_:at:into:)``.
    public mutating func learn(_ names: [NodeName], _ exchange: inout Exchange, at now: Instant) {
        route(&exchange, at: now) { router, sink in router.learn(names, at: now, into: &sink) }
    }

    /// Other flows from now on.
    public mutating func setFlows(_ flows: FlowTable, _ exchange: inout Exchange, at now: Instant) {
        self.flows = flows
        exchange.forwarder.setPolicy(router.policy(flows), at: now)
    }

    /// - Parameter usage: of the relay's journal.
    public mutating func timeReached(
        _ now: Instant, wall: WallTime, usage: LogUsage, _ exchange: inout Exchange
    ) {
        #if CANARIES
            exchange.forwarder.plantedClock(wall)
        #endif
        self.wall = wall
        updateStatistics(usage, exchange, at: now)
        route(&exchange, at: now) { router, sink in
            router.setWallTime(wall, at: now)
            router.timeReached(now, into: &sink)
        }
    }

    /// What the next advertisement says of queues, round trips and the store.
    public mutating func updateStatistics(_ usage: LogUsage, _ exchange: borrowing Exchange, at now: Instant) {
        let figures = exchange.forwarder.linkFigures(at: now)
        for (link, name) in names.enumerated() {
            guard let name else { continue }
            let figure = figures[link]
            router.updateStatistics(
                peer: name,
                Advertisement.Statistics(
                    roundTrip: exchange.roundTrip(of: link) ?? .zero, bytesQueued: UInt64(figure.bytes),
                    envelopesQueued: UInt64(figure.envelopes), oldestAge: figure.oldestAge))
        }
        let holdings = exchange.forwarder.holdings
        router.updateHoldings(
            Advertisement.Holdings(
                parkedEnvelopes: UInt64(holdings.parked), parkedBytes: UInt64(holdings.parkedBytes),
                storedEnvelopes: UInt64(usage.records), storedBytes: UInt64(usage.liveBytes)))
    }

    /// Runs the router and carries out what it wants.
    private mutating func route(
        _ exchange: inout Exchange, at now: Instant, _ body: (inout Router<Trust>, inout RouterEffects) -> Void
    ) {
        var effects = RouterEffects()
        body(&router, &effects)
        for (message, peer) in effects.messages {
            if let link = exchange.forwarder.linkNumber(of: router.identity(of: peer)) {
                exchange.sendMesh(message, on: link)
            }
        }
        for alarm in effects.alarms {
            note(.alarm(alarm))
            if case .ownHigherAdvertisement(_, let boot, _) = alarm { note(.bootRaised(to: boot)) }
        }
        guard effects.routesDidChange || routesAreStale else { return }
        routesAreStale = false
        exchange.forwarder.setPolicy(router.policy(flows), at: now)
        exchange.forwarder.setRoutes(router.routes)
    }
}

/// Gathers what a router wants done.
private struct RouterEffects: RouterSink {
    var messages: [(message: [UInt8], peer: NodeName)] = []
    var alarms: [RouterAlarm] = []
    var routesDidChange = false

    mutating func send(_ message: [UInt8], to peer: NodeName) { messages.append((message, peer)) }
    mutating func routesChanged() { routesDidChange = true }
    mutating func alarm(_ alarm: RouterAlarm) { alarms.append(alarm) }
}
