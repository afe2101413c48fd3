import Envelope
import Link

/// A connection's place in the exchange; means something until its session has been closed.
public struct SessionID: Hashable, Sendable {
    public let number: Int
}

/// All sessions of a node joined to its forwarder: bytes in, bytes out, time in, effects out.
///
/// The shell opens a session for every authenticated connection, feeds it, and after each batch calls
/// ``settle(at:)``, which fills the sessions' outputs with envelopes and words of custody. The simulator drives the
/// same machine.
public struct Exchange: ~Copyable {
    /// A session on the heap, so that one can be entered while another is asked.
    ///
    /// Not checked for overlapping access when it runs: every way here leads through the exchange, which is one value
    /// and entered by one caller at a time, and no verb of a session reaches the slot that holds it.
    final class Slot {
        @exclusivity(unchecked) var session: Session
        let peer: NodeID
        let link: LinkIndex
        /// Our name for the numbering of this session.
        let outbound: Bytes16
        @exclusivity(unchecked) var isClosed = false
        /// Stands in the list of sessions that may have output.
        @exclusivity(unchecked) var isTouched = false
        @exclusivity(unchecked) var establishedAt: Instant?
        /// The same number at both ends, higher for the session to keep of two that came about at once.
        @exclusivity(unchecked) var rank: (Bytes16, Bytes16)

        init(_ session: consuming Session, peer: NodeID, link: LinkIndex, outbound: Bytes16) {
            rank = (outbound, outbound)
            self.session = session
            self.peer = peer
            self.link = link
            self.outbound = outbound
        }
    }

    let node: NodeName
    let kind: NodeKind
    let software: String
    public var forwarder: Forwarder
    var slots: [Slot?] = []
    private var vacant: [Int] = []
    /// Sessions that may have output.
    var touched: [Int] = []
    /// Sessions with bytes held back until what came before them has been acted on.
    private var paused: [Int] = []
    /// No session wants to be told the time before this.
    var sessionDeadline = Instant.never
    /// The established session of each link, by link index.
    var current: [Int?] = []
    public internal(set) var events: [Event] = []

    /// What the shell and the mesh core want to know.
    public enum Event: Sendable {
        /// The neighbour introduced itself; envelopes flow.
        case established(SessionID, link: LinkIndex, Hello)
        /// The session is over; flush its output and close the connection.
        case ended(SessionID, link: LinkIndex, SessionError, wasEstablished: Bool)
        case meshMessage(link: LinkIndex, [UInt8])
    }

    public init(node: NodeName, kind: NodeKind, software: String, forwarder: consuming Forwarder) {
        self.node = node
        self.kind = kind
        self.software = software
        self.forwarder = forwarder
    }

    public mutating func takeEvents() -> [Event] {
        var taken: [Event] = []
        swap(&taken, &events)
        return taken
    }

    /// A connection to `peer` has been authenticated.
    ///
    /// - Parameter session: 16 random bytes: our name for the numbering of this session.
    public mutating func open(
        peer: NodeID, name: NodeName, session: Bytes16, wall: WallTime, at now: Instant
    ) -> SessionID {
        let link = forwarder.link(to: peer)
        while current.count <= link { current.append(nil) }
        let resumption = forwarder.resumption(link)
        let configuration = Session.Configuration(
            node: node.description, kind: kind, software: software, session: session, resumes: resumption.session,
            safe: resumption.safe, wall: wall, certifiedPeer: name.description)
        let slot = Slot(Session(configuration, at: now), peer: peer, link: link, outbound: session)
        let number = vacant.popLast() ?? slots.count
        if number == slots.count { slots.append(slot) } else { slots[number] = slot }
        touch(number, slot)
        sessionDeadline = min(sessionDeadline, slot.session.nextDeadline)
        return SessionID(number: number)
    }

    /// Something may have been written to this session's output.
    mutating func touch(_ number: Int, _ slot: Slot) {
        guard !slot.isTouched else { return }
        slot.isTouched = true
        touched.append(number)
    }

    /// Bytes were read from the connection.
    public mutating func receive(_ id: SessionID, _ bytes: UnsafeRawBufferPointer, at now: Instant) {
        guard let slot = slots[id.number], !slot.isClosed else { return }
        touch(id.number, slot)
        do throws(SessionError) {
            guard slot.establishedAt != nil else {
                guard let arrived = try slot.session.receiveHello(bytes, at: now) else { return }
                establish(id, slot, arrived.hello, at: now)
                guard !slot.isClosed else { return }
                // What follows is judged once the owner knows its neighbour.
                slot.session.hold(arrived.rest)
                if slot.session.isPaused { paused.append(id.number) }
                return
            }
            let wasPaused = slot.session.isPaused
            try read(slot, at: now) { (session, forwarder) throws(SessionError) in
                try session.receive(bytes, at: now, into: &forwarder)
            }
            if !wasPaused, slot.session.isPaused { paused.append(id.number) }
        } catch {
            end(id, slot, error, at: now)
        }
    }

    /// The owner has acted on the events: reads on behind them, up to the next ones.
    /// - Returns: ``isPaused``.
    @discardableResult
    public mutating func resume(at now: Instant) -> Bool {
        guard !paused.isEmpty else { return false }
        var numbers: [Int] = []
        swap(&numbers, &paused)
        for number in numbers {
            guard let slot = slots[number], !slot.isClosed else { continue }
            do throws(SessionError) {
                try read(slot, at: now) { (session, forwarder) throws(SessionError) in
                    try session.resume(at: now, into: &forwarder)
                }
                if slot.session.isPaused { paused.append(number) }
            } catch {
                end(SessionID(number: number), slot, error, at: now)
            }
        }
        return isPaused
    }

    private mutating func read(
        _ slot: Slot, at now: Instant, _ body: (inout Session, inout Forwarder) throws(SessionError) -> Void
    ) throws(SessionError) {
        forwarder.reading = (slot.link, now)
        // Whatever comes may bring credit.
        forwarder.markDirty(slot.link)
        defer { takeMeshMessages(slot.link) }
        try body(&slot.session, &forwarder)
    }

    /// Bytes wait for ``resume(at:)``.
    public var isPaused: Bool { !paused.isEmpty }

    private mutating func establish(_ id: SessionID, _ slot: Slot, _ hello: Hello, at now: Instant) {
        let inbound = hello.session
        slot.rank = (max(slot.outbound, inbound), min(slot.outbound, inbound))
        slot.establishedAt = now
        sessionDeadline = min(sessionDeadline, slot.session.nextDeadline)
        if let old = current[slot.link], let oldSlot = slots[old] {
            if let since = oldSlot.establishedAt, now - since < Limits.simultaneous, oldSlot.rank > slot.rank {
                return end(
                    id, slot, .left(.replaced, "both ends connected at once; the other connection stays"),
                    saying: .replaced, at: now)
            }
            end(
                SessionID(number: old), oldSlot, .left(.replaced, "a newer connection stands"), saying: .replaced,
                at: now)
        }
        current[slot.link] = id.number
        forwarder.linkUp(slot.link, hello: hello, outbound: slot.outbound, at: now)
        events.append(.established(id, link: slot.link, hello))
    }

    private mutating func takeMeshMessages(_ link: LinkIndex) {
        guard !forwarder.meshMessages.isEmpty else { return }
        for message in forwarder.meshMessages { events.append(.meshMessage(link: link, message)) }
        forwarder.meshMessages.removeAll(keepingCapacity: true)
    }

    private mutating func end(
        _ id: SessionID, _ slot: Slot, _ error: SessionError, saying reason: ByeReason? = nil, at now: Instant
    ) {
        guard !slot.isClosed else { return }
        slot.isClosed = true
        touch(id.number, slot)
        let wasEstablished = current[slot.link] == id.number
        let isPeerGone = if case .left = error { reason == nil } else { false }
        if !isPeerGone { slot.session.leave(reason ?? error.bye) }
        let underWay = slot.session.abandon()
        for place in slot.session.takeLeftPlaces() { forwarder.slabs.giveBack(place.number) }
        if wasEstablished {
            current[slot.link] = nil
            forwarder.linkDown(slot.link, underWay: underWay, at: now)
        }
        events.append(.ended(id, link: slot.link, error, wasEstablished: wasEstablished))
    }

    mutating func fail(_ id: SessionID, _ error: SessionError, at now: Instant) {
        guard let slot = slots[id.number] else { return }
        end(id, slot, error, at: now)
    }

    /// We close the session on our own account (stopping, peer revoked). ``Event/ended(_:link:_:wasEstablished:)`` follows.
    public mutating func leave(_ id: SessionID, _ reason: ByeReason, at now: Instant) {
        guard let slot = slots[id.number] else { return }
        end(id, slot, .left(reason, "we closed it"), saying: reason, at: now)
    }

    /// The connection is gone and the shell is done with it: the place may be used again.
    public mutating func close(_ id: SessionID, at now: Instant) {
        guard let slot = slots[id.number] else { return }
        end(id, slot, .left(.stopping, "the connection was lost"), at: now)
        if slot.isTouched { touched.removeAll { $0 == id.number } }
        paused.removeAll { $0 == id.number }
        slot.session.dropOutput()
        unpin(slot)
        slots[id.number] = nil
        vacant.append(id.number)
    }

    public func hasOutput(_ id: SessionID) -> Bool { slots[id.number]?.session.hasOutput ?? false }

    /// Lets the shell write: `body` gets bytes, and whether more follow them, and returns how many the socket took.
    public mutating func write(_ id: SessionID, _ body: (UnsafeRawBufferPointer, _ hasMore: Bool) -> Int) {
        guard let slot = slots[id.number] else { return }
        let bytes = slot.session.output
        let count = body(bytes, slot.session.outputCount > bytes.count)
        slot.session.consumeOutput(count)
        unpin(slot)
    }

    /// The same for one who need not know what follows.
    public mutating func write(_ id: SessionID, _ body: (UnsafeRawBufferPointer) -> Int) {
        write(id) { bytes, _ in body(bytes) }
    }

    /// All that the session has to say, in one piece.
    public mutating func takeOutput(_ id: SessionID) -> [UInt8] {
        var output: [UInt8] = []
        while hasOutput(id) {
            write(id) { bytes in
                output += bytes
                return bytes.count
            }
        }
        return output
    }

    private mutating func unpin(_ slot: Slot) {
        for place in slot.session.takeWrittenPlaces() { forwarder.slabs.unpin(place) }
    }

    public mutating func sendMesh(_ message: [UInt8], on link: LinkIndex) {
        guard let number = link < current.count ? current[link] : nil, let slot = slots[number] else { return }
        slot.session.sendMesh(message)
        touch(number, slot)
    }

    /// The established session of a link.
    public func session(of link: LinkIndex) -> SessionID? {
        guard link < current.count, let number = current[link] else { return nil }
        return SessionID(number: number)
    }

    public func roundTrip(of link: LinkIndex) -> Duration? {
        guard let id = session(of: link) else { return nil }
        return slots[id.number]?.session.roundTrip
    }
}
