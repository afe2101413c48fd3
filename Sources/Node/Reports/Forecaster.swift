import Envelope

/// What the sizes of a node's store and queues come to if they go on as they did lately, as a machine without a clock.
public struct Forecaster: Sendable {
    /// How often it should be told the sizes.
    public static let interval: Duration = .seconds(5)
    /// What lies longer ago counts little.
    static let memory: Duration = .seconds(60)
    /// Less than so many bytes a second is standing still: a forecast of years helps nobody.
    static let least = 1.0

    public struct Queue: Hashable, Sendable {
        public var destination: NodeID
        /// nil for parked.
        public var lane: Lane?

        public init(destination: NodeID, lane: Lane?) {
            self.destination = destination
            self.lane = lane
        }
    }

    private var store = Trend()
    private var accepted = Trend()
    private var queues: [Queue: Trend] = [:]

    public init() {}

    /// - Parameters:
    ///   - accepted: bytes taken into the node's care since it started.
    ///   - bytes: held now, by queue; one that is not named holds nothing.
    public mutating func note(accepted: UInt64 = 0, storeBytes: Int, queues bytes: [Queue: Int], at now: Instant) {
        self.accepted.note(Int(clamping: accepted), at: now)
        store.note(storeBytes, at: now)
        for queue in queues.keys where bytes[queue] == nil { queues[queue] = nil }
        for (queue, bytes) in bytes { queues[queue, default: Trend()].note(bytes, at: now) }
    }

    /// What comes into the node's care lately; nil where nothing is known yet.
    public var bytesInPerSecond: Double? { accepted.slope.map { max(0, $0) } }

    /// Seconds until a store that grows has reached its limit; nil where it does not grow or nothing is known yet.
    public func secondsToFull(_ bytes: Int, limit: Int) -> Double? {
        guard let slope = store.slope, slope >= Self.least else { return nil }
        return Double(max(0, limit - bytes)) / slope
    }

    /// Seconds until a queue that shrinks is empty; nil where it does not shrink or nothing is known yet.
    public func secondsToDrain(_ queue: Queue, _ bytes: Int) -> Double? {
        guard let slope = queues[queue]?.slope, slope <= -Self.least else { return nil }
        return Double(bytes) / -slope
    }

    /// How fast a size changes: an average in which each look counts by the time it speaks of.
    private struct Trend {
        private var last: (bytes: Int, at: Instant)?
        /// Bytes a second.
        private(set) var slope: Double?

        mutating func note(_ bytes: Int, at now: Instant) {
            defer { last = (bytes, now) }
            guard let last, now > last.at else { return }
            let seconds = Double((now - last.at).wholeNanoseconds) / 1_000_000_000
            let latest = Double(bytes - last.bytes) / seconds
            let span = Double(Forecaster.memory.wholeNanoseconds) / 1_000_000_000
            slope = slope.map { $0 + (latest - $0) * seconds / (seconds + span) } ?? latest
        }
    }
}
