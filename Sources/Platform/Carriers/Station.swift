/// The end of a carrier on its own thread: reads, decrypts, encrypts and writes for the channels it was given.
final class Station {
    var pool = ParcelPool()
    private unowned let reactor: Reactor
    private let orders: Chute<Order>
    private let reports: Chute<Report>
    private var porters: [UInt64: Porter] = [:]
    private var isLeaving = false

    init(_ reactor: Reactor, orders: Chute<Order>, reports: Chute<Report>) {
        self.reactor = reactor
        self.orders = orders
        self.reports = reports
        let mailbox = reactor.mailbox
        let bound = reactor.bind(self)
        let work: @Sendable () -> Void = { bound.value.carryOut() }
        orders.open { mailbox.post(work) }
        reactor.residents[ObjectIdentifier(self)] = self
    }

    func report(_ report: Report) { reports.put(report) }

    func ended(_ number: UInt64, _ reason: CloseReason) {
        porters[number] = nil
        reports.put(.closed(number, reason))
    }

    private func carryOut() {
        orders.drain { carryOut($0) }
    }

    private func carryOut(_ order: Order) {
        switch order {
        case .adopt(let number, let moved): adopt(number, moved)
        case .send(let number, let parcel): porters[number]?.send(parcel)
        case .emptied(let number, let parcel):
            pool.put(parcel)
            porters[number]?.arrivalEmptied()
        case .close(let number, let rest, let limit): porters[number]?.close(rest: rest, limit: limit)
        case .abort(let number): porters[number]?.abort()
        }
    }

    private func adopt(_ number: UInt64, _ moved: MovedConnection) {
        guard !isLeaving else {
            moved.discard()
            return ended(number, .shutDown)
        }
        let porter = Porter(self, number)
        porters[number] = porter
        do {
            try porter.begin(reactor, moved)
        } catch {
            ended(number, .broken("\(error)"))
        }
    }
}

extension Station: Resident {
    /// Nobody is left waiting: what was ordered and not begun is told to be over as well.
    func leave() {
        isLeaving = true
        orders.close()
        carryOut()
        reactor.residents[ObjectIdentifier(self)] = nil
    }
}
