import Crypto
import Envelope
import Journal
import Link
import Mesh
import Node
import Platform

/// A relay: forwards, stores, and tells the mesh of its links and of the nodes attached to it.
public final class RelayService: DaemonService {
    let reactor: Reactor
    let identity: NodeIdentity
    let log: Log
    let admin: any AdminEndpoint
    let hub: LinkHub
    let trust: CertificateTrust
    let birth = Birth()
    let boot = Bytes16.currentBoot
    var configuration: NodeConfiguration
    var flows: FlowTable
    var router: Router<CertificateTrust>
    var store: JournalThread?
    var routesAreStale = true
    var isStopping = false
    var lastReload: ReloadReport?
    private var routerTimer: DeadlineTimer?
    private var stopDeadline = Instant.never

    public init(_ start: DaemonStart) throws {
        reactor = start.reactor
        configuration = start.configuration
        identity = start.identity
        log = start.log
        admin = start.admin
        flows = try FlowTable(start.configuration)
        let number = try BootNumber.next(in: configuration.store.directory)
        trust = CertificateTrust(identity)
        router = Router(
            local: identity.name, boot: number, trust: trust, wall: Clock.wall,
            at: reactor.now, identify: { NodeID(ofText: $0) })
        let forwarder = Forwarder(
            Forwarder.Configuration(configuration), locals: [identity.id], policy: router.policy(flows))
        hub = LinkHub(
            reactor, configuration, identity: identity, kind: .relay, forwarder: forwarder, log: log)
        hub.owner = self
        routerTimer = DeadlineTimer(reactor) { [unowned self] in self.routerTimeReached() }
    }

    public func start() throws {
        try openStore()
        try hub.start()
        route { router, sink in
            router.describeSelf(
                softwareVersion: Software.version, listenPorts: hub.ports, at: reactor.now, into: &sink)
        }
        let bound = reactor.bind(self)
        try admin.start(socket: configuration.adminSocket) { request in Self.answer(request, bound) }
    }

    /// Links, costs, attach list and flows change at once; the rest needs a restart and says so.
    public func reload(_ new: NodeConfiguration) throws {
        let stuck = configuration.keysNeedingRestart(new)
        guard stuck.isEmpty else { throw ReloadError.needsRestart(stuck) }
        guard !isStopping else { throw ReloadError.stopping }
        let renewed = try NodeIdentity.load(new.identity, expecting: new.node)
        flows = try FlowTable(new)
        configuration = new
        trust.renew(renewed)
        hub.renew(renewed)
        hub.apply(new)
        hub.exchange.forwarder.setPolicy(router.policy(flows), at: reactor.now)
        refreshCosts()
        lastReload = ReloadReport(at: Clock.wall, ok: true)
    }

    public func reloadFailed(_ reason: String) {
        lastReload = ReloadReport(at: Clock.wall, ok: false, error: reason)
    }

    private func refreshCosts() {
        for case let neighbour? in hub.neighbours where neighbour.isUp {
            route { router, sink in
                router.linkUp(
                    peer: neighbour.name, kind: neighbour.kind, cost: hub.cost(of: neighbour.name),
                    dialledByUs: neighbour.dialledByUs, at: reactor.now, into: &sink)
            }
        }
    }

    // MARK: Stopping

    /// Takes nothing new, brings what is unsafe into the store, says farewell.
    public func stop(_ done: @escaping () -> Void) {
        isStopping = true
        stopDeadline = reactor.now + .seconds(10)
        hub.stopListening()
        hub.exchange.forwarder.beginDraining(at: reactor.now)
        hub.finishTurn()
        awaitSafety(done)
    }

    private func awaitSafety(_ done: @escaping () -> Void) {
        guard hub.exchange.forwarder.owesCustody, reactor.now < stopDeadline else { return leave(done) }
        reactor.schedule(after: .milliseconds(5)) { [self] in awaitSafety(done) }
    }

    private func leave(_ done: @escaping () -> Void) {
        hub.leaveAll()
        let until = reactor.now + .seconds(2)
        func finish() {
            guard hub.hasConnections, reactor.now < until else { return end(done) }
            reactor.schedule(after: .milliseconds(5), finish)
        }
        finish()
    }

    /// The admin server's handlers ask the reactor, so it is stopped beside it.
    private func end(_ done: @escaping () -> Void) {
        let bound = reactor.bind((self, done))
        let admin = admin
        let stopped: @Sendable () -> Void = {
            admin.stop()
            bound.post { relay, done in
                relay.store?.stop()
                done()
            }
        }
        do throws(ThreadError) { try Threads.start(name: "stopping", stopped) } catch { stopped() }
    }

    // MARK: Routing

    /// Runs the router and carries out what it wants.
    func route(_ body: (inout Router<CertificateTrust>, inout RouterEffects) -> Void) {
        var effects = RouterEffects()
        body(&router, &effects)
        for (message, peer) in effects.messages {
            if let link = hub.exchange.forwarder.linkNumber(of: NodeID(of: peer)) {
                hub.exchange.sendMesh(message, on: link)
            }
        }
        for alarm in effects.alarms { raise(alarm) }
        if effects.routesDidChange || routesAreStale {
            routesAreStale = false
            hub.exchange.forwarder.setPolicy(router.policy(flows), at: reactor.now)
            hub.exchange.forwarder.setRoutes(router.routes)
        }
        routerTimer?.arm(at: router.nextDeadline)
    }

    private func raise(_ alarm: RouterAlarm) {
        log.warning("mesh.alarm", alarm.description)
        if case .ownHigherAdvertisement(_, let boot, _) = alarm {
            do { try BootNumber.save(boot, in: configuration.store.directory) } catch {
                log.error("boot.unsaved", "the boot number cannot be stored: \(error)")
            }
        }
    }

    private func routerTimeReached() {
        updateStatistics()
        route { router, sink in
            router.setWallTime(Clock.wall, at: reactor.now)
            router.timeReached(reactor.now, into: &sink)
        }
        hub.finishTurn()
    }

    /// What the next advertisement says of queues and round trips.
    func updateStatistics() {
        let now = reactor.now
        let figures = hub.exchange.forwarder.linkFigures(at: now)
        for case let neighbour? in hub.neighbours {
            let figure = figures[neighbour.link]
            router.updateStatistics(
                peer: neighbour.name,
                Advertisement.Statistics(
                    roundTrip: hub.exchange.roundTrip(of: neighbour.link) ?? .zero,
                    bytesQueued: UInt64(figure.bytes), envelopesQueued: UInt64(figure.envelopes),
                    oldestAge: figure.oldestAge))
        }
        let holdings = hub.exchange.forwarder.holdings
        let usage = store?.usage
        router.updateHoldings(
            Advertisement.Holdings(
                parkedEnvelopes: UInt64(holdings.parked), parkedBytes: UInt64(holdings.parkedBytes),
                storedEnvelopes: UInt64(usage?.records ?? 0), storedBytes: UInt64(usage?.liveBytes ?? 0)))
    }
}

/// Gathers what a router wants done.
struct RouterEffects: RouterSink {
    var messages: [(message: [UInt8], peer: NodeName)] = []
    var alarms: [RouterAlarm] = []
    var routesDidChange = false

    mutating func send(_ message: [UInt8], to peer: NodeName) { messages.append((message, peer)) }
    mutating func routesChanged() { routesDidChange = true }
    mutating func alarm(_ alarm: RouterAlarm) { alarms.append(alarm) }
}

extension RelayService: LinkHubOwner {
    public func linkEstablished(_ link: LinkIndex, _ neighbour: Neighbour) {
        route { router, sink in
            router.linkUp(
                peer: neighbour.name, kind: neighbour.kind, cost: hub.cost(of: neighbour.name),
                dialledByUs: neighbour.dialledByUs, at: reactor.now, into: &sink)
        }
    }

    public func linkEnded(_ link: LinkIndex, _ neighbour: Neighbour) {
        route { router, sink in router.linkDown(peer: neighbour.name, at: reactor.now, into: &sink) }
    }

    public func meshMessage(_ message: [UInt8], from neighbour: NodeName) {
        route { router, sink in
            do throws(LinkStateError) {
                try router.receive(message, from: neighbour, at: reactor.now, into: &sink)
            } catch {
                log.warning(
                    "mesh.bad-message", "a neighbour sent a link-state message that is none",
                    ["peer": neighbour, "reason": error])
            }
        }
    }
}
