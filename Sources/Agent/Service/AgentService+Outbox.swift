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
        port.open(journal)
        log.info(
            "outbox.open", "the outbox is open",
            ["unreceipted": outbox.itemCount, "bytes": outbox.byteCount, "damaged": journal.report.damage.count])
        for damage in journal.report.damage { log.error("outbox.damage", "\(damage)") }
        for (job, lsn) in cut.sorted(by: { $0.value < $1.value }) where outbox.checkpointHolder(of: job) == lsn.number {
            checkpointReads[lsn.number] = job
        }
        readCheckpoints()
    }

    /// A checkpoint too long for the replay is read whole before its job starts.
    private func readCheckpoints() {
        let lsns = checkpointReads.keys.sorted()
        journal?.submit { batch in for lsn in lsns { batch.read(LSN(lsn), token: Self.checkpointRead | lsn) } }
    }

    /// Marks the token of a read for a checkpoint; journals never come near that many records.
    static let checkpointRead: UInt64 = 1 << 63
    /// Marks the token of a checkpoint record; the rest is the job's number.
    static let checkpointWrite: UInt64 = 1 << 62

    private func recover(_ record: ReplayedRecord, _ cut: inout [String: LSN], at now: Instant) {
        guard let front = OutboxRecord(record.prefix, kind: record.kind) else {
            log.error("outbox.unreadable", "a stored record cannot be understood; it is kept", ["lsn": record.lsn])
            return
        }
        if front.isCheckpointCut { cut[front.job] = record.lsn }
        guard let header = front.header else {
            outbox.recovered(checkpoint: front.checkpoint ?? [], of: front.job, stored: record.lsn.number, at: now)
            return
        }
        let stream = outbox.stream(header.stream, job: front.job, destination: header.destination, lane: header.lane)
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
            case .bytes(let kind, let record): read(completion.token, kind, record, at: now)
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
        handles[submission.stream.id] = submission.stream
        let stream = outbox.stream(
            submission.stream.id, job: submission.stream.job, destination: submission.stream.destination,
            lane: submission.stream.lane)
        guard submission.sequence == outbox.streams[stream].last.next else {
            early[submission.stream.id, default: []].append((submission, lsn))
            return
        }
        add(submission, lsn, stream, at: now)
        takeEarly(submission.stream.id, stream, at: now)
    }

    private func takeEarly(_ id: StreamID, _ stream: Int, at now: Instant) {
        guard var waiting = early[id] else { return }
        waiting.sort { $0.0.sequence < $1.0.sequence }
        while let (submission, lsn) = waiting.first, submission.sequence == outbox.streams[stream].last.next {
            waiting.removeFirst()
            add(submission, lsn, stream, at: now)
        }
        early[id] = waiting.isEmpty ? nil : waiting
    }

    private func add(_ submission: Submission, _ lsn: LSN, _ stream: Int, at now: Instant) {
        let age = now - submission.madeAt
        let sends = outbox.added(
            stream, submission.sequence, stored: lsn.number, length: submission.envelope.count,
            lifetime: submission.lifetime, age: age, checkpoint: submission.checkpoint, at: now)
        tellWaiters(.durable, submission.stream.id, through: submission.sequence)
        guard sends else { return }
        submission.envelope.withUnsafeBytes { bytes in
            originate(
                lsn.number, submission.stream.destination, submission.stream.lane, submission.envelope.count,
                submission.lifetime, age, bytes, at: now)
        }
    }

    private func read(_ token: UInt64, _ kind: RecordKind, _ record: [UInt8], at now: Instant) {
        let front = record.withUnsafeBytes { OutboxRecord($0, kind: kind) }
        if token & Self.checkpointRead != 0 {
            let lsn = token & ~Self.checkpointRead
            if let job = checkpointReads.removeValue(forKey: lsn), let checkpoint = front?.checkpoint {
                outbox.setCheckpoint(of: job, checkpoint)
            }
            return startJobsWhenReady()
        }
        let id = InstanceID(token: token)
        guard let envelope = front?.envelope(in: record) else {
            return hub.exchange.forwarder.fetched(id, nil, at: now)
        }
        envelope.withUnsafeBytes { hub.exchange.forwarder.fetched(id, $0, at: now) }
    }

    private func refused(_ token: UInt64, _ lsn: LSN, _ error: JournalError, at now: Instant) {
        if token & Self.checkpointRead != 0 {
            log.error(
                "checkpoint.lost", "a job's checkpoint cannot be read; its source begins anew and may repeat",
                ["job": checkpointReads[token & ~Self.checkpointRead] ?? "", "reason": error])
            checkpointReads[token & ~Self.checkpointRead] = nil
            startJobsWhenReady()
        } else if token & Self.checkpointWrite != 0 {
            outbox.checkpointNotSaved(job: Int(token & ~Self.checkpointWrite), at: now)
        } else if lsn == .none {
            log.warning("outbox.refused", "the outbox takes no more for now; collecting waits", ["reason": error])
            port.refuse(token)
            scheduleRetry()
        } else {
            log.error("outbox.read-failed", "a stored envelope cannot be read", ["lsn": lsn, "reason": error])
            hub.exchange.forwarder.fetched(InstanceID(token: token), nil, at: now)
        }
    }

    private func scheduleRetry() {
        guard !retryIsScheduled else { return }
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
            case .receipted(let stream, let mark): receipted(stream, through: mark)
            case .expired(let stream, let sequence):
                log.error(
                    "envelope.expired", "an envelope lived out its lifetime without a receipt and was given up",
                    ["stream": stream, "sequence": sequence])
                if let index = outbox.streamIndex[stream] { handles[stream]?.raiseFloor(to: outbox.floor(of: index)) }
            case .forget, .saveCheckpoint: break
            }
        }
        journal?.submit { batch in
            for effect in effects { submit(effect, &batch, at: now) }
        }
    }

    private func submit(_ effect: Outbox.Effect, _ batch: inout JournalBatch, at now: Instant) {
        switch effect {
        case .forget(let stored): batch.release(LSN(stored))
        case .saveCheckpoint(let job, let name, let checkpoint):
            let stored = StoredEnvelope(hop: HopFields(), storedAt: now, boot: boot)
            let front = OutboxRecord.front(stored, header: nil, job: name, checkpoint: checkpoint)
            let token = Self.checkpointWrite | UInt64(job)
            if !batch.append(OutboxRecord.checkpointKind, token: token, front.readable, urgent: true) {
                outbox.checkpointNotSaved(job: job, at: now)
            }
        case .send, .receipted, .expired: break
        }
    }

    private func receipted(_ stream: StreamID, through mark: Sequence) {
        if let index = outbox.streamIndex[stream] {
            let name = outbox.jobs[outbox.streams[index].job].name
            handles[stream]?.raiseFloor(to: outbox.floor(of: index))
            jobs.first { $0.configuration.name == name }?.receipted(stream, through: mark)
        }
        port.wake()
        tellWaiters(.receipted, stream, through: mark)
    }

    private func tellWaiters(_ stage: MessageWaiter.Stage, _ stream: StreamID, through mark: Sequence) {
        guard !waiters.isEmpty else { return }
        let isDone: (MessageWaiter) -> Bool = { $0.stage == stage && $0.stream == stream && $0.sequence <= mark }
        let done = waiters.filter(isDone)
        waiters.removeAll(where: isDone)
        for waiter in done { waiter.tell() }
    }
}
