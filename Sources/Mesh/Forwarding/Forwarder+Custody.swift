import Envelope
import Link

extension Forwarder {
    /// The next hop has taken custody of a transmission of this instance.
    mutating func confirmed(_ index: UInt32, on link: LinkIndex, after time: Duration, at now: Instant) {
        let sample = time.wholeNanoseconds
        let mean = links[link].confirmTime
        links[link].confirmTime = mean == 0 ? sample : mean + (sample - mean) / 16
        instances[index].state = .queued  // no transmission is under way any more
        if instances[index].isFinished {
            remove(index)
        } else {
            handOver(index)
            remove(index)
        }
    }

    /// A dead session's transmission turned out to be safe at the neighbour.
    mutating func confirmedLate(_ id: InstanceID) {
        guard let index = instances.index(of: id), !instances[index].isFinished else { return }
        handOver(index)
        switch instances[index].state {
        case .queued:
            unqueue(index)
            remove(index)
        case .inFlight:
            // Another transmission is under way; its number must still find this place.
            instances[index].isFinished = true
        case .delivering, .vacant:
            break
        }
    }

    private mutating func handOver(_ index: UInt32) {
        counters.handedOver += 1
        counters.bytesHandedOver += UInt64(instances[index].length)
        settleCreditor(index)
        forgetStored(index)
        if instances[index].isOrigin { effects.append(.departed(owner: instances[index].owner)) }
    }

    /// Custody goes upstream: this instance is safe.
    mutating func settleCreditor(_ index: UInt32) {
        let creditor = instances[index].creditor
        guard creditor.link >= 0 else { return }
        links[Int(creditor.link)].ledger.markSafe(creditor, length: Int(instances[index].length))
        links[Int(creditor.link)].isDirty = true
        instances[index].creditor = .nobody
    }

    private mutating func forgetStored(_ index: UInt32) {
        guard instances[index].stored != 0, !instances[index].isOrigin else { return }
        effects.append(.forget(stored: instances[index].stored))
        instances[index].stored = 0
    }

    mutating func freeBlock(_ index: UInt32) {
        guard !instances[index].block.isNone else { return }
        slabs.free(instances[index].block)
        instances[index].block = .none
    }

    mutating func unqueue(_ index: UInt32) {
        let number = instances[index].queue
        guard number >= 0 else { return }
        instances.unlink(index, from: &queues[Int(number)])
        if instances[index].isFetching {
            instances[index].isFetching = false
            queues[Int(number)].fetching -= 1
        }
        instances[index].queue = -1
    }

    /// Frees memory and place. While a store write is under way the place waits for its end, so that the durable
    /// copy is not forgotten about.
    mutating func remove(_ index: UInt32) {
        freeBlock(index)
        if instances[index].isStoring {
            instances[index].isFinished = true
            instances[index].state = .delivering
            return
        }
        instances.remove(index)
    }

    /// The neighbour does not take it; it stays here and its queue waits.
    mutating func refused(_ index: UInt32, on link: LinkIndex, delay: Duration, at now: Instant) {
        guard !instances[index].isFinished else { return remove(index) }
        counters.retransmitted += 1
        let number = instances[index].queue
        let wait = max(Duration.milliseconds(10), min(delay, .seconds(60)))
        if queues[Int(number)].heldUntil == .zero { heldQueues.append(number) }
        queues[Int(number)].heldUntil = max(queues[Int(number)].heldUntil, now + wait)
        requeue(index)
        if configuration.hasStore, instances[index].stored == 0 { requestStore(index, at: now) }
    }

    /// Back to the front of its queue.
    mutating func requeue(_ index: UInt32) {
        let destination = instances[index].queue / Int32(Destination.queuesEach)
        enqueue(index, destination, atFront: true)
    }

    /// The effect of an instance delivered here is durable.
    public mutating func finished(_ id: InstanceID, at now: Instant) {
        guard let index = instances.index(of: id), instances[index].state == .delivering else { return }
        counters.delivered += 1
        settleCreditor(index)
        if instances[index].isOrigin { effects.append(.departed(owner: instances[index].owner)) }
        remove(index)
    }

    /// The local destination cannot take it now. Goes back to the neighbour it came from, which keeps it.
    public mutating func giveBack(_ id: InstanceID, _ reason: RefusalReason, delay: Duration, at now: Instant) {
        guard let index = instances.index(of: id), instances[index].state == .delivering else { return }
        counters.refusedBusy += 1
        counters.accepted -= 1
        counters.bytesAccepted -= UInt64(instances[index].length)
        refuse(instances[index].creditor, reason, delay: delay, length: Int(instances[index].length))
        if instances[index].isOrigin { effects.append(.departed(owner: instances[index].owner)) }
        remove(index)
    }

    /// Lived out its lifetime: dropped, counted, reported.
    mutating func expire(_ index: UInt32, at now: Instant) {
        counters.expired += 1
        let number = instances[index].queue
        let destination = number < 0 ? nil : destinations[Int(number) / Destination.queuesEach].node
        if let destination {
            effects.append(
                .expired(
                    Effect.Dropped(
                        destination: destination, lane: instances[index].lane, bytes: Int(instances[index].length),
                        owner: instances[index].isOrigin ? instances[index].owner : 0)))
        }
        settleCreditor(index)
        forgetStored(index)
        unqueue(index)
        remove(index)
    }

    /// The durable copy is unreadable and nothing else is left of it here.
    mutating func drop(_ index: UInt32, at now: Instant) {
        counters.lost += 1
        forgetStored(index)
        unqueue(index)
        remove(index)
    }

    /// The envelope's bytes; valid until the next mutating call.
    public func bytes(of id: InstanceID) -> UnsafeRawBufferPointer? {
        guard let index = instances.index(of: id), !instances[index].block.isNone else { return nil }
        return slabs.bytes(of: instances[index].block)
    }

    /// Hop fields as they would be sent now.
    public func hop(of id: InstanceID, at now: Instant) -> HopFields? {
        instances.index(of: id).map { instances[$0].hop(at: now) }
    }

    public func owner(of id: InstanceID) -> UInt64? {
        instances.index(of: id).map { instances[$0].owner }
    }
}
