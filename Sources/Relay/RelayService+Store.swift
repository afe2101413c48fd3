import Envelope
import Journal
import Mesh
import Node
import Platform
import RelayCore

// The relay's journal, and what the machine noticed.
extension RelayService {
    func openStore() throws {
        let now = reactor.now
        let bound = reactor.bind(self)
        let options = RelayMachine<CertificateTrust>.logOptions(
            segmentBytes: configuration.store.segmentBytes, maxBytes: configuration.store.maxBytes,
            entropy: Entropy.word())
        var recovered = 0
        let store = try JournalThread(
            directory: configuration.store.directory + "/journal", options: options,
            replay: { record in
                if machine.recover(record, &hub.exchange, at: now) { recovered += 1 }
            },
            completed: { completions in bound.post { $0.complete(completions) } })
        self.store = store
        settleMachine()
        report(store.report, recovered)
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

    private func complete(_ completions: [JournalCompletion]) {
        machine.complete(completions, &hub.exchange, at: reactor.now)
        settleMachine()
        hub.finishTurn()
    }

    func tell(_ fact: RelayFact) {
        switch fact {
        case .expired(let destination, let lane, let bytes):
            log.warning(
                "envelope.expired", "an envelope lived out its lifetime and was dropped",
                ["destination": machine.name(of: destination), "lane": lane, "bytes": bytes])
        case .damagedArrival(let link, let bytes, let reason):
            damages.add(bytes, reason: reason, peer: hub.neighbours[link]?.name.description)
            log.error(
                "envelope.damaged", "an arrival is no envelope; the source will send it again",
                ["peer": hub.neighbours[link]?.name.description ?? "unknown", "reason": reason])
        case .unreadableRecord(let lsn):
            log.error("store.unreadable", "a stored record is no envelope; it is kept", ["lsn": lsn])
        case .storeRefused(let error):
            log.warning("store.refused", "the store takes no more for now", ["reason": error])
        case .readFailed(let lsn, let error):
            log.error(
                "store.read-failed", "a stored envelope cannot be read; its source will send it again",
                ["lsn": lsn, "reason": error])
        case .readDelayed(let lsn, let error):
            log.warning(
                "store.read-delayed", "the disk fails to read a stored envelope; it is tried again",
                ["lsn": lsn, "reason": error])
        case .storeStalled(let error):
            log.error(
                "store.stalled", "the disk fails; custody is not taken until it works again", ["reason": error])
        case .storeResumed: log.notice("store.resumed", "the disk takes writes again")
        case .carried(let ticket, let error): carried(ticket, error)
        case .copied(let request, let stored, let copy): copyDesk.copied(request, stored, copy)
        case .alarm(let alarm): log.warning("mesh.alarm", alarm.description)
        case .badMessage(let peer, let error):
            log.warning(
                "mesh.bad-message", "a neighbour sent a link-state message that is none",
                ["peer": peer, "reason": error])
        case .bootRaised(let boot):
            do { try bootCounter.save(boot) } catch {
                log.error("boot.unsaved", "the boot number cannot be stored: \(error)")
            }
        }
    }
}
