import Crypto
import Envelope
import Journal
import Keyring
import Mesh
import Node
import Platform

// Jobs and sinks: what is built from the configuration and runs on threads of its own.
extension AgentService {
    /// Everything in the configuration that only connectors can check.
    public static func check(_ configuration: NodeConfiguration, _ connectors: any ConnectorMaking) throws {
        for job in configuration.agent?.jobs ?? [] {
            _ = try Schedule(job.schedule)
            _ = try connectors.makeSource(job)
        }
        for sink in configuration.agent?.sinks ?? [] where sink.kind != "mailbox" { _ = try connectors.makeSink(sink) }
        _ = try Keychain.load(configuration)
    }

    // MARK: Jobs

    func prepareJobs(_ configuration: NodeConfiguration) throws {
        for job in configuration.agent?.jobs ?? [] { jobs.append(try makeJob(job)) }
    }

    func makeJob(_ job: JobConfiguration) throws -> JobRunner {
        let settings = EnvelopeMaker.Settings(
            job: job.name, destination: job.to, lane: job.lane, compression: job.compression,
            lifetime: UInt32(clamping: (job.lifetime ?? configuration.lifetime).components.seconds))
        return JobRunner(
            job, schedule: try Schedule(job.schedule), factory: try connectors.makeSource(job),
            maker: makeMaker(settings), log: log)
    }

    func makeMaker(_ settings: EnvelopeMaker.Settings) -> EnvelopeMaker {
        let bound = reactor.bind(self)
        return EnvelopeMaker(settings, source: identity.id, keys: keys, port: port) { handle in
            bound.post { $0.handles[handle.id] = handle }
        }
    }

    func startJobsWhenReady() {
        guard checkpointReads.isEmpty, !isStopping else { return }
        do { try startJobs() } catch { log.error("jobs.failed", "jobs cannot be started: \(error)") }
    }

    func startJobs() throws {
        for job in jobs where !startedJobs.contains(job.configuration.name) { try start(job) }
    }

    private func start(_ job: JobRunner) throws {
        let name = job.configuration.name
        startedJobs.insert(name)
        try job.start(
            from: outbox.checkpoint(of: name).map { Checkpoint($0) }, isSettled: outbox.isSettled(name))
    }

    // MARK: Sinks

    func startSinks() throws {
        let bound = reactor.bind(self)
        let report: @Sendable ([DeliveryOutcome]) -> Void = { outcomes in bound.post { $0.take(outcomes) } }
        let layout = mailboxLayout
        let mailbox = SinkWorker(
            name: "mailbox", factory: { () throws(ConnectorError) in try MailboxSink(layout) }, log: log, report: report
        )
        self.mailbox = mailbox
        try mailbox.start()
        let routes = try makeRoutes(configuration, mailbox, report)
        let inbox = Inbox(keys: keys, quarantine: quarantine, routes: routes, log: log, report: report)
        try inbox.start()
        self.inbox = inbox
    }

    private func makeRoutes(
        _ configuration: NodeConfiguration, _ mailbox: SinkWorker,
        _ report: @escaping @Sendable ([DeliveryOutcome]) -> Void
    ) throws -> SinkRoutes {
        var taken: [(configuration: SinkConfiguration, worker: SinkWorker)] = []
        for sink in configuration.agent?.sinks ?? [] {
            if sink.kind == "mailbox" {
                taken.append((sink, mailbox))
                continue
            }
            let worker = SinkWorker(
                name: sink.name, factory: try connectors.makeSink(sink), log: log, report: report)
            try worker.start()
            sinks.append(worker)
            taken.append((sink, worker))
        }
        var names: [NodeID: NodeName] = [:]
        for name in keys.current.peers { names[NodeID(of: name)] = name }
        return SinkRoutes(sinks: taken, names: names, mailbox: mailbox)
    }

    // MARK: Reload

    /// Keys, links, jobs and sinks change at once; the rest needs a restart and says so.
    public func reload(_ new: NodeConfiguration) throws {
        do {
            let stuck = configuration.keysNeedingRestart(new)
            guard stuck.isEmpty else { throw ReloadError.needsRestart(stuck) }
            try Self.check(new, connectors)
            keys.replace(with: try Keychain.load(new))
            inbox?.keysWereReplaced()
            let old = configuration
            configuration = new
            hub.exchange.forwarder.setRoutes(.init(always: new.links.map { NodeID(of: $0.peer) }))
            hub.apply(new)
            try reloadJobs(old, new)
            try reloadSinks(old, new)
            lastReload = ReloadReport(at: Clock.wall, ok: true)
        } catch {
            lastReload = ReloadReport(at: Clock.wall, ok: false, error: "\(error)")
            throw error
        }
    }

    public func reloadFailed(_ reason: String) {
        lastReload = ReloadReport(at: Clock.wall, ok: false, error: reason)
    }

    private func reloadJobs(_ old: NodeConfiguration, _ new: NodeConfiguration) throws {
        let before = old.agent?.jobs ?? []
        let after = new.agent?.jobs ?? []
        for job in jobs where !after.contains(job.configuration) { retire(job) }
        jobs.removeAll { !after.contains($0.configuration) }
        for job in after where !before.contains(job) {
            let runner = try makeJob(job)
            jobs.append(runner)
            // A retired job of the same name still runs its last batch; the new one begins where it ends.
            if !retiring.contains(job.name) { try start(runner) }
        }
    }

    private func retire(_ job: JobRunner) {
        let name = job.configuration.name
        retiring.insert(name)
        job.stop()
        let bound = reactor.bind(self)
        let joined: @Sendable () -> Void = {
            job.join()
            bound.post { $0.retired(name) }
        }
        do throws(ThreadError) { try Threads.start(name: "retiring", joined) } catch { joined() }
    }

    private func retired(_ name: String) {
        retiring.remove(name)
        startedJobs.remove(name)
        // What it handed over last must be durable before its checkpoint is read.
        guard port.isEmpty else {
            retiring.insert(name)
            reactor.schedule(after: .milliseconds(20)) { [weak self] in self?.retired(name) }
            return
        }
        startJobsWhenReady()
    }

    private func reloadSinks(_ old: NodeConfiguration, _ new: NodeConfiguration) throws {
        guard let mailbox, let inbox else { return }
        let bound = reactor.bind(self)
        let retired = sinks
        guard old.agent?.sinks != new.agent?.sinks else {
            return inbox.replace(try routesKeeping(retired, new, mailbox))
        }
        sinks = []
        // Envelopes a retired sink still holds come again from the relay: custody was never taken for them.
        for sink in retired { sink.stop() }
        inbox.replace(try makeRoutes(new, mailbox) { outcomes in bound.post { $0.take(outcomes) } })
    }

    private func routesKeeping(
        _ workers: [SinkWorker], _ configuration: NodeConfiguration, _ mailbox: SinkWorker
    ) throws -> SinkRoutes {
        var rest = workers[...]
        var taken: [(configuration: SinkConfiguration, worker: SinkWorker)] = []
        for sink in configuration.agent?.sinks ?? [] {
            if sink.kind == "mailbox" {
                taken.append((sink, mailbox))
            } else if let worker = rest.popFirst() {
                taken.append((sink, worker))
            }
        }
        var names: [NodeID: NodeName] = [:]
        for name in keys.current.peers { names[NodeID(of: name)] = name }
        return SinkRoutes(sinks: taken, names: names, mailbox: mailbox)
    }
}

extension SinkConfiguration {
    /// The connector's kind, as the file says it.
    var kind: String { sink["kind"]?.scalar?.text ?? "" }
}

extension Schedule {
    /// - Throws: ``ConfigurationError`` at the place of a cron expression that is wrong.
    init(_ configuration: ScheduleConfiguration) throws(ConfigurationError) {
        switch configuration.rule {
        case .every(let period): self = .interval(period)
        case .onChange: self = .onChange
        case .cron(let text):
            do throws(CronError) { self = .cron(try Cron(text)) } catch {
                throw configuration.error("\(error)")
            }
        }
    }
}
