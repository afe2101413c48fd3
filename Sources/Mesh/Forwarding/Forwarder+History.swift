import Envelope
import Link

/// How what has waited long is sent beside what is fresh.
public struct HistoryPacing: Equatable, Sendable {
    /// Live envelopes older than this are history, and so is all of their stream behind them.
    public var after: Duration
    /// Percent of a link's bytes that bulk and history get while live data waits; 1 to 99.
    public var share: Int
    /// What bulk and history may send over one link; nil: as much as there is room for.
    public var bytesPerSecond: UInt64?

    public init(after: Duration = .seconds(60), share: Int = 10, bytesPerSecond: UInt64? = nil) {
        self.after = after
        self.share = share
        self.bytesPerSecond = bytesPerSecond
    }
}

// After an outage live data goes first: what has waited long gives way to it.
extension Forwarder {
    /// Moves the head of a live queue to its place among bulk where it is history: too old, or behind history in its
    /// stream, since a destination wants each stream in order.
    /// - Returns: whether it was moved.
    mutating func joinsHistory(_ index: UInt32, _ number: Int32, at now: Instant) -> Bool {
        guard Int(number) % Destination.queuesEach == Int(Lane.live.rawValue) else { return false }
        let stream = instances[index].stream
        guard book.streams[stream].history > 0 || instances[index].age(at: now) >= configuration.history.after else {
            return false
        }
        unlink(index)
        instances[index].isHistory = true
        book.streams[stream].history += 1
        add(
            index, to: number / Int32(Destination.queuesEach), row: Int(Lane.bulk.rawValue),
            instances[index].fillsGap ? .front : .byOrder)
        return true
    }

    /// Whether bulk may begin another envelope on a link; where not, the link is looked at again when it may.
    mutating func mayBeginBulk(_ link: LinkIndex, at now: Instant) -> Bool {
        guard let time = links[link].bulkPacer?.wait(at: now) else { return true }
        bulkDeadline = min(bulkDeadline, time)
        return false
    }

    mutating func releasePacedBulk(_ now: Instant) {
        guard bulkDeadline <= now else { return }
        bulkDeadline = .never
        for link in links.indices where !links[link].turns[Int(Lane.bulk.rawValue)].isEmpty { markDirty(link) }
    }
}
