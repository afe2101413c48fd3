import Crypto
import Envelope
import Journal
import Link
import Mesh
import Node
import Platform

// The agent's journal: what it has sent and has no receipt for.
extension AgentService {
    func openJournal() throws {
        let now = reactor.now
        let bound = reactor.bind(self)
        let options = LogOptions(
            segmentBytes: configuration.store.segmentBytes, maxBytes: configuration.store.maxBytes,
            entropy: Entropy.word(), kinds: [OutboxRecord.envelopeKind.number, OutboxRecord.checkpointKind.number],
            replayPrefix: OutboxRecord.replayPrefix)
        var cut: [String: LSN] = [:]
        let journal = try JournalThread(
            directory: configuration.store.directory + "/outbox", options: options,
            replay: { recover($0, &cut, at: now) },
            completed: { completions in bound.post { $0.complete(completions) } })
        self.journal = journal
        port.open(journal) { bound.post { $0.scheduleRetry() } }
        log.info(
            "outbox.open", "the outbox is open",
            ["unreceipted": outbox.itemCount, "bytes": outbox.byteCount, "damaged": journal.report.damage.count])
        for damage in journal.report.damage { log.error("outbox.damage", "\(damage)") }
        for (job, lsn) in cut.sorted(by: { $0.value < $1.value }) where outbox.checkpointHolder(of: job) == lsn.number {
            readCheckpoint(of: job, in: lsn.number)
        }
    }

    /// A checkpoint too long for the replay is read whole before its job starts.
    private func readCheckpoint(of job: String, in record: UInt64) {
        checkpointReads[record] = job
        journal?.submit { $0.read(LSN(record), token: Self.checkpointRead) }
    }

    /// The token of a read for a checkpoint: no instance of the forwarder has the place 2^32 - 1.
    static let checkpointRead = UInt64(UInt32.max)
    /// Marks the token of an append that is a checkpoint record, the rest being the job's number: the port's tokens
    /// never come near it.
    static let checkpointWrite: UInt64 = 1 << 63

    private func recover(_ record: ReplayedRecord, _ cut: inout [String: LSN], at now: Instant) {
        guard let front = OutboxRecord(record.prefix, kind: record.kind) else {
            log.error("outbox.unreadable", "a stored record cannot be understood; it is kept", ["lsn": record.lsn])
            return
        }
        if front.isCheckpointCut { cut[front.job] = record.lsn }
        guard let header = front.header else {
            outbox.recovered(
                checkpoint: front.checkpoint ?? [], of: front.job, stored: record.lsn.number, origin: front.origin)
            return
        }
        let stream = outbox.stream(
            header.stream, job: front.job, destination: header.destination, lane: header.lane, isClosed: true)
        let hop = front.stored.hop(at: now, boot: boot)
        let length = Header.size + Int(header.bodyLength)
        let hasCheckpoint = front.checkpoint != nil || front.isCheckpointCut
        let sends = outbox.added(
            stream, header.sequence, stored: record.lsn.number, length: length, lifetime: header.lifetime,
            age: .milliseconds(Int64(hop.age)), checkpoint: hasCheckpoint ? front.checkpoint ?? [] : nil, at: now)
        guard sends else { return }
        originate(
            record.lsn.number, header.destination, header.lane, length, header.lifetime,
            .milliseconds(Int64(hop.age)), nil, at: now)
    }

    private func originate(
        _ stored: UInt64, _ destination: NodeID, _ lane: Lane, _ length: Int, _ lifetime: UInt32, _ age: Duration,
        _ envelope: UnsafeRawBufferPointer?, at now: Instant
    ) {
        hub.exchange.forwarder.originate(
            Forwarder.Origin(
                destination: destination, lane: lane, length: length, lifetime: lifetime, age: age, owner: stored,
                stored: stored),
            envelope, at: now)
    }

    // MARK: Completions

    private func complete(_ completions: [JournalCompletion]) {
        let now = reactor.now
        for completion in completions {
            switch completion.outcome {
            case .durable: durable(completion.token, completion.lsn, at: now)
            case .bytes(let kind, let record): read(completion.token, completion.lsn, kind, record, at: now)
            case .refused(let error): refused(completion.token, completion.lsn, error, at: now)
            case .stalled(let error):
                log.error("outbox.stalled", "the disk fails; collecting waits until it works again", ["reason": error])
            case .resumed: log.notice("outbox.resumed", "the disk takes writes again")
            case .released: break
            }
        }
        settle()
    }

    private func durable(_ token: UInt64, _ lsn: LSN, at now: Instant) {
        if token & Self.checkpointWrite != 0 {
            outbox.checkpointSaved(job: Int(token & ~Self.checkpointWrite), as: lsn.number)
            return
        }
        guard let submission = port.take(token) else { return }
        let stream = outbox.stream(
            submission.stream.id, job: submission.stream.job, destination: submission.stream.destination,
            lane: submission.stream.lane)
        add(submission, lsn, stream, at: now)
    }

    private func add(_ submission: Submission, _ lsn: LSN, _ stream: Int, at now: Instant) {
        let age = now - submission.madeAt
        let sends = outbox.added(
            stream, submission.sequence, stored: lsn.number, length: submission.envelope.count,
            lifetime: submission.lifetime, age: age, checkpoint: submission.checkpoint, at: now)
        waiters.tell(.durable, submission.stream.id, through: submission.sequence)
        guard sends else { return }
        submission.envelope.withUnsafeBytes { bytes in
            originate(
                lsn.number, submission.stream.destination, submission.stream.lane, submission.envelope.count,
                submission.lifetime, age, bytes, at: now)
        }
    }

    private func read(_ token: UInt64, _ lsn: LSN, _ kind: RecordKind, _ record: [UInt8], at now: Instant) {
        let front = record.withUnsafeBytes { OutboxRecord($0, kind: kind) }
        if token == Self.checkpointRead {
            if let job = checkpointReads.removeValue(forKey: lsn.number), let checkpoint = front?.checkpoint {
                outbox.setCheckpoint(of: job, checkpoint)
            }
            return startJobs()
        }
        let id = InstanceID(token: token)
        guard let envelope = front?.envelope(in: record) else { return unreadable(id, lsn, "a foreign record", now) }
        envelope.withUnsafeBytes { hub.exchange.forwarder.fetched(id, $0, at: now) }
    }

    private func refused(_ token: UInt64, _ lsn: LSN, _ error: JournalError, at now: Instant) {
        if lsn != .none {
            guard token == Self.checkpointRead else {
                return unreadable(InstanceID(token: token), lsn, error.description, now)
            }
            retryCheckpoint(lsn.number, error)
        } else if token & Self.checkpointWrite != 0 {
            outbox.checkpointNotSaved(job: Int(token & ~Self.checkpointWrite), at: now)
        } else {
            log.warning("outbox.refused", "the outbox takes no more for now; collecting waits", ["reason": error])
            port.refuse(token)
        }
    }

    /// Without its checkpoint a job would begin anew and repeat everything, so it waits for a person or the disk.
    private func retryCheckpoint(_ record: UInt64, _ error: JournalError) {
        guard let name = checkpointReads[record] else { return }
        log.error(
            "checkpoint.unreadable", "a job's checkpoint cannot be read; the job waits, since it would repeat",
            ["job": name, "reason": error])
        jobs.first { $0.configuration.name == name }?.status.failed("misconfigured", "no checkpoint: \(error)")
        reactor.schedule(after: .seconds(5)) { [weak self] in
            guard let self, self.checkpointReads[record] == name, !self.isStopping else { return }
            self.readCheckpoint(of: name, in: record)
        }
    }

    /// The bytes of an envelope are not to be had. That is no loss where its receipt came while it waited to be sent
    /// again; otherwise it is tried again with the resending.
    private func unreadable(_ id: InstanceID, _ lsn: LSN, _ reason: String, _ now: Instant) {
        if outbox.places[lsn.number] != nil {
            log.error("outbox.read-failed", "a stored envelope cannot be read", ["lsn": lsn, "reason": reason])
        }
        hub.exchange.forwarder.fetched(id, nil, at: now)
        outbox.departed(stored: lsn.number, at: now)
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

    // MARK: Effects

    func perform(_ effects: [Outbox.Effect]) {
        guard !effects.isEmpty else { return }
        let now = reactor.now
        for effect in effects {
            switch effect {
            case .send(let stored, let destination, let lane, let length, let lifetime, let age):
                originate(stored, destination, lane, length, lifetime, age, nil, at: now)
            case .receipted(let stream, let job, let mark, let floor): receipted(stream, job, through: mark, floor)
            case .expired(let stream, let sequence, let floor):
                log.error(
                    "envelope.expired", "an envelope lived out its lifetime without a receipt and was given up",
                    ["stream": stream, "sequence": sequence])
                handles[stream]?.raiseFloor(to: floor)
                port.wake()
            case .ended(let stream):
                handles[stream] = nil
                waiters.forget(stream)
            case .forget, .saveCheckpoint: break
            }
        }
        var unsaved: [Int] = []
        journal?.submit { batch in
            for effect in effects { submit(effect, &batch, &unsaved, at: now) }
        }
        for job in unsaved { outbox.checkpointNotSaved(job: job, at: now) }
    }

    private func submit(
        _ effect: Outbox.Effect, _ batch: inout JournalBatch, _ unsaved: inout [Int], at now: Instant
    ) {
        switch effect {
        case .forget(let stored): batch.release(LSN(stored))
        case .saveCheckpoint(let job, let name, let origin, let checkpoint):
            let stored = StoredEnvelope(hop: HopFields(), storedAt: now, boot: boot)
            let record = OutboxRecord.checkpoint(stored, origin: origin, job: name, checkpoint: checkpoint)
            let token = Self.checkpointWrite | UInt64(job)
            if !batch.append(OutboxRecord.checkpointKind, token: token, record.readable, urgent: true) {
                unsaved.append(job)
            }
        case .send, .receipted, .expired, .ended: break
        }
    }

    private func receipted(_ stream: StreamID, _ job: String, through mark: Sequence, _ floor: Sequence) {
        handles[stream]?.raiseFloor(to: floor)
        jobs.first { $0.configuration.name == job }?.receipted(stream, through: mark)
        port.wake()
        waiters.tell(.receipted, stream, through: mark)
    }
}
