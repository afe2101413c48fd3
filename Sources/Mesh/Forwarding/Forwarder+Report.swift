import Envelope
import Link

extension Forwarder {
    /// What waits for one destination in one lane.
    public struct QueueFigures: Equatable, Sendable {
        public var destination: NodeID
        /// nil for envelopes whose hops are used up.
        public var lane: Lane?
        public var envelopes: Int
        public var bytes: Int
        public var oldestAge: Duration
        /// The neighbour they go to; nil while there is no way.
        public var nextHop: NodeID?
        /// A neighbour asked to wait.
        public var isHeld: Bool
    }

    /// Queues that hold something, in the order their destinations were first met.
    public func queueFigures(at now: Instant) -> [QueueFigures] {
        queues.indices.filter { !queues[$0].isEmpty }.map { number in
            let destination = destinations[number / Destination.queuesEach]
            let queue = queues[number]
            return QueueFigures(
                destination: destination.node,
                lane: Lane(rawValue: UInt8(number % Destination.queuesEach)), envelopes: queue.count,
                bytes: queue.bytes, oldestAge: instances[UInt32(queue.head)].age(at: now),
                nextHop: destination.nextHop < 0 ? nil : links[Int(destination.nextHop)].peer,
                isHeld: queue.heldUntil != .zero)
        }
    }

    /// What waits for each link: in its queues, not counting what is in flight.
    public func linkFigures(at now: Instant) -> [LinkFigures] {
        var figures = links.map { LinkFigures(peer: $0.peer, isUp: $0.isUp) }
        for number in queues.indices where !queues[number].isEmpty {
            let link = Int(destinations[number / Destination.queuesEach].nextHop)
            guard link >= 0 else { continue }
            figures[link].envelopes += queues[number].count
            figures[link].bytes += queues[number].bytes
            let age = instances[UInt32(queues[number].head)].age(at: now)
            figures[link].oldestAge = max(figures[link].oldestAge, age)
        }
        return figures
    }

    public struct LinkFigures: Equatable, Sendable {
        public var peer: NodeID
        public var isUp: Bool
        public var envelopes = 0
        public var bytes = 0
        public var oldestAge = Duration.zero
    }

    /// Envelopes here: waiting, in flight, and on their way into a local effect.
    public struct Holdings: Equatable, Sendable {
        public var queued = 0
        public var queuedBytes = 0
        public var parked = 0
        public var parkedBytes = 0
        /// In flight or being delivered.
        public var underWay = 0
        public var memoryBytes = 0
        public var memoryReservedBytes = 0
    }

    public var holdings: Holdings {
        var holdings = Holdings()
        for number in queues.indices where !queues[number].isEmpty {
            let isParked = isStuck(Int32(number))
            holdings.queued += queues[number].count
            holdings.queuedBytes += queues[number].bytes
            if isParked {
                holdings.parked += queues[number].count
                holdings.parkedBytes += queues[number].bytes
            }
        }
        holdings.underWay = instances.count - holdings.queued - ghosts
        holdings.memoryBytes = slabs.bytesHeld
        holdings.memoryReservedBytes = slabs.bytesReserved
        return holdings
    }
}

extension Instance {
    func age(at now: Instant) -> Duration { .milliseconds(Int64(hop(at: now).age)) }
}
