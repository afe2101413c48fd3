import Crypto
import Envelope
import Journal
import Link
import Mesh
import Node
import Platform
import RelayCore

/// A relay: forwards, stores, and tells the mesh of its links and of the nodes attached to it. What it decides is in
/// its ``RelayCore/RelayMachine``; this gives the machine sockets, a journal's thread and a clock.
public final class RelayService: DaemonService {
    let reactor: Reactor
    let identity: NodeIdentity
    let log: Log
    let admin: any AdminEndpoint
    let hub: LinkHub
    let trust: CertificateTrust
    let birth = Birth()
    let quarantine: Quarantine
    let damages: DamageClerk
    var configuration: NodeConfiguration
    var machine: RelayMachine<CertificateTrust>
    var store: JournalThread?
    var isStopping = false
    var lastReload: ReloadReport?
    var copyDesk = CopyDesk()
    /// Of carriers that wait for their answers.
    var tallies: [CarriageTally] = []
    private let namesFile: NamesFile
    private var routerTimer: DeadlineTimer?
    private var stopDeadline = Instant.never

    public init(_ start: DaemonStart) throws {
        reactor = start.reactor
        configuration = start.configuration
        identity = start.identity
        log = start.log
        admin = start.admin
        try Files.createDirectory(configuration.store.directory)
        let number = try BootCounter(PosixFileSystem(), directory: configuration.store.directory).next()
        trust = CertificateTrust(identity)
        quarantine = try Quarantine(directory: configuration.store.directory + "/quarantine", log: log)
        damages = DamageClerk(quarantine)
        namesFile = NamesFile(directory: configuration.store.directory, log: log)
        let machine = RelayMachine(
            local: identity.name, boot: number, machineBoot: .currentBoot, flows: try FlowTable(start.configuration),
            trust: trust, wall: Clock.wall, at: reactor.now, identify: { NodeID(ofText: $0) })
        var forwarder = machine.makeForwarder(Forwarder.Configuration(configuration))
        forwarder.setQuotas(configuration.quotas)
        self.machine = machine
        hub = LinkHub(
            reactor, configuration, identity: identity, kind: .relay, forwarder: forwarder, carriers: start.carriers,
            log: log)
        hub.owner = self
        routerTimer = DeadlineTimer(reactor) { [unowned self] in self.routerTimeReached() }
    }

    var bootCounter: BootCounter<PosixFileSystem> {
        BootCounter(PosixFileSystem(), directory: configuration.store.directory)
    }

    public func start() throws {
        machine.learn(namesFile.load(), &hub.exchange, at: reactor.now)
        try openStore()
        try damages.start()
        try hub.start()
        hub.forecast { [unowned self] in self.usage.liveBytes }
        machine.describeSelf(
            softwareVersion: Software.version, listenPorts: hub.ports, &hub.exchange, at: reactor.now)
        settleMachine()
        let bound = reactor.bind(self)
        try admin.start(configuration) { [quarantine, namesFile] request in
            quarantine.answer(request) ?? Self.carry(request, bound, namesFile) ?? Self.answer(request, bound)
        }
    }

    /// Links, costs, attach list and flows change at once; the rest needs a restart and says so.
    public func reload(_ new: NodeConfiguration) throws {
        let stuck = configuration.keysNeedingRestart(new)
        guard stuck.isEmpty else { throw ReloadError.needsRestart(stuck) }
        guard !isStopping else { throw ReloadError.stopping }
        let renewed = try NodeIdentity.load(new.identity, expecting: new.node)
        let flows = try FlowTable(new)
        configuration = new
        trust.renew(renewed)
        hub.renew(renewed)
        hub.apply(new)
        hub.exchange.forwarder.setQuotas(new.quotas)
        machine.setFlows(flows, &hub.exchange, at: reactor.now)
        for case let neighbour? in hub.neighbours where neighbour.isUp { linkUp(neighbour) }
        lastReload = ReloadReport(at: Clock.wall, ok: true)
    }

    public func reloadFailed(_ reason: String) {
        lastReload = ReloadReport(at: Clock.wall, ok: false, error: reason)
    }

    // MARK: Stopping

    /// Takes nothing new, brings what is unsafe into the store, says farewell.
    public func stop(_ done: @escaping () -> Void) {
        isStopping = true
        stopDeadline = reactor.now + .seconds(10)
        dismissCarriers()
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
        let (admin, damages) = (admin, damages)
        let stopped: @Sendable () -> Void = {
            damages.stop()
            admin.stop()
            bound.post { relay, done in
                relay.store?.stop()
                done()
            }
        }
        do throws(ThreadError) { try Threads.start(name: "stopping", stopped) } catch { stopped() }
    }

    // MARK: The machine's word

    private func routerTimeReached() {
        machine.timeReached(reactor.now, wall: Clock.wall, usage: usage, &hub.exchange)
        settleMachine()
        hub.finishTurn()
    }

    var usage: LogUsage { store?.usage ?? LogUsage() }

    /// After every call of the machine: tells what it noticed and sets its alarm.
    func settleMachine() {
        for fact in machine.takeFacts() { tell(fact) }
        routerTimer?.arm(at: machine.nextDeadline)
    }

    private func linkUp(_ neighbour: Neighbour) {
        machine.linkUp(
            neighbour.link, neighbour.name, neighbour.kind, cost: hub.cost(of: neighbour.name),
            dialledByUs: neighbour.dialledByUs, &hub.exchange, at: reactor.now)
        settleMachine()
    }
}

extension RelayService: LinkHubOwner {
    public func linkEstablished(_ link: LinkIndex, _ neighbour: Neighbour) { linkUp(neighbour) }

    public func linkEnded(_ link: LinkIndex, _ neighbour: Neighbour) {
        machine.linkDown(neighbour.name, &hub.exchange, at: reactor.now)
        settleMachine()
    }

    public func meshMessage(_ message: [UInt8], from neighbour: NodeName) {
        machine.receive(message, from: neighbour, &hub.exchange, at: reactor.now)
        settleMachine()
    }

    public func perform(_ effects: [Effect]) {
        store?.submit { batch in machine.perform(effects, &hub.exchange, &batch, at: reactor.now) }
        settleMachine()
    }
}
