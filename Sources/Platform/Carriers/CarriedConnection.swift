/// What a channel has of its connection while that lives on another thread: what has arrived and is not read yet, and the
/// count of what is under way.
final class CarriedConnection {
    private let carrier: Carrier
    private let number: UInt64
    /// In order; of the first `place` bytes are read.
    private var unread: [Parcel] = []
    private var place = 0
    /// Waits for what is written right after it.
    private var filling: Parcel?
    private var bytesOut = 0
    private var parcelsOut = 0
    /// Why the connection is no more; the channel ends once everything that came before is read.
    var ended: CloseReason?

    init(_ carrier: Carrier, _ number: UInt64) {
        self.carrier = carrier
        self.number = number
    }

    // MARK: Inwards

    /// Whether a read brings bytes.
    var holdsBytes: Bool { !unread.isEmpty }

    /// Whether a read brings bytes or the end.
    var mayBeRead: Bool { holdsBytes || ended != nil }

    func arrived(_ parcel: Parcel) { unread.append(parcel) }

    /// What is to be read next; empty where nothing waits. Valid until ``consume(_:)``.
    var readable: UnsafeRawBufferPointer {
        guard let parcel = unread.first else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: parcel.bytes[place...])
    }

    /// - Precondition: no more than ``readable`` has.
    func consume(_ count: Int) {
        place += count
        guard let parcel = unread.first, place == parcel.count else { return }
        place = 0
        unread.removeFirst()
        carrier.order(.emptied(number, parcel))
    }

    // MARK: Outwards

    /// Takes as much as may be under way.
    /// - Parameter hasMore: more is written right after it, or ``flush()`` is called: small pieces then share a parcel, since
    ///   few of those may be under way.
    func send(_ bytes: UnsafeRawBufferPointer, hasMore: Bool) -> Int {
        guard ended == nil else { return 0 }
        var taken = 0
        while taken < bytes.count, let parcel = parcel(for: hasMore ? Parcel.largeBytes : bytes.count - taken) {
            let count = min(bytes.count - taken, parcel.capacity - parcel.count, TrafficBounds.bytesOut - bytesOut)
            parcel.append(UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + count]))
            taken += count
            bytesOut += count
            if parcel.count == parcel.capacity { flush() }
        }
        if !hasMore || taken < bytes.count { flush() }
        return taken
    }

    /// Sends off what waits for more.
    func flush() {
        guard let parcel = filling else { return }
        filling = nil
        carrier.order(.send(number, parcel))
    }

    /// One with room; nil where no more may be under way.
    private func parcel(for count: Int) -> Parcel? {
        guard bytesOut < TrafficBounds.bytesOut else { return nil }
        if let filling { return filling }
        guard parcelsOut < TrafficBounds.parcels else { return nil }
        parcelsOut += 1
        filling = carrier.parcel(for: count)
        return filling
    }

    /// So many bytes of one parcel were given to the connection.
    func carriedOff(_ count: Int) {
        bytesOut -= count
        parcelsOut -= 1
    }

    /// Half is free again: less would make many small writes of few large ones.
    var hasRoom: Bool {
        ended == nil && parcelsOut <= TrafficBounds.parcels / 2 && bytesOut <= TrafficBounds.bytesOut / 2
    }

    // MARK: The end

    func close(flushing rest: [UInt8], within limit: Duration) {
        giveBack()
        flush()
        carrier.order(.close(number, rest: rest, limit: limit))
    }

    /// The channel has ended.
    func leave() {
        giveBack()
        if ended == nil { carrier.order(.abort(number)) }
        carrier.forget(number)
    }

    private func giveBack() {
        place = 0
        for parcel in unread { carrier.order(.emptied(number, parcel)) }
        unread = []
    }
}
