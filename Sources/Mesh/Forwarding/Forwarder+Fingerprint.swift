import Envelope
import Link

/// Names for the places of one forwarder's instances, in the order a fingerprint meets them: which place an instance
/// was given decides nothing.
package struct InstanceNames {
    fileprivate var names: [UInt32] = []

    package init() {}
}

// For the exhaustive checker: all that decides what a forwarder does next.
//
// Left out, since it decides nothing: counters; accounts, while nothing has a quota; ages, while no envelope comes near the
// end of its life or becomes history; how long confirmations took, while both bounds of the hold time are the same; words
// of custody that wait, while none does; where bytes lie in memory. Routes are their owner's to fold in. All effects have
// been taken.
extension Forwarder {
    /// - Parameter record: names the durable copy with this token.
    package func fold(
        into print: inout Fingerprint, _ names: inout InstanceNames, at now: Instant, record: (UInt64) -> Int
    ) {
        precondition(configuration.holdTime.lowerBound == configuration.holdTime.upperBound)
        precondition(configuration.wordPause == .zero)
        precondition(effects.isEmpty && dirtyLinks.isEmpty && meshMessages.isEmpty, "all is done that can be done now")
        print.add(destinations.count)
        for (number, destination) in destinations.enumerated() {
            print.add(destination.node.value.low)
            print.add(destination.node.value.high)
            print.add(Int(destination.nextHop))
            print.add(destination.routeVersion == routeVersion)
            let first = number * Destination.queuesEach
            for queue in first..<first + Destination.queuesEach {
                foldQueue(queues[queue], into: &print, &names, at: now, record)
            }
        }
        print.add(links.count)
        for index in links.indices { foldLink(index, into: &print, &names, record) }
        for entry in holding.entries where instances.index(of: entry.id) != nil {
            fold(entry.id, into: &print, &names, record: record)
            print.add(entry.deadline, at: now)
        }
        print.add(-2)
        print.add(heldQueues.count)
        for number in heldQueues { print.add(Int(number)) }
        print.add(heldDeadline, at: now)
        print.add(awaitingMemory.count)
        for number in awaitingMemory { print.add(Int(number)) }
        print.add(storeBlockedUntil == .zero)
        print.add(storeBlockedUntil, at: now)
        print.add(localRetries.count)
        for retry in localRetries {
            fold(retry.id, into: &print, &names, record: record)
            print.add(retry.at, at: now)
        }
        print.add(isDraining)
        print.add(bulkDeadline, at: now)
        book.streams.fold(into: &print, at: now)
    }

    /// Instances that nothing folded in so far has named.
    package func foldRest(into print: inout Fingerprint, _ names: inout InstanceNames, record: (UInt64) -> Int) {
        for index in instances.indices where instances[index].state != .vacant && !names.names.contains(index) {
            fold(instances.id(index), into: &print, &names, record: record)
        }
    }

    private func foldQueue(
        _ queue: EnvelopeQueue, into print: inout Fingerprint, _ names: inout InstanceNames, at now: Instant,
        _ record: (UInt64) -> Int
    ) {
        print.add(queue.count)
        var place = queue.head
        while place >= 0 {
            fold(instances.id(UInt32(place)), into: &print, &names, record: record)
            place = instances[UInt32(place)].next
        }
        if queue.hint >= 0 {
            fold(instances.id(UInt32(queue.hint)), into: &print, &names, record: record)
        } else {
            print.add(-1)
        }
        print.add(queue.heldUntil == .zero)
        print.add(queue.heldUntil, at: now)
        print.add(queue.isHeldListed)
        print.add(queue.isAwaitingMemory)
        print.add(queue.fetching)
    }

    private func foldLink(
        _ index: LinkIndex, into print: inout Fingerprint, _ names: inout InstanceNames, _ record: (UInt64) -> Int
    ) {
        let link = links[index]
        print.add(link.peer.value.low)
        print.add(link.isUp)
        link.ledger.fold(into: &print)
        for row in 0..<3 {
            var number = link.turns[row].first
            while number >= 0 {
                print.add(Int(number))
                number = queues[Int(number)].turnNext
            }
            print.add(-1)
        }
        print.addName(link.orphanSession)
        print.addName(link.outboundSession)
        print.add(link.orphans.count)
        for orphan in link.orphans {
            print.add(orphan.transmission)
            fold(orphan.instance, into: &print, &names, record: record)
        }
        print.add(link.liveBytes)
        print.add(link.bulkBytes)
    }
}

extension Forwarder {
    /// An instance that something speaks of: its name, and all about it where it is met for the first time.
    package func fold(
        _ id: InstanceID, into print: inout Fingerprint, _ names: inout InstanceNames, record: (UInt64) -> Int
    ) {
        guard let index = instances.index(of: id) else { return print.add(-1) }
        if let name = names.names.firstIndex(of: index) { return print.add(name) }
        print.add(names.names.count)
        names.names.append(index)
        let instance = instances[index]
        let flags: [Bool] = [
            instance.isFinished, instance.isWriting, instance.isStoring, instance.isFetching, instance.isOrigin,
            instance.block.isNone, instance.stored == 0, instance.isHistory,
            instance.fillsGap,
        ]
        var word = UInt64(instance.state.rawValue) << 32 | UInt64(instance.lane.rawValue) << 24
        word |= UInt64(instance.hopLimit) << 16
        for flag in flags { word = word &* 2 | (flag ? 1 : 0) }
        print.add(word)
        print.add(Int(instance.queue))
        print.add(rank(of: instance.order))
        print.add(instance.sequence.number)
        print.add(Int(instance.length))
        if !instance.block.isNone { print.add(slabs.bytes(of: instance.block)) }
        if instance.stored != 0 { print.add(record(instance.stored)) }
        print.add(instance.owner)
        foldCreditor(instance.creditor, into: &print)
    }

    /// How many came before: orders are only compared.
    private func rank(of order: UInt64) -> Int {
        instances.indices.count { instances[$0].state != .vacant && instances[$0].order < order }
    }

    /// A creditor of a session neither current nor the one before gets no word ever again, whatever its number.
    private func foldCreditor(_ creditor: Creditor, into print: inout Fingerprint) {
        print.add(Int(creditor.link))
        guard creditor.link >= 0 else { return }
        let ledger = links[Int(creditor.link)].ledger
        let age = ledger.age(ofSerial: creditor.serial)
        print.add(age)
        if age < 2 { print.add(creditor.transmission) }
    }

    /// When time next changes anything here: like ``nextDeadline``, without the searches for what has expired and
    /// without instances that have become safe or are gone.
    package var nextChange: Instant {
        var time = heldDeadline
        if storeBlockedUntil != .zero { time = min(time, storeBlockedUntil) }
        for retry in localRetries { time = min(time, retry.at) }
        for entry in holding.entries {
            guard entry.deadline < time, let index = instances.index(of: entry.id), configuration.hasStore,
                instances[index].stored == 0, !instances[index].isStoring, instances[index].creditor.link >= 0
            else { continue }
            time = entry.deadline
        }
        return time
    }
}
