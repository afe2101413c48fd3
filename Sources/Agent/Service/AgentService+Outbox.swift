import AgentCore
import Crypto
import Envelope
import Journal
import Mesh
import Node
import Platform

// The agent's journal: what it has sent and has no receipt for.
extension AgentService {
    func openJournal() throws {
        let now = reactor.now
        machine.wall = Clock.wall
        machine.set(Overtaking(configuration), at: now)
        machine.set(readAhead: configuration.agent?.readAhead ?? [:])
        let bound = reactor.bind(self)
        let options = AgentMachine<CertificateTrust>.logOptions(
            segmentBytes: configuration.store.segmentBytes, maxBytes: configuration.store.maxBytes,
            entropy: Entropy.word())
        let journal = try JournalThread(
            directory: configuration.store.directory + "/outbox", options: options,
            replay: { machine.recover($0, &hub.exchange, at: now) },
            completed: { completions in bound.post { $0.complete(completions) } })
        self.journal = journal
        port.open(journal) { bound.post { $0.scheduleRetry() } }
        log.info(
            "outbox.open", "the outbox is open",
            [
                "unreceipted": machine.envelopesKept, "bytes": machine.bytesKept,
                "damaged": journal.report.damage.count,
            ])
        for damage in journal.report.damage { log.error("outbox.damage", "\(damage)") }
        drive { machine, _, batch in machine.recovered(&batch) }
    }

    private func complete(_ completions: [JournalCompletion]) {
        let now = reactor.now
        var taken = port.take(completions)
        drive { machine, exchange, batch in
            machine.complete(completions, &exchange, &batch, at: now, taking: { taken.take($0) })
        }
        hub.finishTurn()
    }

    func actOnOutbox(_ fact: AgentFact) {
        switch fact {
        case .submissionRefused(let token, let error):
            log.warning("outbox.refused", "the outbox takes no more for now; collecting waits", ["reason": error])
            port.refuse(token)
        case .checkpointRead: startJobs()
        case .checkpointUnreadable(let job, let record, let error): retryCheckpoint(of: job, in: record, error)
        case .unreadableRecord(let lsn):
            log.error("outbox.unreadable", "a stored record cannot be understood; it is kept", ["lsn": lsn])
        case .readFailed(let lsn, let reason):
            log.error("outbox.read-failed", "a stored envelope cannot be read", ["lsn": lsn, "reason": reason])
        case .outboxStalled(let error):
            log.error("outbox.stalled", "the disk fails; collecting waits until it works again", ["reason": error])
        case .copied(let request, let stored, let copy): copyDesk.copied(request, stored, copy)
        case .outboxResumed: log.notice("outbox.resumed", "the disk takes writes again")
        case .deliver, .damaged, .forgedReceipt, .expiryNotice, .stored, .receipted, .fellBehind, .ahead, .expired,
            .ended:
            break
        }
    }

    private func retryCheckpoint(of name: String, in record: UInt64, _ error: JournalError) {
        log.error(
            "checkpoint.unreadable", "a job's checkpoint cannot be read; the job waits, since it would repeat",
            ["job": name, "reason": error])
        jobs.first { $0.configuration.name == name }?.status.failed("misconfigured", "no checkpoint: \(error)")
        reactor.schedule(after: .seconds(5)) { [weak self] in
            guard let self, self.machine.jobAwaitingCheckpoint(in: record) == name, !self.isStopping else { return }
            self.drive { machine, _, batch in machine.readCheckpoint(of: name, in: record, &batch) }
        }
    }

    private func scheduleRetry() {
        guard !retryIsScheduled, !isStopping else { return }
        retryIsScheduled = true
        reactor.schedule(after: Limits.storeRetry) { [weak self] in
            guard let self else { return }
            self.retryIsScheduled = false
            if self.port.retryAll() { self.scheduleRetry() }
        }
    }
}
