/// One thread that carries channels, as the reactor that decides sees it. Belongs to that reactor's thread.
final class Carrier {
    private let orders = Chute<Order>()
    private let reports = Chute<Report>()
    private let thread: ReactorThread
    private var channels: [UInt64: Channel] = [:]
    private var lastNumber: UInt64 = 0
    private var pool = ParcelPool()

    init(_ home: Reactor, name: String) throws {
        let (orders, reports) = (orders, reports)
        (thread, _) = try ReactorThread.start(name: name) { _ = Station($0, orders: orders, reports: reports) }
        let mailbox = home.mailbox
        let bound = home.bind(self)
        let work: @Sendable () -> Void = { bound.value.hear() }
        reports.open { mailbox.post(work) }
    }

    /// Channels carried now.
    var load: Int { channels.count }

    func carry(_ channel: Channel) {
        lastNumber += 1
        guard let moved = channel.moveOut(to: CarriedConnection(self, lastNumber)) else { return }
        channels[lastNumber] = channel
        guard orders.put(.adopt(lastNumber, moved)) else {
            moved.discard()
            return channel.finish(.shutDown)
        }
    }

    /// Ends the thread and everything it carried.
    func stop() {
        thread.stop()
        hear()
        reports.close()
    }

    func order(_ order: Order) { orders.put(order) }

    /// The channel hears no more of its number.
    func forget(_ number: UInt64) { channels[number] = nil }

    /// An empty one with room for so many bytes, or for as many as a parcel can have.
    func parcel(for count: Int) -> Parcel { pool.take(for: count) }

    private func hear() {
        reports.drain { hear($0) }
    }

    private func hear(_ report: Report) {
        switch report {
        case .arrived(let number, let parcel):
            guard let channel = channels[number], channel.isOpen else { return order(.emptied(number, parcel)) }
            channel.arrived(parcel)
        case .emptied(let number, let parcel):
            let count = parcel.count
            pool.put(parcel)
            channels[number]?.carriedOff(count)
        case .closed(let number, let reason):
            channels[number]?.carriedToItsEnd(reason)
        }
    }
}
