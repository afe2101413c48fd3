import AgentCore
import Crypto
import Envelope
import Journal
import Keyring
import Mesh
import Node
import Platform
import Synchronization

/// Brings what lies in the quarantine to a sink after all, once.
///
/// What could not be opened is still awaited by its stream: it goes in under its own name, so that the copy that its
/// source sends is known for one. What a sink rejected is behind its stream's mark: it goes in under a stream made of its
/// bytes and the sink's name, so that a second try of one that had its effect (a crash came before it was taken out) is
/// known for one too. Which sink was tried is written down before it is, and forgotten when the sink has said no; until
/// then no other sink gets it.
final class QuarantineDesk: Sendable {
    enum Answer: Equatable, Sendable {
        /// Its effect is durable, and it has left the quarantine.
        case delivered
        /// The sink did not take it; it stays.
        case kept
        /// Handed over, and no word yet.
        case underWay
        /// It cannot be done; the texts say why, and what to do.
        case refused(String, hint: String)
        case missing
    }

    private struct Try: Sendable {
        var id: String
        /// Of its own making: its marks are of no interest to the source.
        var stream: StreamID?
        var reply: Reply<Answer>
    }

    private struct State {
        var tries: [UInt32: Try] = [:]
        var last: UInt32 = 0
    }

    /// The place that no instance of the forwarder has.
    private static let place: UInt64 = UInt64(UInt32.max) - 1

    private let quarantine: Quarantine
    private let keys: KeyRing
    private let log: Log
    private let routes = Mutex<SinkRoutes?>(nil)
    private let state = Mutex(State())

    init(_ quarantine: Quarantine, keys: KeyRing, log: Log) {
        self.quarantine = quarantine
        self.keys = keys
        self.log = log
    }

    func replace(_ routes: SinkRoutes) { self.routes.withLock { $0 = routes } }

    /// Whether an item for a sink comes from here.
    static func isTry(_ instance: InstanceID) -> Bool { instance.token & 0xFFFF_FFFF == place }

    // MARK: Trying

    /// - Parameters:
    ///   - sink: another than the one that takes its topic.
    ///   - limit: how long the sink's word is waited for.
    func retry(_ id: String, sink: String?, within limit: Duration) -> Answer {
        guard let entry = quarantine.entry(id) else { return .missing }
        switch entry.note.kind {
        case .damaged, .unknown:
            return .refused(
                "'\(id)' is \(entry.note.kind.word): \(entry.note.reason)",
                hint: "export it to look at it, then purge it; its source sends what has had no effect again")
        case .unopened where sink != nil:
            return .refused(
                "'\(id)' could not be opened, and its stream waits for it",
                hint: "retry it without a sink once the reason is gone; it goes where its topic goes")
        case .unopened, .rejected: break
        }
        do throws(FileError) {
            guard let envelope = try quarantine.envelope(id) else { return .missing }
            return try hand(entry, envelope, sink, within: limit)
        } catch {
            return .refused("the quarantine's disk fails: \(error)", hint: "mend the disk and try again")
        }
    }

    private func hand(
        _ entry: QuarantineEntry, _ envelope: [UInt8], _ sink: String?, within limit: Duration
    ) throws(FileError) -> Answer {
        guard let header = try? Header(envelope), let routes = routes.withLock({ $0 }) else {
            return .refused("'\(entry.id)' has no header that can be read", hint: "export it to look at it")
        }
        var opener = Opener(keys.current)
        let batch: [UInt8]
        do throws(OpenError) { batch = try opener.open(envelope) } catch {
            return .refused(
                "'\(entry.id)' cannot be opened: \(error)",
                hint: "bring the missing key with a new key file, then retry")
        }
        guard let reader = try? RecordBatch.Reader(batch) else {
            return .refused("'\(entry.id)' holds no record batch", hint: "export it to look at it")
        }
        let worker =
            sink.map { routes.worker(named: $0) } ?? routes.worker(topic: reader.topic, source: header.source)
        guard let worker else {
            return .refused(
                sink.map { "there is no sink '\($0)'" } ?? "no sink takes the topic '\(reader.topic)'",
                hint: "node status lists the sinks; redirect names one")
        }
        let name = worker.settings.name
        if let tried = entry.note.attempt, tried != name {
            return .refused(
                "whether the sink '\(tried)' has it is not known yet",
                hint: "retry it there first, with --sink \(tried)")
        }
        return try hand(entry, header, batch, reader.count, to: worker, within: limit)
    }

    private func hand(
        _ entry: QuarantineEntry, _ header: Header, _ batch: [UInt8], _ records: Int, to worker: SinkWorker,
        within limit: Duration
    ) throws(FileError) -> Answer {
        let isOwn = entry.note.kind.isBehindItsStream
        let stream = isOwn ? Self.stream(entry.id, worker.settings.name) : header.stream
        let reply = Reply<Answer>()
        let number = state.withLock { state -> UInt32? in
            guard !state.tries.values.contains(where: { $0.id == entry.id }) else { return nil }
            state.last &+= 1
            state.tries[state.last] = Try(id: entry.id, stream: isOwn ? stream : nil, reply: reply)
            return state.last
        }
        guard let number else { return .underWay }
        if isOwn {
            do throws(FileError) { try quarantine.change(entry.id) { $0.attempt = worker.settings.name } } catch {
                state.withLock { $0.tries[number] = nil }
                throw error
            }
        }
        let item = SinkItem(
            instance: InstanceID(token: UInt64(number) << 32 | Self.place), source: header.source, stream: stream,
            sequence: isOwn ? Sequence(1) : header.sequence, floor: isOwn ? Sequence(1) : header.floor, batch: batch,
            records: records)
        guard worker.add(item) else {
            finish(number, .kept)
            return .kept
        }
        return reply.wait(within: limit) ?? .underWay
    }

    /// The same for the same envelope and sink, and no source's.
    private static func stream(_ id: String, _ sink: String) -> StreamID {
        let digest = Digest.sha256(Array("gridrelay quarantine v1\n\(id)\n\(sink)".utf8))
        return StreamID(Bytes16(digest.prefix(16)))
    }

    // MARK: What came of it

    /// Takes out what concerns tries from here.
    /// - Returns: the rest, which concerns neighbours and sources.
    func settle(_ outcomes: [DeliveryOutcome]) -> [DeliveryOutcome] {
        let streams = state.withLock { Set($0.tries.values.compactMap(\.stream)) }
        return outcomes.filter { outcome in
            switch outcome {
            case .finished(let instance) where Self.isTry(instance):
                finish(UInt32(truncatingIfNeeded: instance.token >> 32), .delivered)
                return false
            case .giveBack(let instance, _) where Self.isTry(instance):
                finish(UInt32(truncatingIfNeeded: instance.token >> 32), .kept)
                return false
            case .mark(_, let stream, _), .skipped(_, let stream, _): return !streams.contains(stream)
            case .finished, .giveBack: return true
            }
        }
    }

    private func finish(_ number: UInt32, _ answer: Answer) {
        guard let tried = state.withLock({ $0.tries.removeValue(forKey: number) }) else { return }
        do throws(FileError) {
            if answer == .delivered {
                try quarantine.remove(tried.id)
                log.notice("quarantine.delivered", "what lay in the quarantine has had its effect", ["id": tried.id])
            } else {
                try quarantine.change(tried.id) { $0.attempt = nil }
            }
        } catch {
            // It is tried again under the same name, and known to have had its effect.
            log.error("quarantine.unsaved", "its end cannot be written down: \(error)", ["id": tried.id])
        }
        tried.reply.fill(answer)
    }
}

extension QuarantineDesk {
    /// How long a request waits for the sink's word.
    private static let patience: Duration = .seconds(20)

    /// `POST /v1/quarantine/ID/retry?sink=NAME`.
    /// - Returns: nil for any other request.
    func answer(_ request: AdminRequest) -> AdminResponse? {
        let parts = request.path.split(separator: "/")
        guard request.method == "POST", parts.count == 4, parts[0] == "v1", parts[1] == "quarantine",
            parts[3] == "retry"
        else { return nil }
        let id = String(parts[2])
        return switch retry(id, sink: request.query["sink"], within: Self.patience) {
        case .delivered: .json(status: 200, QuarantineOutcome(id: id, outcome: .delivered))
        case .kept: .json(status: 200, QuarantineOutcome(id: id, outcome: .kept))
        case .underWay: .json(status: 202, QuarantineOutcome(id: id, outcome: .underWay))
        case .refused(let reason, let hint): .problem(status: 409, reason, hint: hint)
        case .missing: Quarantine.missing(id)
        }
    }
}
