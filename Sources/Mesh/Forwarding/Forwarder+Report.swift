import Envelope
import Link

extension Forwarder {
    /// What is not yet in the next hop's care, for one destination in one lane.
    public struct QueueFigures: Equatable, Sendable {
        public var destination: NodeID
        /// nil for envelopes whose hops are used up.
        public var lane: Lane?
        /// Waiting, and sent without a confirmation so far.
        public var envelopes: Int
        public var bytes: Int
        /// Of these, sent without a confirmation so far.
        public var inFlight: Int
        public var oldestAge: Duration
        /// The neighbour they go to; nil while there is no way.
        public var nextHop: NodeID?
        /// A neighbour asked to wait.
        public var isHeld: Bool
    }

    /// Queues that hold something or have something in flight, in the order their destinations were first met. Looks
    /// at every instance: for reports.
    public func queueFigures(at now: Instant) -> [QueueFigures] {
        let sent = inFlightFigures(at: now)
        return queues.indices.filter { !queues[$0].isEmpty || sent[$0].envelopes > 0 }.map { number in
            let destination = destinations[number / Destination.queuesEach]
            let queue = queues[number]
            let waiting = queue.isEmpty ? .zero : instances[UInt32(queue.head)].age(at: now)
            return QueueFigures(
                destination: destination.node,
                lane: Lane(rawValue: UInt8(number % Destination.queuesEach)),
                envelopes: queue.count + sent[number].envelopes, bytes: queue.bytes + sent[number].bytes,
                inFlight: sent[number].envelopes, oldestAge: max(waiting, sent[number].oldestAge),
                nextHop: destination.nextHop < 0 ? nil : links[Int(destination.nextHop)].peer,
                isHeld: queue.heldUntil != .zero)
        }
    }

    /// Bytes that wait, by destination and lane (nil: parked), in the order of ``queueFigures(at:)``; looks at no instance.
    public var waitingBytes: [(destination: NodeID, lane: Lane?, bytes: Int)] {
        queues.indices.filter { !queues[$0].isEmpty }.map { number in
            (
                destinations[number / Destination.queuesEach].node,
                Lane(rawValue: UInt8(number % Destination.queuesEach)), queues[number].bytes
            )
        }
    }

    private struct InFlightFigures {
        var envelopes = 0
        var bytes = 0
        var oldestAge = Duration.zero
    }

    /// By queue number: what was sent and is not confirmed.
    private func inFlightFigures(at now: Instant) -> [InFlightFigures] {
        var figures = [InFlightFigures](repeating: InFlightFigures(), count: queues.count)
        for index in instances.indices where instances[index].state == .inFlight && !instances[index].isFinished {
            let number = Int(instances[index].queue)
            guard figures.indices.contains(number) else { continue }
            figures[number].envelopes += 1
            figures[number].bytes += Int(instances[index].length)
            figures[number].oldestAge = max(figures[number].oldestAge, instances[index].age(at: now))
        }
        return figures
    }

    /// What is not yet in the care of each neighbour it goes to: waiting, or sent without a confirmation.
    public func linkFigures(at now: Instant) -> [LinkFigures] {
        var figures = links.map { LinkFigures(peer: $0.peer, isUp: $0.isUp) }
        for queue in queueFigures(at: now) {
            guard let hop = queue.nextHop, let link = linkIndex[hop] else { continue }
            figures[link].envelopes += queue.envelopes
            figures[link].bytes += queue.bytes
            figures[link].oldestAge = max(figures[link].oldestAge, queue.oldestAge)
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
