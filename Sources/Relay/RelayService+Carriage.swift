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
    static func carry(
        _ request: AdminRequest, _ relay: ReactorBound<RelayService>, _ names: NamesFile
    ) -> AdminResponse? {
        do throws(MailboxError) {
            switch (request.method, request.path) {
            case ("GET", "/v1/stored"): return try list(request, relay)
            case ("POST", "/v1/stored/copies"):
                return try request.answerCopies { (numbers, reply) throws(MailboxError) in
                    try relay.ask { $0.copy(numbers, reply) }
                }
            case ("POST", "/v1/stored"): return try bring(request, relay, names)
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

    private func copy(_ numbers: [UInt64], _ reply: CopyDesk.Answer) {
        guard !isStopping, let store else { return reply.fill(nil) }
        let request = copyDesk.begin(numbers, reply)
        store.submit { batch in
            for number in numbers { machine.copy(number, for: request, &batch) }
        }
    }

    // MARK: Here

    private static func bring(
        _ request: AdminRequest, _ relay: ReactorBound<RelayService>, _ names: NamesFile
    ) throws(MailboxError) -> AdminResponse {
        let parcel: Parcel
        do throws(CarriageReader.Failure) { parcel = try Parcel(request.body) } catch {
            return .problem(status: 400, error.description, hint: "bring records as docs/formats/carriage.md has them")
        }
        names.save(try relay.ask { $0.learn(parcel.names) })
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
        var tally = CarriageTally(reply)
        guard !isStopping, let store else {
            tally.stopped(RefusalReason.stopping.description)
            return tally.fill()
        }
        let now = reactor.now
        store.submit { batch in
            parcel.body.withUnsafeBytes { bytes in
                for (index, item) in parcel.envelopes.enumerated() {
                    let envelope = UnsafeRawBufferPointer(rebasing: bytes[item.range])
                    switch machine.carry(envelope, item.hop, &hub.exchange, &batch, at: now) {
                    case .storing(let ticket): tally.storing(index, ticket: ticket)
                    case .expired: tally.refused(index, "it has lived out its lifetime")
                    case .damaged(let reason): tally.refused(index, reason)
                    case .refused(let reason) where reason.concernsOneEnvelope:
                        tally.refused(index, reason.description)
                    case .refused(let reason): return tally.stopped(reason.description)
                    }
                }
            }
        }
        tallies.append(tally)
        answerSettled()
    }

    /// - Parameter error: why the store did not take it.
    func carried(_ ticket: UInt64, _ error: JournalError?) {
        guard let place = tallies.firstIndex(where: { $0.awaits(ticket) }) else { return }
        tallies[place].ended(ticket, error: error?.description)
        answerSettled()
    }

    private func answerSettled() {
        for tally in tallies where tally.isSettled { tally.fill() }
        tallies.removeAll(where: \.isSettled)
    }

    /// Sends carriers away: the relay is stopping.
    func dismissCarriers() {
        copyDesk.dismissAll()
        for place in tallies.indices { tallies[place].dismiss(RefusalReason.stopping.description) }
        answerSettled()
    }

    /// - Returns: all names that carriers have told.
    private func learn(_ names: [NodeName]) -> [NodeName] {
        let news = names.filter { machine.router.nodeName(of: NodeID(of: $0)) == nil }
        if !news.isEmpty {
            machine.learn(news, &hub.exchange, at: reactor.now)
            settleMachine()
        }
        return machine.router.taughtNames
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
