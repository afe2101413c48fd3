import Envelope

extension Session {
    /// Takes bytes until the peer has introduced itself.
    ///
    /// - Returns: the hello and the bytes behind it, which belong to ``receive(_:at:into:)``; nil where more must come.
    /// - Throws: ``SessionError``; the session has ended.
    public mutating func receiveHello(
        _ bytes: UnsafeRawBufferPointer, at now: Instant
    ) throws(SessionError) -> (hello: Hello, rest: UnsafeRawBufferPointer)? {
        guard state == .awaitingHello else { throw .unexpected("a second hello") }
        var rest = bytes
        guard let header = try takeFrame(from: &rest) else { return nil }
        let payload = UnsafeRawBufferPointer(rebasing: partial.readable[FrameHeader.size...])
        if header.kind == .bye { try receiveBye(payload) }
        guard header.kind == .hello else { throw .unexpected("a frame before its hello") }
        let hello = try Hello(payload)
        guard hello.node == configuration.certifiedPeer else {
            throw .wrongName(claimed: hello.node, certified: configuration.certifiedPeer)
        }
        state = .established
        lastHeard = now
        if configuration.hello.node < hello.node { patience = patience + Limits.pingInterval }
        partial.removeAll()
        partial.shrink()
        return (hello, rest)
    }

    /// Takes bytes as they were read, any number of them, and reports what they mean.
    ///
    /// - Precondition: the hello has come.
    /// - Throws: ``SessionError``; the session has ended and the caller says ``leave(_:_:)`` and closes.
    public mutating func receive<Events: SessionEvents & ~Copyable>(
        _ bytes: UnsafeRawBufferPointer, at now: Instant, into events: inout Events
    ) throws(SessionError) {
        guard state == .established else { return }
        unheardPings = 0
        lastHeard = now
        guard out.count < Limits.unreadBytes else { throw .notReading }
        guard held.isEmpty else { return held.append(bytes) }
        var rest = bytes
        if !partial.isEmpty {
            guard let header = try takeFrame(from: &rest) else { return }
            // Taken out, so that the frame can be read while the session changes.
            var held = ByteQueue()
            swap(&held, &partial)
            let payload = UnsafeRawBufferPointer(rebasing: held.readable[FrameHeader.size...])
            try handle(header, payload, at: now, into: &events)
        }
        while !events.mustPause, let frame = try frame(at: rest) {
            try handle(frame.header, frame.payload, at: now, into: &events)
            rest = UnsafeRawBufferPointer(rebasing: rest[(FrameHeader.size + frame.header.length)...])
        }
        if events.mustPause { held.append(rest) } else { partial.append(rest) }
    }

    /// Keeps bytes unread until ``resume(at:into:)``: those behind the hello, before the owner knows its neighbour.
    public mutating func hold(_ bytes: UnsafeRawBufferPointer) {
        guard state == .established else { return }
        held.append(bytes)
    }

    /// Bytes wait for ``resume(at:into:)``. Whoever reads the socket must not let them pile up: at most one reading
    /// comes on top.
    public var isPaused: Bool { !held.isEmpty }

    /// The owner has acted on what it was told: reads on, up to the next thing it must act on.
    /// - Throws: as ``receive(_:at:into:)``.
    public mutating func resume<Events: SessionEvents & ~Copyable>(
        at now: Instant, into events: inout Events
    ) throws(SessionError) {
        var bytes = ByteQueue()
        swap(&bytes, &held)
        try receive(bytes.readable, at: now, into: &events)
    }

    /// Adds to the frame begun just what it still needs, so that nothing behind it is copied. Its header where
    /// it is whole now.
    private mutating func takeFrame(from rest: inout UnsafeRawBufferPointer) throws(SessionError) -> FrameHeader? {
        if partial.count < FrameHeader.size { take(FrameHeader.size - partial.count, from: &rest) }
        guard partial.count >= FrameHeader.size else { return nil }
        let header = try FrameHeader(partial.readable, limit: frameLimit)
        take(FrameHeader.size + header.length - partial.count, from: &rest)
        return partial.count == FrameHeader.size + header.length ? header : nil
    }

    private mutating func take(_ wanted: Int, from rest: inout UnsafeRawBufferPointer) {
        let count = min(wanted, rest.count)
        partial.append(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }

    private var frameLimit: Int { state == .awaitingHello ? Limits.helloBytes : Limits.frameBytes }

    private func frame(
        at bytes: UnsafeRawBufferPointer
    ) throws(SessionError) -> (header: FrameHeader, payload: UnsafeRawBufferPointer)? {
        guard bytes.count >= FrameHeader.size else { return nil }
        let header = try FrameHeader(bytes, limit: frameLimit)
        let end = FrameHeader.size + header.length
        guard bytes.count >= end else { return nil }
        return (header, UnsafeRawBufferPointer(rebasing: bytes[FrameHeader.size..<end]))
    }

    private mutating func handle<Events: SessionEvents & ~Copyable>(
        _ header: FrameHeader, _ payload: UnsafeRawBufferPointer, at now: Instant, into events: inout Events
    ) throws(SessionError) {
        switch header.kind {
        case .data: try receiveData(payload, flags: header.flags, into: &events)
        case .custody: try receiveCustody(payload, at: now, into: &events)
        case .refuse: try receiveRefusal(payload, into: &events)
        case .hello: throw .unexpected("a second hello")
        case .ping: try receivePing(payload)
        case .pong: try receivePong(payload, at: now)
        case .mesh:
            guard payload.count <= Limits.meshMessageBytes else { throw .malformed("a mesh message that is too long") }
            events.meshMessage(payload)
        case .bye: try receiveBye(payload)
        }
    }

    private mutating func receiveData<Events: SessionEvents & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, flags: UInt8, into events: inout Events
    ) throws(SessionError) {
        let prefix = try DataPrefix(payload)
        guard flags & ~DataFlags.known == 0, let lane = Lane(rawValue: flags & DataFlags.laneMask) else {
            throw .malformed("a data frame with unknown flags")
        }
        let fragment = UnsafeRawBufferPointer(rebasing: payload[DataPrefix.size...])
        let isLast = flags & DataFlags.last != 0
        let busy = try reassembly.with(lane) { (part) throws(SessionError) in part.isActive }
        if !busy { try begin(prefix, lane) }
        if !busy, isLast {
            guard prefix.offset == 0, fragment.count == prefix.total else {
                throw .malformed("a fragment that is not the whole envelope it says it is")
            }
            events.received(transmission: prefix.transmission, lane: lane, hop: prefix.hop, envelope: fragment)
            return
        }
        try reassembly.with(lane) { (part) throws(SessionError) in
            if !busy { part.begin(prefix) }
            try part.append(fragment, prefix)
            guard part.isComplete == isLast else { throw .malformed("an envelope whose last fragment is not its last") }
            guard isLast else { return }
            events.received(
                transmission: part.transmission, lane: lane, hop: part.hop, envelope: part.envelope)
            part.reset()
        }
    }

    /// The first fragment of an envelope: its number must be the next, its size legal, and credit left for it.
    private mutating func begin(_ prefix: DataPrefix, _ lane: Lane) throws(SessionError) {
        guard prefix.transmission == lastReceived + 1, prefix.offset == 0 else {
            throw .malformed("transmission \(prefix.transmission) where \(lastReceived + 1) was due")
        }
        guard prefix.total >= Header.size, prefix.total <= Header.size + Limits.bodyBytes else {
            throw .malformed("an envelope of \(prefix.total) bytes")
        }
        let reserve = lane == .control ? UInt64(Limits.controlReserveBytes) : 0
        guard bytesReceived < bytesGranted + reserve, lastReceived < envelopesGranted + reserve / 1024 else {
            throw .overCredit
        }
        lastReceived += 1
        bytesReceived += UInt64(prefix.total)
    }

    private mutating func receiveCustody<Events: SessionEvents & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, at now: Instant, into events: inout Events
    ) throws(SessionError) {
        var reader = ByteReader(payload)
        guard let bytes = reader.integer(UInt64.self), let envelopes = reader.integer(UInt64.self),
            reader.remaining % 16 == 0, reader.remaining / 16 <= Limits.custodyRanges
        else { throw .malformed("a custody frame of odd length") }
        // Grants only grow; the upper bound keeps the sums from overflowing.
        guard bytes < 1 << 62, envelopes < 1 << 62 else { throw .malformed("a grant beyond reason") }
        bytesAllowed = max(bytesAllowed, bytes)
        envelopesAllowed = max(envelopesAllowed, envelopes)
        while let first = reader.integer(UInt64.self), let last = reader.integer(UInt64.self) {
            guard first >= 1, first <= last, last < inFlight.next else {
                throw .malformed("custody of transmissions never sent")
            }
            var number = first
            #if CANARIES
                if Canary.isPlanted(.releaseOtherTransmission) { confirmOpen(before: first, at: now, into: &events) }
            #endif
            while number <= last {
                guard !underWay.contains(transmission: number) else {
                    throw .malformed("custody of an envelope half sent")
                }
                guard let entry = inFlight.close(number) else {
                    #if CANARIES
                        if Canary.isPlanted(.releaseOtherTransmission) {
                            number += 1
                            continue
                        }
                    #endif
                    throw .malformed("custody of a transmission twice")
                }
                events.confirmed(token: entry.token, after: now - entry.sentAt)
                number += 1
            }
        }
    }

    #if CANARIES
        private mutating func confirmOpen<Events: SessionEvents & ~Copyable>(
            before number: UInt64, at now: Instant, into events: inout Events
        ) {
            var open: [UInt64] = []
            inFlight.forEachOpen { other, _ in
                if other < number, !underWay.contains(transmission: other) { open.append(other) }
            }
            for other in open {
                if let entry = inFlight.close(other) { events.confirmed(token: entry.token, after: now - entry.sentAt) }
            }
        }
    #endif

    private mutating func receiveRefusal<Events: SessionEvents & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, into events: inout Events
    ) throws(SessionError) {
        var reader = ByteReader(payload)
        guard let number = reader.integer(UInt64.self), let delay = reader.integer(UInt32.self),
            let code = reader.integer(UInt8.self), let reason = RefusalReason(rawValue: code),
            reader.remaining == 0, !underWay.contains(transmission: number)
        else { throw .malformed("a malformed refusal, or one of an envelope half sent") }
        guard let entry = inFlight.close(number) else {
            #if CANARIES
                if Canary.isPlanted(.releaseOtherTransmission) { return }
            #endif
            throw .malformed("a refusal of something never sent or settled before")
        }
        events.refused(token: entry.token, reason: reason, delay: .milliseconds(Int64(delay)))
    }

    private mutating func receivePing(_ payload: UnsafeRawBufferPointer) throws(SessionError) {
        guard payload.count == 8 else { throw .malformed("a ping that is not 8 bytes") }
        // Who does not read gets no further answers; nothing may pile up.
        guard out.count < Limits.unreadBytes / 2 else { return }
        out.appendFrame(.pong) { $0.append(payload) }
    }

    private mutating func receivePong(_ payload: UnsafeRawBufferPointer, at now: Instant) throws(SessionError) {
        var reader = ByteReader(payload)
        guard let sent = reader.integer(Int64.self), sent >= startedAt.nanoseconds, sent <= now.nanoseconds,
            reader.remaining == 0
        else { throw .malformed("an answer to a ping never sent") }
        roundTrip = now - Instant(nanoseconds: sent)
    }

    private mutating func receiveBye(_ payload: UnsafeRawBufferPointer) throws(SessionError) {
        var reader = ByteReader(payload)
        guard let code = reader.integer(UInt8.self), let reason = ByeReason(rawValue: code),
            let text = reader.shortText(), reader.remaining == 0
        else { throw .malformed("a farewell without reason") }
        throw .left(reason, text)
    }
}
