import Envelope
import Link

extension Exchange {
    /// Fills the sessions' outputs: words of custody first, then envelopes as far as credit and room go.
    ///
    /// Call it after every batch of input and whenever a session's output has drained.
    public mutating func settle(at now: Instant) {
        for link in forwarder.links.indices where forwarder.links[link].isDirty {
            forwarder.links[link].isDirty = false
            guard link < current.count, let number = current[link], let slot = slots[number] else { continue }
            confirm(link, slot)
            pump(link, slot, at: now)
        }
    }

    /// There is room in this session's output again.
    public mutating func drained(_ id: SessionID, at now: Instant) {
        guard let slot = slots[id.number], current[slot.link] == id.number else { return }
        pump(slot.link, slot, at: now)
    }

    private mutating func confirm(_ link: LinkIndex, _ slot: Slot) {
        guard forwarder.links[link].ledger.isDue else { return }
        let word = forwarder.links[link].ledger.takePending()
        slot.session.confirm(word.safe, bytesGranted: word.bytes, envelopesGranted: word.envelopes)
    }

    private mutating func pump(_ link: LinkIndex, _ slot: Slot, at now: Instant) {
        while slot.session.hasRoom {
            let underWay = (
                live: slot.session.tokenUnderWay(.live) != nil, bulk: slot.session.tokenUnderWay(.bulk) != nil,
                control: slot.session.tokenUnderWay(.control) != nil
            )
            guard let lane = forwarder.nextLane(link, underWay: underWay, mayBegin: { slot.session.mayBegin($0) })
            else { return }
            if let token = slot.session.tokenUnderWay(lane) {
                let envelope = forwarder.slabs.bytes(of: forwarder.instances[token].block)
                slot.session.continueTransmission(lane, envelope: envelope)
            } else if let token = forwarder.dequeue(link, lane, at: now) {
                let envelope = forwarder.slabs.bytes(of: forwarder.instances[token].block)
                slot.session.transmit(
                    token: token, lane: lane, hop: forwarder.instances[token].hop(at: now), envelope: envelope, at: now)
            }
        }
    }

    /// Carries out what concerns sessions among the forwarder's effects and returns the rest for the shell.
    public mutating func takeEffects() -> [Effect] {
        guard !forwarder.effects.isEmpty else { return [] }
        return forwarder.takeEffects().filter { effect in
            guard case .refuse(let link, let transmission, let reason, let delay) = effect else { return true }
            if let number = current[link] { slots[number]?.session.refuse(transmission, reason, delay: delay) }
            return false
        }
    }

    /// Something happened that nobody has taken note of yet.
    public var hasWork: Bool {
        !events.isEmpty || !forwarder.effects.isEmpty || forwarder.links.contains { $0.isDirty && $0.isUp }
    }

    public var nextDeadline: Instant {
        var deadline = forwarder.nextDeadline
        for slot in slots {
            if let slot, !slot.isClosed { deadline = min(deadline, slot.session.nextDeadline) }
        }
        return deadline
    }

    public mutating func timeReached(_ now: Instant) {
        for number in slots.indices {
            guard let slot = slots[number], !slot.isClosed, slot.session.nextDeadline <= now else { continue }
            do {
                try slot.session.timeReached(now)
            } catch {
                fail(SessionID(number: number), error, at: now)
            }
        }
        if forwarder.nextDeadline <= now { forwarder.timeReached(now) }
    }

    /// Sessions whose output waits to be written.
    public var sessionsWithOutput: [SessionID] {
        slots.indices.filter { slots[$0]?.session.hasOutput ?? false }.map { SessionID(number: $0) }
    }
}

extension Forwarder: SessionEvents {
    public mutating func received(
        transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer
    ) {
        arrived(on: reading.link, transmission: transmission, hop: hop, envelope: envelope, at: reading.at)
    }

    public mutating func confirmed(token: UInt32, after time: Duration) {
        confirmed(token, on: reading.link, after: time, at: reading.at)
        links[reading.link].isDirty = true
    }

    public mutating func refused(token: UInt32, reason: RefusalReason, delay: Duration) {
        refused(token, on: reading.link, delay: delay, at: reading.at)
        links[reading.link].isDirty = true
    }

    public mutating func meshMessage(_ bytes: UnsafeRawBufferPointer) { meshMessages.append(Array(bytes)) }
}
