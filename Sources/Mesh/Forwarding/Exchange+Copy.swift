import Envelope
import Link

extension Exchange {
    /// One more exchange in the same state, for a checker that tries what happens in several orders.
    /// - Precondition: nothing waits for ``resume(at:)``; see also ``Session/copy()``.
    package func copy() -> Exchange {
        precondition(!isPaused, "all that was read has been acted on")
        var copy = Exchange(node: node, kind: kind, software: software, forwarder: forwarder.copy())
        copy.slots = slots.map { $0.map { Slot(copying: $0) } }
        copy.touched = touched
        copy.sessionDeadline = sessionDeadline
        copy.current = current
        copy.events = events
        return copy
    }
}

extension Exchange.Slot {
    fileprivate convenience init(copying other: Exchange.Slot) {
        self.init(other.session.copy(), peer: other.peer, link: other.link, outbound: other.outbound)
        isClosed = other.isClosed
        isTouched = other.isTouched
        establishedAt = other.establishedAt
        rank = other.rank
    }
}

extension Forwarder {
    fileprivate func copy() -> Forwarder {
        var copy = Forwarder(configuration, locals: locals, policy: policy)
        copy.instances = instances
        copy.book = book
        for index in instances.indices where !instances[index].block.isNone {
            copy.instances[index].block = copy.slabs.allocate(slabs.bytes(of: instances[index].block))
        }
        copy.destinations = destinations
        copy.queues = queues
        copy.destinationIndex = destinationIndex
        copy.lastDestination = lastDestination
        copy.routes = routes
        copy.links = links
        copy.linkIndex = linkIndex
        copy.dirtyLinks = dirtyLinks
        copy.routeVersion = routeVersion
        copy.arrivals = arrivals
        copy.ghosts = ghosts
        copy.awaitingMemory = awaitingMemory
        copy.fetchingBytes = fetchingBytes
        copy.localRetries = localRetries
        copy.policySince = policySince
        copy.holding = holding
        copy.heldQueues = heldQueues
        copy.heldDeadline = heldDeadline
        copy.pausedWords = pausedWords
        copy.bulkDeadline = bulkDeadline
        copy.hasReceipts = hasReceipts
        copy.storeBlockedUntil = storeBlockedUntil
        copy.effects = effects
        copy.counters = counters
        copy.sweepDue = sweepDue
        copy.hopsDue = hopsDue
        copy.isDraining = isDraining
        copy.reading = reading
        copy.meshMessages = meshMessages
        return copy
    }
}
