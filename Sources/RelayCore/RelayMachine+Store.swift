import Envelope
import Journal
import Link
import Mesh

// The relay's journal: what is not confirmed in time, and what has no way on.
extension RelayMachine {
    /// How a relay's journal is opened: of each record the start reads the front, with the envelope's header.
    public static func logOptions(segmentBytes: Int, maxBytes: Int, entropy: UInt64) -> LogOptions {
        LogOptions(
            segmentBytes: segmentBytes, maxBytes: maxBytes, entropy: entropy, kinds: [StoredEnvelope.recordKind],
            replayPrefix: StoredEnvelope.prefixBytes + Header.size)
    }

    /// A live record was found when the journal was opened.
    /// - Returns: whether it is an envelope; ``RelayFact/unreadableRecord(_:)`` tells of one that is none.
    public mutating func recover(_ record: ReplayedRecord, _ exchange: inout Exchange, at now: Instant) -> Bool {
        let prefix = record.prefix
        guard let stored = StoredEnvelope(prefix), prefix.count >= StoredEnvelope.prefixBytes + Header.size,
            let header = try? Header(UnsafeRawBufferPointer(rebasing: prefix[StoredEnvelope.prefixBytes...]))
        else {
            note(.unreadableRecord(record.lsn))
            return false
        }
        exchange.forwarder.recovered(
            header: header, hop: stored.hop(at: now, boot: boot), length: record.length - StoredEnvelope.prefixBytes,
            stored: record.lsn.number, at: now)
        return true
    }

    /// Carries out what the exchange wants done.
    public mutating func perform(
        _ effects: [Effect], _ exchange: inout Exchange, _ batch: inout JournalBatch, at now: Instant
    ) {
        var refused: [InstanceID] = []
        for effect in effects {
            switch effect {
            case .store(let id): if !store(id, exchange, &batch, at: now) { refused.append(id) }
            case .forget(let stored): batch.release(LSN(stored))
            case .fetch(let id, let stored): batch.read(LSN(stored), token: id.token)
            case .deliver(let id):
                // Nothing is addressed to a relay in this version; it stays with whoever sent it.
                exchange.forwarder.giveBack(id, .setAside, delay: .seconds(60), at: now)
            case .expired(let dropped): expired(dropped)
            case .damaged(let link, let bytes, let reason):
                note(.damagedArrival(link: link, bytes: bytes, reason: reason))
            case .receipt(let envelope): judge(envelope, &exchange, at: now)
            case .departed(let owner): if owner == ExpiryNotices.owner { notices.left() }
            case .refuse: break
            }
        }
        for id in refused { exchange.forwarder.storeFailed(id, at: now) }
        sendNotices(&exchange, at: now)
    }

    private mutating func expired(_ dropped: Effect.Dropped) {
        note(.expired(destination: dropped.destination, lane: dropped.lane, bytes: dropped.bytes))
        if dropped.owner == ExpiryNotices.owner { return notices.left() }
        // In control go receipts and notices: nobody waits for those.
        if dropped.lane != .control { notices.add(dropped) }
    }

    /// Tells sources what will not arrive. A header says it all; see docs/protocol.md, "Notice of expiry".
    private mutating func sendNotices(_ exchange: inout Exchange, at now: Instant) {
        for run in notices.take() {
            let header = Header(
                kind: .expiry, lane: .control, source: router.localID, destination: run.source, stream: run.stream,
                sequence: run.last, floor: run.first, created: wall, lifetime: ExpiryNotices.lifetime,
                key: KeyID(Bytes16(low: 0, high: 0)), bodyLength: 0)
            header.encoded.withUnsafeBytes { bytes in
                exchange.forwarder.originate(
                    Forwarder.Origin(
                        destination: run.source, identity: header.identity, lane: .control, length: bytes.count,
                        lifetime: ExpiryNotices.lifetime, owner: ExpiryNotices.owner, stored: 0),
                    bytes, at: now)
            }
        }
    }

    /// A receipt that is not genuine changes nothing here; its source turns it away by itself.
    private func judge(_ envelope: [UInt8], _ exchange: inout Exchange, at now: Instant) {
        envelope.withUnsafeBytes { bytes in
            guard let header = try? Header(bytes),
                let receipt = try? Receipt(UnsafeRawBufferPointer(rebasing: bytes[Header.size...])),
                trust.verify(receipt, from: header.source, to: header.destination)
            else { return }
            exchange.forwarder.receipted(header, receipt, at: now)
        }
    }

    /// - Returns: false where the batch has no room.
    private func store(
        _ id: InstanceID, _ exchange: borrowing Exchange, _ batch: inout JournalBatch, at now: Instant
    ) -> Bool {
        guard let bytes = exchange.forwarder.bytes(of: id), let hop = exchange.forwarder.hop(of: id, at: now) else {
            return true
        }
        var prefix = ByteQueue()
        StoredEnvelope(hop: hop, storedAt: now, boot: boot).append(to: &prefix)
        return batch.append(RecordKind(StoredEnvelope.recordKind), token: id.token, prefix.readable, bytes)
    }

    /// What came of what was put into a batch.
    public mutating func complete(
        _ completions: [JournalCompletion], _ exchange: inout Exchange, at now: Instant
    ) {
        for completion in completions {
            if completion.token & Self.carriageToken != 0 {
                completeCarriage(completion, &exchange, at: now)
                continue
            }
            let id = InstanceID(token: completion.token)
            switch completion.outcome {
            case .durable:
                exchange.forwarder.stored(id, as: completion.lsn.number, at: now)
            case .bytes(_, let record):
                record.withUnsafeBytes { bytes in
                    let envelope = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(StoredEnvelope.prefixBytes))
                    exchange.forwarder.fetched(id, envelope, at: now)
                }
            case .refused(let error): refused(id, completion.lsn, error, &exchange, at: now)
            case .stalled(let error): note(.storeStalled(error))
            case .resumed: note(.storeResumed)
            case .released: break
            }
        }
    }

    /// An append that was not taken leaves the envelope in memory and custody with the neighbour. A read that failed
    /// is tried again where only the disk failed; a record that is damaged or gone has lost this copy.
    private mutating func refused(
        _ id: InstanceID, _ lsn: LSN, _ error: JournalError, _ exchange: inout Exchange, at now: Instant
    ) {
        if lsn == .none {
            note(.storeRefused(error))
            exchange.forwarder.storeFailed(id, at: now)
        } else if case .file = error {
            note(.readDelayed(lsn, error))
            exchange.forwarder.fetchFailed(id, at: now)
        } else {
            note(.readFailed(lsn, error))
            exchange.forwarder.fetched(id, nil, at: now)
        }
    }
}
