import Envelope
import Journal
import Mesh

// The agent's journal: what it has sent and has no receipt for.
extension AgentMachine {
    /// The token of a read for a checkpoint: no instance of the forwarder has the place 2^32 - 1.
    private static var checkpointRead: UInt64 { UInt64(UInt32.max) }
    /// Marks the token of an append that is a checkpoint record, the rest being the job's number: the gate's tokens
    /// never come near it.
    private static var checkpointWrite: UInt64 { 1 << 63 }

    /// How an agent's journal is opened.
    package static func logOptions(segmentBytes: Int, maxBytes: Int, entropy: UInt64) -> LogOptions {
        LogOptions(
            segmentBytes: segmentBytes, maxBytes: maxBytes, entropy: entropy,
            kinds: [OutboxRecord.envelopeKind.number, OutboxRecord.checkpointKind.number],
            replayPrefix: OutboxRecord.replayPrefix)
    }

    /// A live record was found when the journal was opened.
    package mutating func recover(_ record: ReplayedRecord, _ exchange: inout Exchange, at now: Instant) {
        guard let front = OutboxRecord(record.prefix, kind: record.kind) else {
            return note(.unreadableRecord(record.lsn))
        }
        if front.isCheckpointCut { cutCheckpoints[front.job] = record.lsn }
        guard let header = front.header else {
            outbox.recovered(
                checkpoint: front.checkpoint ?? [], of: front.job, stored: record.lsn.number, origin: front.origin)
            return
        }
        let stream = outbox.stream(
            header.stream, job: front.job, destination: header.destination, lane: header.lane, isClosed: true)
        ledger.recovered(
            header.stream, header.sequence, job: front.job, destination: header.destination, at: wall)
        let hop = front.stored.hop(at: now, boot: boot)
        let length = Header.size + Int(header.bodyLength)
        let hasCheckpoint = front.checkpoint != nil || front.isCheckpointCut
        let sends = outbox.added(
            stream, header.sequence, stored: record.lsn.number, length: length, lifetime: header.lifetime,
            age: .milliseconds(Int64(hop.age)), checkpoint: hasCheckpoint ? front.checkpoint ?? [] : nil, at: now)
        guard sends else { return }
        originate(
            record.lsn.number, header.identity, header.destination, header.lane, length, header.lifetime,
            .milliseconds(Int64(hop.age)), nil, &exchange, at: now)
    }

    /// All live records were shown: asks for the checkpoints that were too long for it.
    package mutating func recovered(_ batch: inout JournalBatch) {
        // A copy, since the ledger must not look into what lends it.
        let outbox = outbox
        ledger.recovered { outbox.streamIndex[$0].map { outbox.floor(of: $0) } }
        let cut = cutCheckpoints.sorted { $0.value < $1.value }
        cutCheckpoints = [:]
        for (job, lsn) in cut where outbox.checkpointHolder(of: job) == lsn.number {
            readCheckpoint(of: job, in: lsn.number, &batch)
        }
    }

    /// A checkpoint too long for the replay is read whole before its job starts.
    package mutating func readCheckpoint(of job: String, in record: UInt64, _ batch: inout JournalBatch) {
        checkpointReads[record] = job
        batch.read(LSN(record), token: Self.checkpointRead)
    }

    private func originate(
        _ stored: UInt64, _ identity: Identity, _ destination: NodeID, _ lane: Lane,
        _ length: Int, _ lifetime: UInt32, _ age: Duration, _ envelope: UnsafeRawBufferPointer?,
        _ exchange: inout Exchange, at now: Instant
    ) {
        exchange.forwarder.originate(
            Forwarder.Origin(
                destination: destination, identity: identity, lane: lane, length: length, lifetime: lifetime, age: age,
                owner: stored, stored: stored),
            envelope, at: now)
    }

    // MARK: Completions

    /// What came of what was put into a batch, by this machine or by the gate.
    /// - Parameter taking: takes a submission out of the ``OutboxGate``.
    package mutating func complete(
        _ completions: [JournalCompletion], _ exchange: inout Exchange, _ batch: inout JournalBatch, at now: Instant,
        taking: (UInt64) -> Submission?
    ) {
        for completion in completions {
            if completion.token & Self.copyToken == Self.copyToken {
                completeCopy(completion, at: now)
                continue
            }
            switch completion.outcome {
            case .durable:
                if completion.token & Self.checkpointWrite != 0 {
                    let job = Int(completion.token & ~Self.checkpointWrite)
                    outbox.checkpointSaved(job: job, as: completion.lsn.number)
                } else if let submission = taking(completion.token) {
                    add(submission, completion.lsn, &exchange, at: now)
                }
            case .bytes(let kind, let record):
                read(completion.token, completion.lsn, kind, record, &exchange, at: now)
            case .refused(let error): refused(completion.token, completion.lsn, error, &exchange, at: now)
            case .stalled(let error): note(.outboxStalled(error))
            case .resumed: note(.outboxResumed)
            case .released: break
            }
        }
        settle(&exchange, &batch, at: now)
    }

    private mutating func add(
        _ submission: Submission, _ lsn: LSN, _ exchange: inout Exchange, at now: Instant
    ) {
        let stream = submission.stream
        let index = outbox.stream(stream.id, job: stream.job, destination: stream.destination, lane: stream.lane)
        let age = now - submission.madeAt
        let sends = outbox.added(
            index, submission.sequence, stored: lsn.number, length: submission.envelope.count,
            lifetime: submission.lifetime, age: age, checkpoint: submission.checkpoint, at: now)
        note(.stored(stream.id, submission.sequence))
        ledger.stored(stream, submission.sequence, records: submission.records, at: wall)
        guard sends else { return }
        submission.envelope.withUnsafeBytes { bytes in
            originate(
                lsn.number, Identity(source: identity, stream: stream.id, sequence: submission.sequence),
                stream.destination, stream.lane, bytes.count,
                submission.lifetime, age, bytes, &exchange, at: now)
        }
    }

    private mutating func read(
        _ token: UInt64, _ lsn: LSN, _ kind: RecordKind, _ record: [UInt8], _ exchange: inout Exchange,
        at now: Instant
    ) {
        let front = record.withUnsafeBytes { OutboxRecord($0, kind: kind) }
        if token == Self.checkpointRead {
            guard let job = checkpointReads.removeValue(forKey: lsn.number) else { return }
            if let checkpoint = front?.checkpoint { outbox.setCheckpoint(of: job, checkpoint) }
            return note(.checkpointRead(job: job))
        }
        let id = InstanceID(token: token)
        guard let envelope = front?.envelope(in: record) else {
            return unreadable(id, lsn, "a foreign record", &exchange, at: now)
        }
        envelope.withUnsafeBytes { exchange.forwarder.fetched(id, $0, at: now) }
    }

    private mutating func refused(
        _ token: UInt64, _ lsn: LSN, _ error: JournalError, _ exchange: inout Exchange, at now: Instant
    ) {
        if lsn != .none {
            guard token == Self.checkpointRead else {
                if case .file = error { return exchange.forwarder.fetchFailed(InstanceID(token: token), at: now) }
                return unreadable(InstanceID(token: token), lsn, error.description, &exchange, at: now)
            }
            // Without its checkpoint a job would begin anew and repeat everything, so it waits for a person or the disk.
            if let job = checkpointReads[lsn.number] {
                note(.checkpointUnreadable(job: job, record: lsn.number, error))
            }
        } else if token & Self.checkpointWrite != 0 {
            outbox.checkpointNotSaved(job: Int(token & ~Self.checkpointWrite), at: now)
        } else {
            note(.submissionRefused(token: token, error))
        }
    }

    /// The bytes of an envelope are not to be had. That is no loss where its receipt came while it waited to be sent
    /// again; otherwise it is tried again with the resending.
    private mutating func unreadable(
        _ id: InstanceID, _ lsn: LSN, _ reason: String, _ exchange: inout Exchange, at now: Instant
    ) {
        if outbox.places[lsn.number] != nil { note(.readFailed(lsn, reason)) }
        exchange.forwarder.fetched(id, nil, at: now)
        outbox.departed(stored: lsn.number, at: now)
    }

    // MARK: Effects

    /// Carries out what the outbox wants.
    package mutating func settle(
        _ exchange: inout Exchange, _ batch: inout JournalBatch, at now: Instant
    ) {
        var unsaved: [Int] = []
        for effect in outbox.takeEffects() {
            switch effect {
            case .send(
                let stored, let stream, let sequence, let destination, let lane, let length, let lifetime, let age):
                originate(
                    stored, Identity(source: identity, stream: stream, sequence: sequence), destination, lane, length,
                    lifetime, age, nil, &exchange, at: now)
            case .forget(let stored): batch.release(LSN(stored))
            case .saveCheckpoint(let job, let name, let origin, let checkpoint):
                let stored = StoredEnvelope(hop: HopFields(), storedAt: now, boot: boot)
                let record = OutboxRecord.checkpoint(stored, origin: origin, job: name, checkpoint: checkpoint)
                let token = Self.checkpointWrite | UInt64(job)
                if !batch.append(OutboxRecord.checkpointKind, token: token, record.readable, urgent: true) {
                    unsaved.append(job)
                }
            case .receipted(let stream, let job, let mark, let floor):
                note(.receipted(stream, job: job, through: mark, floor: floor))
                ledger.receipted(stream, through: mark, at: wall)
            case .expired(let stream, let sequence, let floor):
                note(.expired(stream, sequence, floor: floor))
                ledger.expired(stream, sequence, at: wall)
            case .fellBehind(let stream): note(.fellBehind(stream))
            case .ahead(let job, let isAhead): note(.ahead(job: job, isAhead))
            case .ended(let stream, let job):
                note(.ended(stream, job: job))
                ledger.ended(stream)
            }
        }
        for job in unsaved { outbox.checkpointNotSaved(job: job, at: now) }
    }
}

// MARK: Questions

extension AgentMachine {
    /// Envelopes without receipt, and their bytes.
    package var envelopesKept: Int { outbox.itemCount }
    package var bytesKept: Int { outbox.byteCount }

    package func unreceipted(of job: String) -> Int { outbox.unreceipted(of: job) }

    /// More of the job waits for its way than it may read ahead.
    package func isAhead(_ job: String) -> Bool { outbox.isAhead(job) }

    /// True while a job's checkpoint is being read back: it must not start before.
    package func awaitsCheckpoint(of job: String) -> Bool { checkpointReads.values.contains(job) }

    /// The job waiting for what stands in a record, where it still does.
    package func jobAwaitingCheckpoint(in record: UInt64) -> String? { checkpointReads[record] }

    /// The newest durable checkpoint of a job: where its source goes on after a restart.
    package func checkpoint(of job: String) -> [UInt8]? { outbox.checkpoint(of: job) }

    /// Where each stream of the job has gone up to that has something without receipt, oldest first.
    package func unreceiptedEnds(of job: String) -> [JobMachine.Place] { outbox.unreceiptedEnds(of: job) }

    /// Whether an envelope is durable here; nil for a stream the outbox does not know.
    package func isDurable(_ stream: StreamID, _ sequence: Sequence) -> Bool? {
        outbox.streamIndex[stream].map { sequence <= outbox.streams[$0].last }
    }

    /// Whether an envelope has its receipt; nil for a stream the outbox does not know.
    package func isReceipted(_ stream: StreamID, _ sequence: Sequence) -> Bool? {
        outbox.streamIndex[stream].map { sequence < outbox.floor(of: $0) }
    }
}
