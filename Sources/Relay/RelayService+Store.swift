import Envelope
import Journal
import Link
import Mesh
import Node
import Platform

// The relay's journal: what is not confirmed in time, and what has no way on.
extension RelayService {
    func openStore() throws {
        let now = reactor.now
        let bound = reactor.bind(self)
        let options = LogOptions(
            segmentBytes: configuration.store.segmentBytes, maxBytes: configuration.store.maxBytes,
            entropy: Entropy.word(), kinds: [StoredEnvelope.recordKind],
            replayPrefix: StoredEnvelope.prefixBytes + Header.size)
        var recovered = 0
        let store = try JournalThread(
            directory: configuration.store.directory + "/journal", options: options,
            replay: { record in
                if recover(record, at: now) { recovered += 1 }
            },
            completed: { completions in bound.post { $0.complete(completions) } })
        self.store = store
        report(store.report, recovered)
    }

    private func recover(_ record: ReplayedRecord, at now: Instant) -> Bool {
        let prefix = record.prefix
        guard let stored = StoredEnvelope(prefix), prefix.count >= StoredEnvelope.prefixBytes + Header.size,
            let header = try? Header(UnsafeRawBufferPointer(rebasing: prefix[StoredEnvelope.prefixBytes...]))
        else {
            log.error("store.unreadable", "a stored record is no envelope; it is kept", ["lsn": record.lsn])
            return false
        }
        hub.exchange.forwarder.recovered(
            header: header, hop: stored.hop(at: now, boot: boot), length: record.length - StoredEnvelope.prefixBytes,
            stored: record.lsn.number, at: now)
        return true
    }

    private func report(_ report: RecoveryReport, _ recovered: Int) {
        log.info("store.open", "the journal is open", ["envelopes": recovered, "bytes": report.liveBytes])
        for damage in report.damage {
            log.error("store.damage", "a committed record is damaged and lost here: \(damage)")
        }
        for tail in report.tornTails { log.notice("store.torn", "\(tail)") }
        for file in report.unknownFiles { log.warning("store.unknown-file", "left alone", ["file": file]) }
        for file in report.damagedFiles { log.warning("store.damaged-file", "set aside", ["file": file]) }
    }

    public func perform(_ effects: [Effect]) {
        let now = reactor.now
        var refused: [InstanceID] = []
        store?.submit { batch in
            for effect in effects { submit(effect, &batch, &refused, now) }
        }
        for id in refused { hub.exchange.forwarder.storeFailed(id, at: now) }
        for effect in effects { act(on: effect, at: now) }
    }

    private func submit(_ effect: Effect, _ batch: inout JournalBatch, _ refused: inout [InstanceID], _ now: Instant) {
        switch effect {
        case .store(let id):
            guard let bytes = hub.exchange.forwarder.bytes(of: id),
                let hop = hub.exchange.forwarder.hop(of: id, at: now)
            else { return }
            var prefix = ByteQueue()
            StoredEnvelope(hop: hop, storedAt: now, boot: boot).append(to: &prefix)
            let kind = RecordKind(StoredEnvelope.recordKind)
            if !batch.append(kind, token: id.token, prefix.readable, bytes) { refused.append(id) }
        case .forget(let stored):
            batch.release(LSN(stored))
        case .fetch(let id, let stored):
            batch.read(LSN(stored), token: id.token)
        case .deliver, .departed, .expired, .damaged, .refuse:
            break
        }
    }

    private func act(on effect: Effect, at now: Instant) {
        switch effect {
        case .deliver(let id):
            // Nothing is addressed to a relay in this version; it stays with whoever sent it.
            hub.exchange.forwarder.giveBack(id, Link.RefusalReason.setAside, delay: .seconds(60), at: now)
        case .expired(let dropped):
            log.warning(
                "envelope.expired", "an envelope lived out its lifetime and was dropped",
                ["destination": name(of: dropped.destination), "lane": dropped.lane, "bytes": dropped.bytes])
        case .damaged(let link, _, let reason):
            log.error(
                "envelope.damaged", "an arrival is no envelope; the source will send it again",
                ["peer": hub.neighbours[link]?.name.description ?? "unknown", "reason": reason])
        case .store, .forget, .fetch, .departed, .refuse:
            break
        }
    }

    private func complete(_ completions: [JournalCompletion]) {
        let now = reactor.now
        for completion in completions {
            let id = InstanceID(token: completion.token)
            switch completion.outcome {
            case .durable:
                hub.exchange.forwarder.stored(id, as: completion.lsn.number, at: now)
            case .bytes(_, let record):
                record.withUnsafeBytes { bytes in
                    let envelope = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(StoredEnvelope.prefixBytes))
                    hub.exchange.forwarder.fetched(id, envelope, at: now)
                }
            case .refused(let error):
                refused(id, completion.lsn, error, at: now)
            case .stalled(let error):
                log.error(
                    "store.stalled", "the disk fails; custody is not taken until it works again", ["reason": error])
            case .resumed:
                log.notice("store.resumed", "the disk takes writes again")
            case .released:
                break
            }
        }
        hub.finishTurn()
    }

    /// An append that was not taken leaves the envelope in memory and custody with the neighbour; a read that
    /// failed has lost this copy.
    private func refused(_ id: InstanceID, _ lsn: LSN, _ error: JournalError, at now: Instant) {
        if lsn == .none {
            log.warning("store.refused", "the store takes no more for now", ["reason": error])
            hub.exchange.forwarder.storeFailed(id, at: now)
        } else {
            log.error(
                "store.read-failed", "a stored envelope cannot be read; its source will send it again",
                ["lsn": lsn, "reason": error])
            hub.exchange.forwarder.fetched(id, nil, at: now)
        }
    }

    func name(of node: NodeID) -> String { router.nodeName(of: node)?.description ?? node.description }
}
