import AgentCore
import Crypto
import Envelope
import Journal
import Keyring
import Link
import Mesh
import Node
import Platform

/// An agent: collects from sources, seals, keeps what it has sent until the receipt; opens what arrives and brings
/// it to sinks, each batch once.
public final class AgentService: DaemonService {
    let reactor: Reactor
    let identity: NodeIdentity
    let log: Log
    let admin: any AdminEndpoint
    let connectors: any ConnectorMaking
    let trust: CertificateTrust
    let hub: LinkHub
    let keys: KeyRing
    let birth = Birth()
    let port = OutboxPort()
    var configuration: NodeConfiguration
    var machine: AgentMachine<CertificateTrust>
    var journal: JournalThread?
    var jobs: [JobRunner] = []
    var sinks: [(configuration: SinkConfiguration, worker: SinkWorker)] = []
    var inbox: Inbox?
    var mailbox: SinkWorker?
    let quarantine: Quarantine
    let damages: DamageClerk
    let desk: QuarantineDesk
    let mailboxLayout: MailboxLayout
    let streamsFile: StreamsFile
    /// The ledger as it was saved last.
    var savedRevision: UInt64 = 0
    var saveIsScheduled = false
    /// Streams being made in this process, by id.
    var handles: [StreamID: StreamHandle] = [:]
    /// Makers of messages sent by hand, by destination and lane.
    var messengers: [String: EnvelopeMaker] = [:]
    var waiters = MessageWaiters()
    var retryIsScheduled = false
    var startedJobs: Set<String> = []
    /// How many runners of a job were taken out of the configuration and still run their last batch.
    var retiring: [String: Int] = [:]
    var forgedReceipts: UInt64 = 0
    var copyDesk = CopyDesk()
    var isStopping = false
    var lastReload: ReloadReport?
    private var timer: DeadlineTimer?

    public init(_ start: DaemonStart, connectors: any ConnectorMaking) throws {
        reactor = start.reactor
        configuration = start.configuration
        identity = start.identity
        log = start.log
        admin = start.admin
        self.connectors = connectors
        trust = CertificateTrust(identity)
        keys = KeyRing(try Keychain.load(start.configuration))
        machine = AgentMachine(
            identity: identity.id, machineBoot: .currentBoot, trust: trust, resendAfter: configuration.resendAfter,
            receiptStream: StreamID(Entropy.bytes16()))
        let directory = start.configuration.store.directory
        try Files.createDirectory(directory)
        quarantine = try Quarantine(directory: directory + "/quarantine", log: log)
        damages = DamageClerk(quarantine)
        desk = QuarantineDesk(quarantine, keys: keys, log: log)
        mailboxLayout = MailboxLayout(directory: directory + "/mailbox")
        streamsFile = StreamsFile(directory: directory, log: log)
        var routes = Forwarder(Forwarder.Configuration(configuration), locals: [identity.id], policy: .open)
        routes.setRoutes(RouteTable(always: configuration.links.map { NodeID(of: $0.peer) }))
        hub = LinkHub(
            reactor, configuration, identity: identity, kind: .agent, forwarder: routes, carriers: start.carriers,
            log: log)
        hub.owner = self
        timer = DeadlineTimer(reactor) { [unowned self] in self.timeReached() }
    }

    public func start() throws {
        machine.ledger = streamsFile.load()
        try streamsFile.start()
        try openJournal()
        try damages.start()
        try startSinks()
        try prepareJobs(configuration)
        try hub.start()
        hub.forecast { [unowned self] in self.journal?.usage.liveBytes ?? 0 }
        let bound = reactor.bind(self)
        try admin.start(configuration) { [quarantine, desk] request in
            Self.answer(request, bound, quarantine, desk)
        }
        startJobs()
        settle()
    }

    // MARK: Time

    private func timeReached() {
        let now = reactor.now
        drive { machine, exchange, batch in machine.timeReached(now, wall: Clock.wall, &exchange, &batch) }
        hub.finishTurn()
    }

    /// Carries out what the outbox wants and sets the alarm.
    func settle() {
        let now = reactor.now
        drive { machine, exchange, batch in machine.settle(&exchange, &batch, at: now) }
        hub.finishTurn()
    }

    /// What leaves, or arrives, moves the next deadline; so this follows every use of the machine.
    func armTimer() { timer?.arm(at: machine.nextDeadline) }

    // MARK: Stopping

    /// How long jobs and sinks may take to end. One that a source or a sink holds longer is left behind: whatever it
    /// does then has no effect that a restart would not know of.
    static let stopPatience: Duration = .seconds(10)

    /// Jobs end after their batch, sinks after their commit; what is in the outbox is durable anyway.
    public func stop(_ done: @escaping () -> Void) {
        isStopping = true
        hub.stopListening()
        hub.exchange.forwarder.beginDraining(at: reactor.now)
        port.close()
        waiters.dismissAll()
        copyDesk.dismissAll()
        for job in jobs { job.stop() }
        let bound = reactor.bind(self)
        let parts = (jobs: jobs, sinks: allSinks, inbox: inbox, admin: admin, log: log, damages: damages)
        let finish = reactor.bind(done)
        // Joining blocks, so it is done beside the reactor, which meanwhile carries the last words of custody.
        let joined: @Sendable () -> Void = {
            parts.inbox?.stop()
            for sink in parts.sinks { sink.stop() }
            let until = Clock.now + Self.stopPatience
            let late =
                parts.jobs.filter { !$0.join(within: until - Clock.now) }.map { "job \($0.configuration.name)" }
                + parts.sinks.filter { !$0.join(within: until - Clock.now) }.map { "sink \($0.settings.name)" }
            if !late.isEmpty {
                parts.log.warning("stop.late", "left behind, it does not answer", ["who": late.joined(separator: ", ")])
            }
            parts.damages.stop()
            // Its handlers ask the reactor, so it is stopped beside it too.
            parts.admin.stop()
            bound.post { $0.leave(finish) }
        }
        do throws(ThreadError) { try Threads.start(name: "stopping", joined) } catch { joined() }
    }

    var allSinks: [SinkWorker] { sinks.map(\.worker) + [mailbox].compactMap { $0 } }

    private func leave(_ done: ReactorBound<() -> Void>) {
        let now = reactor.now
        drive { machine, exchange, _ in machine.sendLastReceipts(wall: Clock.wall, &exchange, at: now) }
        settle()
        hub.leaveAll()
        let until = reactor.now + .seconds(2)
        func finish() {
            guard hub.hasConnections, reactor.now < until else {
                journal?.stop()
                saveStreams()
                streamsFile.stop()
                return done.value()
            }
            reactor.schedule(after: .milliseconds(5), finish)
        }
        finish()
    }
}
