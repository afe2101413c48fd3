import Envelope
import Link

extension Forwarder {
    /// How long an envelope to this destination may stay unconfirmed: twice the path's usual time, within bounds.
    func holdTime(_ destination: Int32) -> Duration {
        let link = destinations[Int(destination)].nextHop
        guard link >= 0 else { return configuration.holdTime.lowerBound }
        let usual = Duration.nanoseconds(links[Int(link)].confirmTime * 2)
        return min(max(usual, configuration.holdTime.lowerBound), configuration.holdTime.upperBound)
    }

    mutating func requestStore(_ index: UInt32, at now: Instant) {
        guard instances[index].stored == 0, !instances[index].isStoring, !instances[index].isFinished else { return }
        instances[index].isStoring = true
        counters.spilled += 1
        effects.append(.store(instances.id(index)))
    }

    /// The instance is durable here: custody goes upstream, and its memory may go.
    public mutating func stored(_ id: InstanceID, as token: UInt64, at now: Instant) {
        guard let index = instances.index(of: id), instances[index].isStoring else {
            effects.append(.forget(stored: token))
            return
        }
        instances[index].isStoring = false
        storeBlockedUntil = .zero
        if instances[index].isFinished {
            effects.append(.forget(stored: token))
            // In flight again it waits for its confirmation; otherwise only this write kept its place.
            if instances[index].state != .inFlight { instances.remove(index) }
            return
        }
        instances[index].stored = token
        settleCreditor(index)
        let isWaiting = instances[index].state == .queued
        let isStuck = isWaiting && destinations[Int(instances[index].queue) / Destination.queuesEach].nextHop < 0
        if isWaiting, isStuck || slabs.bytesHeld > configuration.memoryBytes / 2 {
            freeBlock(index)
        }
    }

    /// The store did not take it (full, failed): it stays in memory, custody stays upstream, tried again later.
    public mutating func storeFailed(_ id: InstanceID, at now: Instant) {
        storeBlockedUntil = now + Limits.storeRetry
        guard let index = instances.index(of: id), instances[index].isStoring else { return }
        instances[index].isStoring = false
        if instances[index].isFinished {
            if instances[index].state != .inFlight { instances.remove(index) }
            return
        }
        holding.append(HoldQueue.Entry(id: id, deadline: storeBlockedUntil))
    }

    public var nextDeadline: Instant {
        var deadline = sweepDue
        if let first = holding.first { deadline = min(deadline, first.deadline) }
        for number in heldQueues { deadline = min(deadline, queues[Int(number)].heldUntil) }
        if storeBlockedUntil != .zero { deadline = min(deadline, storeBlockedUntil) }
        return deadline
    }

    /// Spills what was not confirmed in time, lets refused queues try again, drops what has expired.
    public mutating func timeReached(_ now: Instant) {
        if storeBlockedUntil != .zero, now >= storeBlockedUntil { storeBlockedUntil = .zero }
        while let first = holding.first, first.deadline <= now {
            holding.removeFirst()
            guard let index = instances.index(of: first.id), instances[index].creditor.link >= 0 else { continue }
            requestStore(index, at: now)
        }
        releaseHeldQueues(now)
        if now >= sweepDue { sweep(now) }
    }

    private mutating func releaseHeldQueues(_ now: Instant) {
        guard !heldQueues.isEmpty else { return }
        var waiting: [Int32] = []
        for number in heldQueues {
            if queues[Int(number)].heldUntil > now {
                waiting.append(number)
            } else {
                queues[Int(number)].heldUntil = .zero
                list(number)
            }
        }
        heldQueues = waiting
    }

    /// Looks at the oldest of every queue for what has expired.
    private mutating func sweep(_ now: Instant) {
        sweepDue = now + Limits.expirySweep
        for number in queues.indices {
            while queues[number].head >= 0, instances[UInt32(queues[number].head)].isExpired(at: now) {
                expire(UInt32(queues[number].head), at: now)
            }
            list(Int32(number))
        }
    }

    /// Whether the store took the last write.
    public var storeTakesWrites: Bool { storeBlockedUntil == .zero }

    // MARK: Stopping

    /// Takes nothing more from now on and asks the store for everything custody is still owed for.
    public mutating func beginDraining(at now: Instant) {
        isDraining = true
        guard configuration.hasStore else { return }
        for index in instances.indices where instances[index].state != .vacant && instances[index].creditor.link >= 0 {
            requestStore(index, at: now)
        }
    }

    /// Something is here for which a neighbour still waits for our word.
    public var owesCustody: Bool {
        instances.indices.contains { instances[$0].state != .vacant && instances[$0].creditor.link >= 0 }
    }
}
