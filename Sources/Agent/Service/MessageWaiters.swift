import Envelope

/// Those who asked to be told when a message is durable here, or when it has been receipted.
struct MessageWaiters {
    enum Stage {
        case durable
        case receipted
    }

    private struct Waiter {
        var number: UInt64
        var stage: Stage
        var sequence: Sequence
        var tell: @Sendable (Bool) -> Void
    }

    private var streams: [StreamID: [Waiter]] = [:]
    private var next: UInt64 = 1

    var count: Int { streams.values.reduce(0) { $0 + $1.count } }

    /// - Parameter tell: called once, with false where it will not be known any more.
    /// - Returns: a number for ``remove(_:of:)``.
    mutating func add(
        _ stage: Stage, _ stream: StreamID, _ sequence: Sequence, _ tell: @escaping @Sendable (Bool) -> Void
    ) -> UInt64 {
        defer { next += 1 }
        streams[stream, default: []].append(Waiter(number: next, stage: stage, sequence: sequence, tell: tell))
        return next
    }

    /// Nobody waits any more.
    mutating func remove(_ number: UInt64, of stream: StreamID) {
        streams[stream]?.removeAll { $0.number == number }
        if streams[stream]?.isEmpty == true { streams[stream] = nil }
    }

    mutating func tell(_ stage: Stage, _ stream: StreamID, through mark: Sequence) {
        guard !streams.isEmpty, let waiting = streams[stream] else { return }
        let rest = waiting.filter { $0.stage != stage || $0.sequence > mark }
        streams[stream] = rest.isEmpty ? nil : rest
        for waiter in waiting where waiter.stage == stage && waiter.sequence <= mark { waiter.tell(true) }
    }

    /// The stream has ended: what of it was not receipted has expired.
    mutating func forget(_ stream: StreamID) {
        for waiter in streams.removeValue(forKey: stream) ?? [] { waiter.tell(false) }
    }

    /// Sends everybody away: the agent is stopping.
    mutating func dismissAll() {
        let all = streams
        streams = [:]
        for waiters in all.values { for waiter in waiters { waiter.tell(false) } }
    }
}
