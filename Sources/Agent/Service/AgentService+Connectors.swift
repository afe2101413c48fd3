import AgentCore
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
        return EnvelopeMaker(settings, source: identity.id, keys: keys, port: port) { handle, last in
            bound.post { agent in
                agent.handles[handle.id] = handle
                if let last { agent.closeStream(last) }
            }
        }
    }

    /// A stream that gets no more is forgotten once all of it is receipted.
    func closeStream(_ stream: StreamID) {
        guard !port.holdsAny(of: stream) else {
            reactor.schedule(after: .milliseconds(100)) { [weak self] in self?.closeStream(stream) }
            return
        }
        let now = reactor.now
        drive { machine, exchange, batch in machine.close(stream, &exchange, &batch, at: now) }
    }

    /// Starts the jobs that may: not those whose checkpoint is still being read, nor those of which an earlier
    /// version still runs its last batch.
    func startJobs() {
        guard !isStopping else { return }
        for job in jobs {
            let name = job.configuration.name
            guard !startedJobs.contains(name), retiring[name] == nil, !machine.awaitsCheckpoint(of: name) else {
                continue
            }
            do throws(ThreadError) { try start(job) } catch {
                log.error("job.unstarted", "a job cannot be started: \(error)", ["job": name])
                reactor.schedule(after: .seconds(5)) { [weak self] in self?.startJobs() }
            }
        }
    }

    private func start(_ job: JobRunner) throws(ThreadError) {
        let name = job.configuration.name
        job.maker.isAhead = machine.isAhead(name)
        try job.start(
            from: machine.checkpoint(of: name).map { Checkpoint($0) },
            behind: machine.unreceiptedEnds(of: name))
        startedJobs.insert(name)
    }

    // MARK: Sinks

    func startSinks() throws {
        let report = outcomeReport
        let layout = mailboxLayout
        let mailbox = SinkWorker(
            SinkWorker.Settings(name: "mailbox"),
            factory: { () throws(ConnectorError) in try MailboxSink(layout) }, log: log, report: report)
        self.mailbox = mailbox
        try mailbox.start()
        for sink in configuration.agent?.sinks ?? [] where sink.kind != "mailbox" {
            let worker = try makeWorker(sink)
            try worker.start()
            sinks.append((sink, worker))
        }
        let routes = routes(configuration, mailbox)
        desk.replace(routes)
        let inbox = Inbox(keys: keys, quarantine: quarantine, routes: routes, log: log, report: report)
        try inbox.start()
        self.inbox = inbox
    }

    private var outcomeReport: @Sendable ([DeliveryOutcome]) -> Void {
        let bound = reactor.bind(self)
        return { [desk] outcomes in
            let rest = desk.settle(outcomes)
            if !rest.isEmpty { bound.post { $0.take(rest) } }
        }
    }

    private func makeWorker(_ sink: SinkConfiguration) throws -> SinkWorker {
        var settings = SinkWorker.Settings(name: sink.name, onReject: sink.onReject)
        settings.quarantine = { [quarantine, name = sink.name] item, reason in
            // What lies there already stays there as it is.
            guard !QuarantineDesk.isTry(item.instance) else { return false }
            let topic = (try? RecordBatch.Reader(item.batch))?.topic
            return quarantine.add(item.envelope, .init(.rejected, reason, topic: topic, sink: name))
        }
        return SinkWorker(settings, factory: try connectors.makeSink(sink), log: log, report: outcomeReport)
    }

    private func routes(_ configuration: NodeConfiguration, _ mailbox: SinkWorker) -> SinkRoutes {
        var taken: [(configuration: SinkConfiguration, worker: SinkWorker)] = []
        for sink in configuration.agent?.sinks ?? [] {
            if sink.kind == "mailbox" {
                taken.append((sink, mailbox))
            } else if let worker = sinks.first(where: { $0.configuration.name == sink.name })?.worker {
                taken.append((sink, worker))
            }
        }
        var names: [NodeID: NodeName] = [:]
        for name in keys.current.peers { names[NodeID(of: name)] = name }
        return SinkRoutes(sinks: taken, names: names, mailbox: mailbox)
    }

    // MARK: Reload

    /// Keys, links, jobs and sinks change at once; the rest needs a restart and says so.
    public func reload(_ new: NodeConfiguration) throws {
        let stuck = configuration.keysNeedingRestart(new)
        guard stuck.isEmpty else { throw ReloadError.needsRestart(stuck) }
        guard !isStopping else { throw ReloadError.stopping }
        try Self.check(new, connectors)
        let renewed = try NodeIdentity.load(new.identity, expecting: new.node)
        keys.replace(with: try Keychain.load(new))
        inbox?.keysWereReplaced()
        trust.renew(renewed)
        hub.renew(renewed)
        let old = configuration
        configuration = new
        machine.resendAfter = new.resendAfter
        machine.set(Overtaking(new), at: reactor.now)
        machine.set(readAhead: new.agent?.readAhead ?? [:])
        hub.exchange.forwarder.setRoutes(.init(always: new.links.map { NodeID(of: $0.peer) }))
        hub.apply(new)
        try reloadJobs(old, new)
        try reloadSinks(new)
        settle()
        lastReload = ReloadReport(at: Clock.wall, ok: true)
    }

    public func reloadFailed(_ reason: String) {
        lastReload = ReloadReport(at: Clock.wall, ok: false, error: reason)
    }

    private func reloadJobs(_ old: NodeConfiguration, _ new: NodeConfiguration) throws {
        let before = old.agent?.jobs ?? []
        let after = new.agent?.jobs ?? []
        for job in jobs where !after.contains(job.configuration) { retire(job) }
        jobs.removeAll { !after.contains($0.configuration) }
        for job in after where !before.contains(job) { jobs.append(try makeJob(job)) }
        startJobs()
    }

    private func retire(_ job: JobRunner) {
        let name = job.configuration.name
        retiring[name, default: 0] += 1
        job.stop()
        let bound = reactor.bind(self)
        // Joining blocks, so it is done beside the reactor.
        let joined: @Sendable () -> Void = {
            job.join()
            bound.post { $0.retired(job) }
        }
        do throws(ThreadError) { try Threads.start(name: "retiring", joined) } catch { joined() }
    }

    private func retired(_ job: JobRunner) {
        let name = job.configuration.name
        // What it handed over last must be durable before its checkpoint is read.
        guard !port.holdsAny(of: name) else {
            reactor.schedule(after: .milliseconds(20)) { [weak self] in self?.retired(job) }
            return
        }
        if let stream = job.maker.currentStream { closeStream(stream) }
        let others = retiring[name, default: 1] - 1
        retiring[name] = others > 0 ? others : nil
        guard others == 0 else { return }
        startedJobs.remove(name)
        startJobs()
    }

    /// Sinks that changed are stopped; the new ones begin when the old ones have ended, since two would not agree on
    /// what is applied. Until then what arrives for them waits in their queues.
    private func reloadSinks(_ new: NodeConfiguration) throws {
        guard let mailbox, let inbox else { return }
        let after = (new.agent?.sinks ?? []).filter { $0.kind != "mailbox" }
        var kept: [(configuration: SinkConfiguration, worker: SinkWorker)] = []
        var retired: [SinkWorker] = []
        for (configuration, worker) in sinks {
            if let same = after.first(where: { $0.isSameSink(as: configuration) }) {
                kept.append((same, worker))
            } else {
                retired.append(worker)
            }
        }
        var begun: [SinkWorker] = []
        for sink in after where !kept.contains(where: { $0.configuration.name == sink.name }) {
            let worker = try makeWorker(sink)
            begun.append(worker)
            kept.append((sink, worker))
        }
        sinks = kept
        let routes = routes(new, mailbox)
        inbox.replace(routes)
        desk.replace(routes)
        for worker in retired { worker.stop() }
        replace(retired, with: begun)
    }

    private func replace(_ retired: [SinkWorker], with begun: [SinkWorker]) {
        guard !begun.isEmpty || !retired.isEmpty else { return }
        let log = log
        let replaced: @Sendable () -> Void = {
            for worker in retired { worker.join() }
            for worker in begun {
                do throws(ThreadError) { try worker.start() } catch {
                    log.error("sink.unstarted", "a sink cannot be started: \(error)", ["sink": worker.settings.name])
                    worker.stop()
                }
            }
        }
        do throws(ThreadError) { try Threads.start(name: "retiring", replaced) } catch { replaced() }
    }
}

extension SinkConfiguration {
    /// The connector's kind, as the file says it.
    var kind: String { sink["kind"]?.scalar?.text ?? "" }

    /// Everything that concerns its worker is the same; what it takes is the routes' matter.
    func isSameSink(as other: SinkConfiguration) -> Bool {
        name == other.name && sink == other.sink && onReject == other.onReject
    }
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

extension Overtaking {
    init(_ configuration: NodeConfiguration) {
        let jobs = (configuration.agent?.jobs ?? []).filter(\.freshFirst).map(\.name)
        self.init(jobs: Set(jobs), after: configuration.history.after)
    }
}
