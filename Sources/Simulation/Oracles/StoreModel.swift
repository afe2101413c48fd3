import Envelope
import Journal

/// What a node's journal has said of its records, kept outside the node: it outlives its processes.
///
/// Rules it holds every start to: a record that was told to be durable and not released is shown again, with the bytes
/// it had; nothing is shown that was never appended; no damage is found where there is none. What the disk lost on its
/// own is excused, by as many records as the damaged bytes can have held.
final class StoreModel {
    private struct Content: Hashable {
        var length: Int
        /// Checksum of the whole, and of as much as a start shows.
        var whole: UInt32
        var front: UInt32
    }

    /// By its number: how it is, and whether it must still be there.
    private var records: [UInt64: (content: Content, isNeeded: Bool)] = [:]
    /// Appends that the journal has not answered for, in their order.
    private var waiting: [(token: UInt64, content: Content)] = []
    private var known: Set<Shown> = []
    /// Damages of the disk that some start has seen, and the boot of the latest start.
    private var damages = 0
    private var boots: UInt32?
    private let front: Int

    private struct Shown: Hashable {
        var length: Int
        var front: UInt32
    }

    /// - Parameter front: bytes that a start shows of each record.
    init(front: Int) { self.front = front }

    /// What is handed to the journal now.
    func submitted(_ batch: JournalBatch) {
        batch.forEachAppend { token, bytes in
            let content = Content(
                length: bytes.count, whole: CRC32C.checksum(of: bytes),
                front: CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: bytes.prefix(front))))
            waiting.append((token, content))
            known.insert(Shown(length: content.length, front: content.front))
        }
        batch.forEachRelease { records[$0.number]?.isNeeded = false }
    }

    /// What the journal answers.
    func completed(_ completions: [JournalCompletion], at host: Host) {
        for completion in completions {
            switch completion.outcome {
            case .durable:
                guard let place = waiting.firstIndex(where: { $0.token == completion.token }) else {
                    host.fail("record \(completion.lsn) is durable and was never appended")
                    continue
                }
                records[completion.lsn.number] = (waiting.remove(at: place).content, true)
            case .refused where completion.lsn == .none:
                if let place = waiting.firstIndex(where: { $0.token == completion.token }) { waiting.remove(at: place) }
            case .refused(let error):
                // A disk may fail a read; but what it did not damage is there.
                if case .file = error { continue }
                if records[completion.lsn.number]?.isNeeded == true, host.disk.damageLog.isEmpty {
                    host.fail("record \(completion.lsn) was durable and cannot be read: \(error)")
                }
            case .bytes(_, let bytes):
                let whole = bytes.withUnsafeBytes { CRC32C.checksum(of: $0) }
                if let record = records[completion.lsn.number], record.content.whole != whole {
                    host.fail("record \(completion.lsn) is read with other bytes than it was written with")
                }
            case .released, .stalled, .resumed: break
            }
        }
    }

    // MARK: A start

    /// Records that a start has not shown yet.
    struct Inspection {
        fileprivate var missing: Set<UInt64>
        /// Damages of the disk before the start wrote anything itself.
        fileprivate var damages: Int
    }

    /// Before a start opens the journal.
    func inspect(at host: Host) -> Inspection {
        waiting = []
        return Inspection(
            missing: Set(records.filter(\.value.isNeeded).map(\.key)), damages: host.disk.damageLog.count)
    }

    func shown(_ record: ReplayedRecord, _ inspection: inout Inspection, at host: Host) {
        let seen = Shown(length: record.length, front: CRC32C.checksum(of: record.prefix))
        guard known.contains(seen) else {
            return host.fail("a start shows record \(record.lsn), which nobody appended")
        }
        guard inspection.missing.remove(record.lsn.number) != nil, let content = records[record.lsn.number]?.content
        else {
            // Released, or not known to be durable when its process ended. A journal that was wiped counts anew.
            records[record.lsn.number] = nil
            return
        }
        if Shown(length: content.length, front: content.front) != seen {
            host.fail("a start shows record \(record.lsn) with other bytes than it was written with")
        }
    }

    /// All live records were shown.
    func finish(_ inspection: Inspection, _ report: RecoveryReport, at host: Host) {
        let news = host.disk.damageLog[damages...]
        // Until the next boot the system's memory may show what the disk has not, also of what this start wrote.
        if boots != host.boots { damages = inspection.damages }
        boots = host.boots
        for lost in inspection.missing { records[lost] = nil }
        if host.disk.damageLog.isEmpty, let damage = report.damage.first {
            host.fail("a start finds damage though the disk has done none: \(damage)")
        }
        guard !inspection.missing.isEmpty, !news.contains(where: { $0.path == "/" }) else { return }
        // Without its header a segment is lost whole.
        if !news.isEmpty, report.damage.contains(where: { $0.offset == 0 }) { return }
        // A range can hold so many records of the least size, cut two at its ends, and void the last commit's.
        var excused = news.reduce(0) { $0 + $1.range.count / Self.leastRecord + 2 }
        if !news.isEmpty { excused += report.tornTails.filter(\.isUncertain).reduce(0) { $0 + $1.records } }
        if inspection.missing.count > excused {
            host.fail(
                "a start does not show \(inspection.missing.count) records that were durable, from "
                    + "\(inspection.missing.min() ?? 0) on; the disk's own damage explains \(excused)")
        }
    }

    /// Bytes of a record's header.
    private static let leastRecord = 32
}
