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
    let boot = Bytes16.currentBoot
    let port = OutboxPort()
    var configuration: NodeConfiguration
    var outbox: Outbox
    var book = ReceiptBook()
    /// Numbers this agent's own receipts; a receipt stream begins with the process.
    let receiptStream = StreamID(Entropy.bytes16())
    var receiptSequence = Sequence(1)
    var journal: JournalThread?
    var jobs: [JobRunner] = []
    var sinks: [SinkWorker] = []
    var inbox: Inbox?
    var mailbox: SinkWorker?
    let quarantine: Quarantine
    let mailboxLayout: MailboxLayout
    /// Streams being made in this process, by id.
    var handles: [StreamID: StreamHandle] = [:]
    /// Durable envelopes that came before an earlier one of their stream.
    var early: [StreamID: [(Submission, LSN)]] = [:]
    /// Makers of messages sent by hand, by destination and lane.
    var messengers: [String: EnvelopeMaker] = [:]
    var waiters: [MessageWaiter] = []
    /// Checkpoints that must be read back before the jobs may start: job name by record.
    var checkpointReads: [UInt64: String] = [:]
    var retryIsScheduled = false
    var startedJobs: Set<String> = []
    /// Jobs that were taken out of the configuration and still run their last batch.
    var retiring: Set<String> = []
    var forgedReceipts: UInt64 = 0
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
        outbox = Outbox(resendAfter: start.configuration.resendAfter)
        let directory = start.configuration.store.directory
        try Files.createDirectory(directory)
        quarantine = try Quarantine(directory: directory + "/quarantine", log: log)
        mailboxLayout = MailboxLayout(directory: directory + "/mailbox")
        var routes = Forwarder(Forwarder.Configuration(configuration), locals: [identity.id], policy: .open)
        routes.setRoutes(RouteTable(always: configuration.links.map { NodeID(of: $0.peer) }))
        hub = LinkHub(reactor, configuration, identity: identity, kind: .agent, forwarder: routes, log: log)
        hub.owner = self
        timer = DeadlineTimer(reactor) { [unowned self] in self.timeReached() }
    }

    public func start() throws {
        try openJournal()
        try startSinks()
        try prepareJobs(configuration)
        try hub.start()
        let bound = reactor.bind(self)
        try admin.start(socket: configuration.adminSocket) { request in Self.answer(request, bound) }
        if checkpointReads.isEmpty { try startJobs() }
        settle()
    }

    // MARK: Time

    private func timeReached() {
        let now = reactor.now
        outbox.timeReached(now)
        sendReceipts(at: now)
        settle()
    }

    /// Carries out what the outbox wants and sets the alarm.
    func settle() {
        perform(outbox.takeEffects())
        hub.finishTurn()
        timer?.arm(at: min(outbox.nextDeadline, book.nextDeadline))
    }

    // MARK: Stopping

    /// Jobs end after their batch, sinks after their commit; what is in the outbox is durable anyway.
    public func stop(_ done: @escaping () -> Void) {
        isStopping = true
        hub.stopListening()
        hub.exchange.forwarder.beginDraining(at: reactor.now)
        port.close()
        for job in jobs { job.stop() }
        let bound = reactor.bind(self)
        let parts = (jobs: jobs, sinks: sinks + [mailbox].compactMap { $0 }, inbox: inbox)
        let finish = reactor.bind(done)
        // Joining blocks, so it is done beside the reactor, which meanwhile carries the last words of custody.
        let joined: @Sendable () -> Void = {
            for job in parts.jobs { job.join() }
            parts.inbox?.stop()
            for sink in parts.sinks { sink.stop() }
            for sink in parts.sinks { sink.join() }
            bound.post { $0.leave(finish) }
        }
        do throws(ThreadError) { try Threads.start(name: "stopping", joined) } catch { joined() }
    }

    private func leave(_ done: ReactorBound<() -> Void>) {
        sendReceipts(at: .never)
        settle()
        hub.leaveAll()
        let until = reactor.now + .seconds(2)
        func finish() {
            guard hub.hasConnections, reactor.now < until else {
                admin.stop()
                journal?.stop()
                return done.value()
            }
            reactor.schedule(after: .milliseconds(5), finish)
        }
        finish()
    }
}

/// Somebody who asked to be told when a message is durable here, or when it has been receipted.
struct MessageWaiter {
    enum Stage {
        case durable
        case receipted
    }

    var stage: Stage
    var stream: StreamID
    var sequence: Sequence
    var tell: @Sendable () -> Void
}
