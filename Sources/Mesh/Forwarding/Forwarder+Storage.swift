import Envelope
import Link

extension Forwarder {
    /// How long an envelope to this destination may stay unconfirmed: twice the path's usual time, within bounds.
    func holdTime(_ destination: Int32) -> Duration {
        let link = destinations[Int(destination)].nextHop
        guard link >= 0 else { return configuration.holdTime.lowerBound }
        let usual = Duration.nanoseconds(links[Int(link)].confirmTime) * 2
        return min(max(usual, configuration.holdTime.lowerBound), configuration.holdTime.upperBound)
    }

    /// Asks for a durable copy where a neighbour waits for our word and there is none yet.
    mutating func requestStore(_ index: UInt32) {
        guard configuration.hasStore, instances[index].stored == 0, !instances[index].isStoring,
            instances[index].creditor.link >= 0, instances[index].state != .delivering
        else { return }
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
        settleCreditor(index)
        guard !instances[index].isFinished else {
            effects.append(.forget(stored: token))
            if instances[index].state == .departing { remove(index) }
            return
        }
        instances[index].stored = token
        switch instances[index].state {
        case .queued where isMemoryShort || isStuck(instances[index].queue): freeBlock(index)
        case .inFlight where isMemoryShort && !instances[index].isWriting: freeBlock(index)
        case .queued, .inFlight, .delivering, .departing, .vacant: break
        }
    }

    /// The store did not take it (full, failed). What waits here goes back to the neighbour it came from, before
    /// custody; what is in flight stays and is tried again later.
    public mutating func storeFailed(_ id: InstanceID, at now: Instant) {
        storeBlockedUntil = now + Limits.storeRetry
        guard let index = instances.index(of: id), instances[index].isStoring else { return }
        instances[index].isStoring = false
        guard !instances[index].isFinished else {
            // Done with by other means; under `storeFirst` the word has waited for this write.
            settleCreditor(index)
            if instances[index].state == .departing { remove(index) }
            return
        }
        guard instances[index].state == .queued, instances[index].creditor.link >= 0 else {
            holding.append(id, for: Limits.storeRetry, at: now)
            return
        }
        #if CANARIES
            if Canary.isPlanted(.evictWhenFull) {
                settleCreditor(index)
                return drop(index, at: now)
            }
        #endif
        counters.refusedFull += 1
        unlink(index)
        list(instances[index].queue)
        returnUpstream(index, .storageFull, delay: Limits.storeRetry)
    }

    @inline(__always)
    public var nextDeadline: Instant {
        var deadline = min(sweepDue, holding.nextDeadline, min(heldDeadline, bulkDeadline, pausedWords.nextDeadline))
        if storeBlockedUntil != .zero { deadline = min(deadline, storeBlockedUntil) }
        for retry in localRetries { deadline = min(deadline, retry.at) }
        return deadline
    }

    /// Spills what was not confirmed in time, lets refused queues try again, drops what has expired.
    public mutating func timeReached(_ now: Instant) {
        if storeBlockedUntil != .zero, now >= storeBlockedUntil { storeBlockedUntil = .zero }
        while let id = holding.takeDue(now) {
            if let index = instances.index(of: id) { requestStore(index) }
        }
        if heldDeadline <= now { releaseHeldQueues(now) }
        sayPausedWords(now)
        releasePacedBulk(now)
        if !localRetries.isEmpty { offerAgain(now) }
        if now >= sweepDue { sweep(now) }
    }

    private mutating func releaseHeldQueues(_ now: Instant) {
        var waiting: [Int32] = []
        heldDeadline = .never
        for number in heldQueues {
            if queues[Int(number)].heldUntil > now {
                waiting.append(number)
                heldDeadline = min(heldDeadline, queues[Int(number)].heldUntil)
                continue
            }
            queues[Int(number)].heldUntil = .zero
            queues[Int(number)].isHeldListed = false
            if Int(number) % Destination.queuesEach == Destination.parkedQueue {
                unpark(number / Int32(Destination.queuesEach), withHopsOnly: true)
            } else {
                list(number)
            }
        }
        heldQueues = waiting
    }

    private mutating func offerAgain(_ now: Instant) {
        let due = localRetries.filter { $0.at <= now }
        localRetries.removeAll { $0.at <= now }
        for retry in due {
            guard let index = instances.index(of: retry.id) else { continue }
            if instances[index].block.isNone { fetch(index) } else { effects.append(.deliver(retry.id)) }
        }
    }

    /// Looks at the oldest of every queue for what has expired.
    private mutating func sweep(_ now: Instant) {
        sweepDue = now + Limits.expirySweep
        for number in queues.indices where queues[number].head >= 0 {
            while queues[number].head >= 0, instances[UInt32(queues[number].head)].isExpired(at: now) {
                expire(UInt32(queues[number].head), at: now)
            }
            list(Int32(number))
        }
        if now >= hopsDue {
            if hopsDue != .zero { retryHops() }
            hopsDue = now + Limits.hopsRest
        }
        searchReceipted()
        judgeAges(at: now)
    }

    /// Whether the store took the last write.
    public var storeTakesWrites: Bool { storeBlockedUntil == .zero }

    // MARK: Stopping

    /// Takes nothing more from now on and asks the store for everything custody is still owed for.
    public mutating func beginDraining(at now: Instant) {
        isDraining = true
        for link in links.indices where links[link].isWordPaused { markDirty(link) }
        for index in instances.indices where instances[index].state != .vacant { requestStore(index) }
    }

    /// Something is here for which a neighbour still waits for our word.
    public var owesCustody: Bool {
        instances.indices.contains { instances[$0].state != .vacant && instances[$0].creditor.link >= 0 }
    }
}
