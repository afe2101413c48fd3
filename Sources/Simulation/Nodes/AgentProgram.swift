import AgentCore
import Envelope
import Journal
import Keyring
import Link
import Mesh

/// An agent's process: the machines that `agentd` runs, over the simulated network, disk, clocks, sources and sinks.
final class AgentProgram: Program {
    struct Settings: Sendable {
        var jobs: [SimulatedJob.Plan]
        var resendAfter: Duration
        var history = HistoryPacing()
        var segmentBytes = 256 << 10
        var storeBytes = 8 << 20
        var sinkFaults = SimulatedSink.Faults()
    }

    static let directory = "/agent"

    let host: Host
    let ledger: DataLedger
    private let carrier: Carrier
    private let settings: Settings
    private let dials: [NodeName]
    private let keychain: Keychain
    // Not checked for overlapping access when it runs, as `World` says.
    @exclusivity(unchecked) var machine: AgentMachine<SimulatedTrust>?
    /// As of the machine's last call.
    @exclusivity(unchecked) private var machineDeadline = Instant.never
    @exclusivity(unchecked) var gate: OutboxGate
    @exclusivity(unchecked) var jobs: [SimulatedJob] = []
    @exclusivity(unchecked) var sink: SimulatedSink?
    @exclusivity(unchecked) private(set) var links: LinkShell?
    @exclusivity(unchecked) private(set) var journal: JournalShell?
    /// When what the journal refused is handed over again.
    @exclusivity(unchecked) private var retryDue = Instant.never
    /// Streams that get no more and are not closed yet, and when that is tried.
    private var closing: [StreamID] = []
    @exclusivity(unchecked) private var closeDue = Instant.never

    init(
        _ host: Host, _ settings: Settings, dials: [NodeName], keychain: Keychain, ledger: DataLedger,
        _ carrier: Carrier
    ) {
        self.host = host
        self.settings = settings
        self.dials = dials
        self.keychain = keychain
        self.ledger = ledger
        self.carrier = carrier
        gate = OutboxGate(machineBoot: host.boot)
    }

    func start() throws {
        if try host.disk.attributes(of: Self.directory) == nil {
            try host.disk.createDirectory(Self.directory, permissions: 0o700)
        }
        // As `Platform.Files` does it: a start that was killed may have made it and not made that durable.
        try host.disk.synchronizeDirectory("/")
        let identity = Identity.id(of: host.name)
        machine = AgentMachine(
            identity: identity, machineBoot: host.boot, trust: SimulatedTrust(name: host.name),
            resendAfter: settings.resendAfter, receiptStream: StreamID(randomID()))
        machine?.set(
            Overtaking(
                jobs: Set(settings.jobs.filter(\.habits.freshFirst).map(\.name)), after: settings.history.after),
            at: host.now)
        let ahead = settings.jobs.compactMap { job in job.habits.readAhead.map { (job.name, $0) } }
        machine?.set(readAhead: Dictionary(ahead, uniquingKeysWith: { first, _ in first }))
        var forwarder = Forwarder(
            Forwarder.Configuration(memoryBytes: 1 << 20, history: settings.history, hasStore: false),
            locals: [identity], policy: .open)
        forwarder.setRoutes(RouteTable(always: dials.map { Identity.id(of: $0) }))
        let links = LinkShell(
            host, Exchange(node: host.name, kind: .agent, software: "simulated", forwarder: forwarder), dials: dials,
            identify: { Identity.id(of: $0) })
        links.owner = self
        self.links = links
        let options = AgentMachine<SimulatedTrust>.logOptions(
            segmentBytes: settings.segmentBytes, maxBytes: settings.storeBytes, entropy: host.random.next())
        journal = try JournalShell(host, directory: Self.directory + "/outbox", options) { record in
            machine?.recover(record, &links.exchange, at: host.now)
        }
        gate.isOpen = true
        drive { machine, _, batch in machine.recovered(&batch) }
        sink = SimulatedSink(host, keychain, ledger, faults: settings.sinkFaults)
        for plan in settings.jobs { begin(plan) }
        for job in jobs { host.trace("begins at record", job.next, UInt64(machine?.envelopesKept ?? 0)) }
        drive { machine, exchange, batch in machine.settle(&exchange, &batch, at: host.now) }
        links.timeReached()
    }

    private func begin(_ plan: SimulatedJob.Plan) {
        jobs.append(
            SimulatedJob(
                plan, from: machine?.checkpoint(of: plan.name), behind: machine?.unreceiptedEnds(of: plan.name) ?? [],
                host, keychain, ledger, owner: self))
    }

    func randomID() -> Bytes16 { Bytes16(low: host.random.next(), high: host.random.next()) }

    // MARK: The machine

    /// Lends the machine the exchange and a batch for the journal, then acts on what it noticed.
    func drive(_ body: (inout AgentMachine<SimulatedTrust>, inout Exchange, inout JournalBatch) -> Void) {
        guard let links, machine != nil else { return }
        var batch = JournalBatch()
        body(&machine!, &links.exchange, &batch)
        machineDeadline = machine?.nextDeadline ?? .never
        journal?.submit { $0.take(&batch) }
        for fact in machine!.takeFacts() { act(on: fact) }
    }

    private func act(on fact: AgentFact) {
        switch fact {
        case .deliver(let arrival): sink?.take(arrival)
        case .damaged: host.fail("an arrival is no envelope, though nothing damages what is under way")
        case .forgedReceipt(let source): host.fail("a receipt of \(source) is not genuine")
        case .receipted(let stream, let job, let mark, let floor):
            jobs.first { $0.plan.name == job }?.receipted(stream, through: mark, floor: floor)
        case .submissionRefused(let token, _):
            if gate.refuse(token) { retryDue = min(retryDue, host.now + Limits.storeRetry) }
        case .expired: host.fail("an envelope expired, though its life is longer than the run")
        case .checkpointUnreadable: host.fail("a short checkpoint was not in the replay")
        case .unreadableRecord(let lsn): host.trace("unreadable record", lsn.number)
        case .readFailed(let lsn, _): host.trace("read failed", lsn.number)
        case .outboxStalled: host.trace("outbox stalled")
        case .outboxResumed: host.trace("outbox resumed")
        case .copied(_, _, let copy): carrier.put(copy)
        case .fellBehind(let stream):
            host.trace("falls behind", stream.value.low & 0xFFFF)
            for job in jobs { job.fellBehind(stream) }
        case .ended(let stream, let job): jobs.first { $0.plan.name == job }?.ended(stream)
        case .expiryNotice, .stored, .checkpointRead, .ahead: break
        }
    }

    // MARK: Jobs

    private func runJobs() {
        for job in jobs where job.due <= host.now { job.goOn() }
    }

    /// Streams that get no more are forgotten once all of them is receipted.
    private func closeStreams() {
        closeDue = .never
        for stream in closing where !gate.holdsAny(of: stream) {
            drive { machine, exchange, batch in machine.close(stream, &exchange, &batch, at: host.now) }
        }
        closing.removeAll { !gate.holdsAny(of: $0) }
        if !closing.isEmpty { closeDue = host.now + .milliseconds(100) }
    }

    private func retry() {
        retryDue = .never
        journal?.submit { batch in
            if gate.retryAll(&batch, at: host.now) { retryDue = host.now + Limits.storeRetry }
        }
    }

    // MARK: Calls

    func connected(_ id: ConnectionID, to peer: NodeName, dialled: Bool) {
        links?.connected(id, to: peer, dialled: dialled)
    }

    func dialFailed(_ peer: NodeName, _ failure: DialFailure) { links?.dialFailed(peer) }
    func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) { links?.received(id, bytes) }
    func writable(_ id: ConnectionID) { links?.writable(id) }
    func closed(_ id: ConnectionID) { links?.closed(id) }

    func timeReached() {
        if machineDeadline <= host.now {
            drive { machine, exchange, batch in
                machine.timeReached(host.now, wall: host.wall, &exchange, &batch)
            }
        }
        if retryDue <= host.now { retry() }
        runJobs()
        if closeDue <= host.now { closeStreams() }
        links?.timeReached()
    }

    var nextDeadline: Instant {
        var deadline = min(machineDeadline, retryDue, closeDue, links?.nextDeadline ?? .never)
        for job in jobs { deadline = min(deadline, job.due) }
        return deadline
    }

    func operationFinished(_ token: UInt64) {
        if token == JournalShell.token {
            guard let journal else { return }
            let completions = journal.finished()
            if !completions.isEmpty {
                drive { machine, exchange, batch in
                    machine.complete(completions, &exchange, &batch, at: host.now, taking: { gate.take($0) })
                }
            }
            journal.goOn()
        } else if token == Carrier.token {
            visit(carrier)
        } else if let outcomes = sink?.operationFinished(token), !outcomes.isEmpty {
            drive { machine, exchange, _ in machine.take(outcomes, &exchange, at: host.now) }
        }
        links?.finishTurn()
    }

    func state(_ ledger: DataLedger) -> String {
        let jobs = jobs.map { job in
            "\(job.plan.name): read \(job.next), \(ledger.applied(of: job.plan.number)) of \(job.plan.records) applied"
        }
        return "\(machine?.envelopesKept ?? -1) envelopes without receipt, journal "
            + (journal?.isIdle == true ? "idle" : "busy") + "; " + jobs.joined(separator: ", ")
            + "; " + (links?.state ?? "no links")
    }

    /// Nothing is left to do here.
    var isSettled: Bool {
        machine?.envelopesKept == 0 && jobs.allSatisfy(\.isDone) && (journal?.isIdle ?? false)
    }
}

extension AgentProgram: SimulatedJobOwner {
    var hasRoom: Bool { gate.hasRoom }

    func isAhead(_ job: String) -> Bool { machine?.isAhead(job) ?? false }

    func submit(_ submission: Submission) {
        journal?.submit { batch in
            if gate.submit(submission, &batch, at: host.now).needsRetry {
                retryDue = min(retryDue, host.now + Limits.storeRetry)
            }
        }
    }

    func close(_ stream: StreamID) {
        closing.append(stream)
        closeDue = min(closeDue, host.now)
    }
}

extension AgentProgram: LinkShellOwner {
    func linkUp(_ link: LinkIndex, _ peer: NodeName, _ kind: NodeKind, dialledByUs: Bool) {
        drive { machine, _, _ in machine.linkReturned() }
    }
    func linkDown(_ peer: NodeName) {}
    func meshMessage(_ message: [UInt8], from peer: NodeName) {}

    func perform(_ effects: [Effect]) {
        drive { machine, exchange, batch in machine.perform(effects, &exchange, &batch, at: host.now) }
        guard let outcomes = sink?.takeOutcomes(), !outcomes.isEmpty else { return }
        drive { machine, exchange, _ in machine.take(outcomes, &exchange, at: host.now) }
    }
}
