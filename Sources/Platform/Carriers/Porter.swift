import Crypto

/// Owns a carried channel on the thread that carries it: brings what arrives to the reactor that decides, and sends what
/// comes from there.
final class Porter: ChannelOwner {
    /// Each holds the other until the channel has ended.
    private let station: Station
    private let number: UInt64
    private var channel: Channel?
    /// To be sent, in order; of the first `place` bytes are sent.
    private var outbound: [Parcel] = []
    private var place = 0
    private var arrivalsUnderWay = 0

    init(_ station: Station, _ number: UInt64) {
        self.station = station
        self.number = number
    }

    func begin(_ reactor: Reactor, _ moved: MovedConnection) throws {
        channel = try Channel(reactor, adopting: moved, owner: self)
    }

    // MARK: Inwards

    func channelReadable(_ channel: Channel) {
        guard let parcel = station.pool.read(channel) else { return }
        arrivalsUnderWay += 1
        if arrivalsUnderWay == TrafficBounds.parcels { channel.isPaused = true }
        station.report(.arrived(number, parcel))
    }

    func arrivalEmptied() {
        arrivalsUnderWay -= 1
        channel?.isPaused = false
    }

    // MARK: Outwards

    func send(_ parcel: Parcel) {
        outbound.append(parcel)
        // Behind others it waits until those are written.
        if outbound.count == 1 { push() }
    }

    func channelWritable(_ channel: Channel) { push() }

    private func push() {
        guard let channel else { return }
        while let parcel = outbound.first {
            place += channel.write(UnsafeRawBufferPointer(rebasing: parcel.bytes[place...]))
            guard place == parcel.count else { return }
            place = 0
            outbound.removeFirst()
            station.report(.emptied(number, parcel))
        }
    }

    // MARK: The end

    func close(rest: [UInt8], limit: Duration) {
        var farewell: [UInt8] = []
        for parcel in outbound {
            farewell += parcel.bytes[place...]
            place = 0
        }
        outbound = []
        channel?.close(flushing: farewell + rest, within: limit)
    }

    func abort() { channel?.abort() }

    func channelOpened(_ channel: Channel) {}

    func channelClosed(_ channel: Channel, reason: CloseReason) {
        self.channel = nil
        station.ended(number, reason)
    }
}
