import Envelope
import Link

extension Forwarder {
    /// The next hop has taken custody of a transmission of this instance.
    mutating func confirmed(_ index: UInt32, on link: LinkIndex, at now: Instant) {
        let time = now - instances[index].arrivedAt
        if time <= configuration.holdTime.upperBound { links[link].noteConfirmTime(time) }
        instances[index].isWriting = false
        if !instances[index].isFinished { handOver(index) }
        remove(index)
    }

    /// A dead session's transmission turned out to be safe at the neighbour.
    mutating func confirmedLate(_ id: InstanceID) {
        guard let index = instances.index(of: id), !instances[index].isFinished else { return }
        switch instances[index].state {
        case .queued:
            handOver(index)
            unlink(index)
            list(instances[index].queue)
            remove(index)
        case .inFlight:
            // Another transmission is under way; its number must still find this place.
            handOver(index)
            instances[index].isFinished = true
            ghosts += 1
        case .delivering, .departing, .vacant:
            break
        }
    }

    private mutating func handOver(_ index: UInt32) {
        closeAccount(index, .delivered)
        counters.handedOver += 1
        counters.bytesHandedOver += UInt64(instances[index].length)
        // Under `storeFirst` the word waits for the write under way, though another node has it already.
        if durability(of: instances[index].flow) == .cutThrough || !instances[index].isStoring { settleCreditor(index) }
        forgetStored(index)
        if instances[index].isOrigin { effects.append(.departed(owner: instances[index].owner)) }
    }

    /// Custody goes upstream: this instance is safe.
    mutating func settleCreditor(_ index: UInt32) {
        let creditor = instances[index].creditor
        guard creditor.link >= 0 else { return }
        links[Int(creditor.link)].ledger.markSafe(creditor, length: Int(instances[index].length))
        markDirty(Int(creditor.link))
        instances[index].creditor = .nobody
    }

    mutating func forgetStored(_ index: UInt32) {
        guard instances[index].stored != 0, !instances[index].isOrigin else { return }
        effects.append(.forget(stored: instances[index].stored))
        instances[index].stored = 0
    }

    mutating func freeBlock(_ index: UInt32) {
        guard !instances[index].block.isNone else { return }
        slabs.free(instances[index].block)
        instances[index].block = .none
    }

    /// Frees memory and place of what is counted as done and stands in no queue. While a store write is under way both
    /// wait for its end: it may not have begun, and its durable copy must not be forgotten about.
    mutating func remove(_ index: UInt32) {
        if instances[index].isStoring {
            if !instances[index].isFinished { ghosts += 1 }
            instances[index].isFinished = true
            instances[index].state = .departing
            return
        }
        if instances[index].isFinished { ghosts -= 1 }
        freeBlock(index)
        instances.remove(index)
    }

    /// The neighbour does not take it; it stays here and its queue waits. What concerns this envelope alone makes only
    /// it wait, aside, so that it does not stand in the way of others.
    mutating func refused(_ index: UInt32, _ reason: RefusalReason, delay: Duration, at now: Instant) {
        instances[index].isWriting = false
        guard !instances[index].isFinished else { return remove(index) }
        counters.retransmitted += 1
        let until = now + max(Limits.shortestRefusal, min(delay, Limits.longestRefusal))
        if reason.concernsOneEnvelope {
            park(index, instances[index].queue / Int32(Destination.queuesEach))
            let held = queues[Int(instances[index].queue)].heldUntil
            // One that may be taken soon does not wait for one that may be taken late.
            hold(instances[index].queue, until: held > now ? min(held, until) : until)
        } else {
            hold(instances[index].queue, until: max(queues[Int(instances[index].queue)].heldUntil, until))
            requeue(index)
        }
        requestStore(index)
    }

    /// A queue tries nothing before this time.
    mutating func hold(_ number: Int32, until time: Instant) {
        leaveTurn(number)
        queues[Int(number)].heldUntil = time
        heldDeadline = min(heldDeadline, time)
        guard !queues[Int(number)].isHeldListed else { return }
        queues[Int(number)].isHeldListed = true
        heldQueues.append(number)
    }

    /// Back to its place in its queue.
    mutating func requeue(_ index: UInt32) {
        instances[index].isWriting = false
        enqueue(index, instances[index].queue / Int32(Destination.queuesEach), .byOrder)
    }

    /// The effect of an instance delivered here is durable.
    public mutating func finished(_ id: InstanceID, at now: Instant) {
        guard let index = instances.index(of: id), instances[index].state == .delivering else { return }
        closeAccount(index, .delivered)
        counters.delivered += 1
        settleCreditor(index)
        forgetStored(index)
        if instances[index].isOrigin { effects.append(.departed(owner: instances[index].owner)) }
        remove(index)
    }

    /// The local destination cannot take it now. Goes back to the neighbour it came from, which keeps it; what this
    /// node has custody of is offered again after the delay.
    public mutating func giveBack(_ id: InstanceID, _ reason: RefusalReason, delay: Duration, at now: Instant) {
        guard let index = instances.index(of: id), instances[index].state == .delivering else { return }
        counters.refusedBusy += 1
        if instances[index].creditor.link < 0, !instances[index].isOrigin {
            localRetries.append((id, now + max(Limits.shortestRefusal, min(delay, Limits.longestRefusal))))
            return
        }
        if instances[index].isOrigin { effects.append(.departed(owner: instances[index].owner)) }
        returnUpstream(index, reason, delay: delay)
    }

    /// Leaves an instance to the neighbour it came from, which has not heard that it is safe and so still keeps it.
    /// - Precondition: it stands in no queue.
    mutating func returnUpstream(_ index: UInt32, _ reason: RefusalReason, delay: Duration) {
        closeAccount(index, .returned)
        counters.accepted -= 1
        counters.returned += 1
        counters.bytesAccepted -= UInt64(instances[index].length)
        refuse(instances[index].creditor, reason, delay: delay, length: Int(instances[index].length))
        instances[index].creditor = .nobody
        remove(index)
    }

    /// Lived out its lifetime: dropped, counted, reported.
    mutating func expire(_ index: UInt32, at now: Instant) {
        closeAccount(index, .expired)
        counters.expired += 1
        let destination = destinations[Int(instances[index].queue) / Destination.queuesEach].node
        effects.append(
            .expired(
                Effect.Dropped(
                    source: book.streams.source(of: instances[index].stream),
                    stream: book.streams.id(of: instances[index].stream), sequence: instances[index].sequence,
                    destination: destination, lane: instances[index].lane, bytes: Int(instances[index].length),
                    owner: instances[index].isOrigin ? instances[index].owner : 0)))
        settleCreditor(index)
        forgetStored(index)
        unlink(index)
        remove(index)
    }

    /// The durable copy is unreadable and nothing else is left of it here.
    mutating func drop(_ index: UInt32, at now: Instant) {
        closeAccount(index, .lost)
        counters.lost += 1
        forgetStored(index)
        if instances[index].state == .queued {
            unlink(index)
            list(instances[index].queue)
        }
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
