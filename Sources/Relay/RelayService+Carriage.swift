import Crypto
import Envelope
import Journal
import Link
import Mesh
import Node
import Platform
import RelayCore

// Envelopes that people carry: copies of what is stored here, and what was copied elsewhere. Questions come on the admin
// server's threads; what is stored is told by the journal later, so they wait for it there.
extension RelayService {
    /// How long the journal may take.
    private static let patience: Duration = .seconds(60)

    /// - Returns: nil for what is no question of a carrier.
    static func carry(_ request: AdminRequest, _ relay: ReactorBound<RelayService>) -> AdminResponse? {
        do throws(MailboxError) {
            switch (request.method, request.path) {
            case ("GET", "/v1/stored"): return try list(request, relay)
            case ("POST", "/v1/stored/copies"): return try copy(request, relay)
            case ("POST", "/v1/stored"): return try bring(request, relay)
            default: return nil
            }
        } catch {
            return .problem(status: 503, error.description)
        }
    }

    // MARK: Away

    private static func list(
        _ request: AdminRequest, _ relay: ReactorBound<RelayService>
    ) throws(MailboxError) -> AdminResponse {
        let question: CarriageQuestion
        do throws(FlowError) { question = try CarriageQuestion(request) } catch {
            return .problem(status: 400, error.description, hint: "a destination is zone/name, zone/* or *")
        }
        let (copies, names) = try relay.ask { relay in
            let router = relay.machine.router
            let copies = relay.hub.exchange.forwarder.durableCopies {
                question.wants($0, hasWay: $1, name: router.nodeName(of: $0))
            }
            return (copies, copies.nodes.compactMap { router.nodeName(of: $0) })
        }
        return copies.answer(names: names)
    }

    private static func copy(
        _ request: AdminRequest, _ relay: ReactorBound<RelayService>
    ) throws(MailboxError) -> AdminResponse {
        guard let numbers = request.storedNumbers else {
            return .problem(status: 400, "the body is not a list of at most \(CopyDesk.copiesAtOnce) numbers")
        }
        let reply = Reply<[UInt8]?>()
        try relay.ask { $0.copy(numbers, reply) }
        guard let answer = reply.wait(within: patience), let bytes = answer else {
            return .problem(status: 503, "the store did not answer in time", hint: "see the node's log")
        }
        return .bytes(status: 200, bytes)
    }

    private func copy(_ numbers: [UInt64], _ reply: Reply<[UInt8]?>) {
        guard !isStopping, let store else { return reply.fill(nil) }
        let request = copyDesk.begin(numbers, reply)
        store.submit { batch in
            for number in numbers { machine.copy(number, for: request, &batch) }
        }
    }

    // MARK: Here

    private static func bring(
        _ request: AdminRequest, _ relay: ReactorBound<RelayService>
    ) throws(MailboxError) -> AdminResponse {
        let parcel: Parcel
        do throws(CarriageReader.Failure) { parcel = try Parcel(request.body) } catch {
            return .problem(status: 400, error.description, hint: "bring records as docs/formats/carriage.md has them")
        }
        let reply = Reply<CarriageReport>()
        try relay.ask { $0.bring(parcel, reply) }
        guard let report = reply.wait(within: patience) else {
            return .problem(
                status: 503, "the store did not say in time that all is durable",
                hint: "bring the same again: what comes twice has its effect once")
        }
        return .json(status: 200, report)
    }

    private func bring(_ parcel: Parcel, _ reply: Reply<CarriageReport>) {
        learn(parcel.names)
        var bringing = Bringing(reply)
        guard !isStopping, let store else {
            bringing.report.waits = RefusalReason.stopping.description
            return reply.fill(bringing.report)
        }
        let now = reactor.now
        store.submit { batch in
            parcel.body.withUnsafeBytes { bytes in
                for (index, item) in parcel.envelopes.enumerated() {
                    let envelope = UnsafeRawBufferPointer(rebasing: bytes[item.range])
                    let verdict = machine.carry(envelope, item.hop, &hub.exchange, &batch, at: now)
                    guard bringing.note(verdict, index) else { break }
                }
            }
        }
        bringings.append(bringing)
        endBringings()
    }

    /// - Parameter error: why the store did not take it.
    func carried(_ ticket: UInt64, _ error: JournalError?) {
        guard let place = bringings.firstIndex(where: { $0.waiting[ticket] != nil }) else { return }
        bringings[place].end(ticket, error)
        endBringings()
    }

    private func endBringings() {
        for bringing in bringings where bringing.waiting.isEmpty { bringing.fill() }
        bringings.removeAll { $0.waiting.isEmpty }
    }

    // MARK: Names

    private var namesPath: String { configuration.store.directory + "/names" }
    private static let namesBytes = Limits.taughtNames * (2 * Limits.nameLength + 2)

    /// Names that were told by carriers before this start. Without them flows that name zones cannot be checked.
    func recallNames() {
        do throws(FileError) {
            guard try Files.attributes(of: namesPath) != nil else { return }
            let text = String(decoding: try Files.read(namesPath, limit: Self.namesBytes), as: UTF8.self)
            let names = text.split(separator: "\n").compactMap { try? NodeName($0) }
            machine.learn(names, &hub.exchange, at: reactor.now)
        } catch {
            log.warning("names.unread", "names that came with carried envelopes are not known: \(error)")
        }
    }

    private func learn(_ names: [NodeName]) {
        let known = machine.router.taughtNames.count
        let news = names.filter { machine.router.nodeName(of: NodeID(of: $0)) == nil }
        guard !news.isEmpty else { return }
        machine.learn(news, &hub.exchange, at: reactor.now)
        settleMachine()
        let taught = machine.router.taughtNames
        guard taught.count > known else { return }
        do throws(FileError) {
            try Files.replace(namesPath, with: Array(taught.map { "\($0)\n" }.joined().utf8))
        } catch {
            log.warning("names.unsaved", "names that came with carried envelopes are forgotten at a restart: \(error)")
        }
    }
}

/// What a carrier brings at once.
private struct Parcel: Sendable {
    struct Item: Sendable {
        var hop: HopFields
        var range: Range<Int>
    }

    var body: [UInt8]
    var names: [NodeName] = []
    var envelopes: [Item] = []

    init(_ body: [UInt8]) throws(CarriageReader.Failure) {
        self.body = body
        let found = body.withUnsafeBytes { bytes in
            Result { () throws(CarriageReader.Failure) in
                var found: (names: [NodeName], envelopes: [Item]) = ([], [])
                var reader = CarriageReader(bytes)
                while let record = try reader.next() {
                    switch record {
                    case .name(let name): found.names.append(name)
                    case .envelope(let hop, let envelope):
                        found.envelopes.append(Item(hop: hop, range: reader.offset - envelope.count..<reader.offset))
                    case .end, .stored, .unknown: break
                    }
                }
                return found
            }
        }
        (names, envelopes) = try found.get()
    }
}

/// Envelopes of one carrier's request that are being stored.
struct Bringing {
    var report = CarriageReport()
    /// Places in the request, by ticket.
    var waiting: [UInt64: Int] = [:]
    private let reply: Reply<CarriageReport>

    init(_ reply: Reply<CarriageReport>) { self.reply = reply }

    /// - Returns: whether the next may be tried.
    mutating func note(_ verdict: RelayMachine<CertificateTrust>.CarriageVerdict, _ index: Int) -> Bool {
        switch verdict {
        case .storing(let ticket): waiting[ticket] = index
        case .refused(let reason) where reason.concernsOneEnvelope: refuse(index, reason.description)
        case .refused(let reason):
            report.waits = reason.description
            return false
        case .expired: refuse(index, "it has lived out its lifetime")
        case .damaged(let reason): refuse(index, reason)
        }
        report.taken = index + 1
        return true
    }

    private mutating func refuse(_ index: Int, _ reason: String) {
        report.refused.append(.init(index: index, reason: reason))
    }

    /// One that the store does not take ends the request there: what is behind it is brought again too.
    mutating func end(_ ticket: UInt64, _ error: JournalError?) {
        guard let index = waiting.removeValue(forKey: ticket) else { return }
        guard let error else {
            report.stored += 1
            return
        }
        report.waits = error.description
        report.taken = min(report.taken, index)
    }

    func fill() { reply.fill(report) }
}
