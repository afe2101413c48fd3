import Envelope
import Link

extension Exchange {
    /// Fills the sessions' outputs: words of custody first, then envelopes as far as credit and room go.
    ///
    /// Call it after every batch of input and whenever a session's output has drained.
    /// - Returns: ``hasWork``.
    @discardableResult
    public mutating func settle(at now: Instant) -> Bool {
        forgetDrained()
        // Ends, since a link is marked again only where something was taken from a queue or became safe.
        while let link = forwarder.takeDirtyLink() {
            guard link < current.count, let number = current[link], let slot = slots[number] else { continue }
            touch(number, slot)
            if forwarder.maySayWord(to: link, at: now) { confirm(link, slot) }
            pump(link, slot, at: now)
        }
        return hasWork
    }

    private mutating func forgetDrained() {
        touched.removeAll { number in
            guard let slot = slots[number] else { return true }
            slot.isTouched = slot.session.hasOutput
            return !slot.isTouched
        }
    }

    /// There is room in this session's output again.
    /// - Returns: ``hasOutput(_:)``.
    @discardableResult
    public mutating func drained(_ id: SessionID, at now: Instant) -> Bool {
        guard let slot = slots[id.number], current[slot.link] == id.number else { return hasOutput(id) }
        touch(id.number, slot)
        pump(slot.link, slot, at: now)
        return slot.session.hasOutput
    }

    private mutating func confirm(_ link: LinkIndex, _ slot: Slot) {
        let word = forwarder.links[link].ledger.takePending()
        slot.session.confirm(word.safe, bytesGranted: word.bytes, envelopesGranted: word.envelopes)
    }

    private mutating func pump(_ link: LinkIndex, _ slot: Slot, at now: Instant) {
        while let (underWay, mayBegin) = slot.session.openLanes() {
            guard let lane = forwarder.nextLane(link, underWay: underWay, mayBegin: mayBegin, at: now) else { return }
            let underWay = slot.session.tokenUnderWay(lane)
            guard let token = underWay ?? forwarder.dequeue(link, lane, at: now) else { continue }
            let block = forwarder.instances[token].block
            let (envelope, place) = (forwarder.slabs.bytes(of: block), forwarder.slabs.ownSlab(of: block))
            let written =
                underWay != nil
                ? slot.session.continueTransmission(lane, envelope: envelope, in: place)
                : slot.session.transmit(
                    token: token, lane: lane, hop: forwarder.instances[token].hop(at: now), envelope: envelope,
                    in: place)
            if written.isLent, let place { forwarder.slabs.pin(place) }
            let isLast = slot.session.tokenUnderWay(lane) == nil
            forwarder.written(token, bytes: written.bytes, isLast: isLast, on: link)
        }
    }

    /// Carries out what concerns sessions among the forwarder's effects and returns the rest for the shell.
    public mutating func takeEffects() -> [Effect] {
        guard !forwarder.effects.isEmpty else { return [] }
        return forwarder.takeEffects().filter { effect in
            guard case .refuse(let link, let serial, let transmission, let reason, let delay) = effect else {
                return true
            }
            // A number means nothing to another session than its own.
            guard forwarder.links[link].ledger.serial == serial, let number = current[link], let slot = slots[number]
            else { return false }
            slot.session.refuse(transmission, reason, delay: delay)
            touch(number, slot)
            return false
        }
    }

    /// Something happened that nobody has taken note of yet.
    public var hasWork: Bool {
        !events.isEmpty || isPaused || !forwarder.effects.isEmpty || !forwarder.dirtyLinks.isEmpty
    }

    public var nextDeadline: Instant { min(forwarder.nextDeadline, sessionDeadline) }

    public mutating func timeReached(_ now: Instant) {
        if sessionDeadline <= now { tellSessions(now) }
        if forwarder.nextDeadline <= now { forwarder.timeReached(now) }
    }

    /// Tells the sessions whose deadline has come. The next look at all of them comes a tick later at the earliest.
    private mutating func tellSessions(_ now: Instant) {
        var deadline = Instant.never
        for number in slots.indices {
            guard let slot = slots[number], !slot.isClosed else { continue }
            if slot.session.askDeadline() <= now {
                do {
                    try slot.session.timeReached(now)
                    touch(number, slot)
                } catch {
                    fail(SessionID(number: number), error, at: now)
                    continue
                }
            }
            deadline = min(deadline, slot.session.askDeadline())
        }
        sessionDeadline = max(deadline, now + Limits.sessionTick)
    }

    /// Sessions whose output waits to be written.
    public var sessionsWithOutput: [SessionID] {
        touched.compactMap { number in
            guard let slot = slots[number], slot.session.hasOutput else { return nil }
            return SessionID(number: number)
        }
    }

    /// The same one by one, from place 0 on, without a list of them; the place moves behind what is returned. Between two
    /// calls sessions may write and drain, and nothing else.
    public mutating func nextWithOutput(from place: inout Int) -> SessionID? {
        while place < touched.count {
            let number = touched[place]
            place += 1
            if let slot = slots[number], slot.session.hasOutput { return SessionID(number: number) }
        }
        return nil
    }
}

extension Forwarder: SessionEvents {
    public mutating func received(
        transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer
    ) {
        arrived(on: reading.link, transmission: transmission, hop: hop, envelope: envelope, at: reading.at)
    }

    public mutating func place(for bytes: Int) -> EnvelopePlace? { slabs.lend(bytes) }

    public mutating func received(
        transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer, in place: EnvelopePlace
    ) {
        arrivedIn = place.number
        arrived(on: reading.link, transmission: transmission, hop: hop, envelope: envelope, at: reading.at)
        // Not taken: refused, or damaged.
        if let number = arrivedIn.take() { slabs.giveBack(number) }
    }

    public mutating func confirmed(token: UInt32) {
        confirmed(token, on: reading.link, at: reading.at)
    }

    public mutating func refused(token: UInt32, reason: RefusalReason, delay: Duration) {
        refused(token, reason, delay: delay, at: reading.at)
    }

    public mutating func meshMessage(_ bytes: UnsafeRawBufferPointer) { meshMessages.append(Array(bytes)) }

    /// News of the mesh may say who the nodes are that the next envelopes name.
    public var mustPause: Bool { !meshMessages.isEmpty }
}
