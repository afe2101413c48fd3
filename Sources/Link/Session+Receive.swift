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
        if streaming != nil {
            guard try stream(from: &rest, into: &events) else { return }
        } else if !partial.isEmpty {
            guard try finishPartial(from: &rest, at: now, into: &events) else { return }
        }
        while !events.mustPause, let frame = try frame(at: rest) {
            try handle(frame.header, frame.payload, at: now, into: &events)
            rest = UnsafeRawBufferPointer(rebasing: rest[(FrameHeader.size + frame.header.length)...])
        }
        if events.mustPause { return held.append(rest) }
        guard try !beginStreaming(rest, into: &events) else { return }
        partial.append(rest)
    }

    /// Goes on with the frame whose beginning is held.
    /// - Returns: false where more must come.
    private mutating func finishPartial<Events: SessionEvents & ~Copyable>(
        from rest: inout UnsafeRawBufferPointer, at now: Instant, into events: inout Events
    ) throws(SessionError) -> Bool {
        if partial.count < FrameHeader.size { take(FrameHeader.size - partial.count, from: &rest) }
        guard partial.count >= FrameHeader.size else { return false }
        let header = try FrameHeader(partial.readable, limit: frameLimit)
        if header.isStreamed {
            let front = FrameHeader.size + DataPrefix.size
            take(front - partial.count, from: &rest)
            guard partial.count == front else { return false }
            var begun = ByteQueue()
            swap(&begun, &partial)
            _ = try beginStreaming(begun.readable, into: &events)
            return try stream(from: &rest, into: &events)
        }
        guard try takeFrame(from: &rest) != nil else { return false }
        // Taken out, so that the frame can be read while the session changes.
        var held = ByteQueue()
        swap(&held, &partial)
        let payload = UnsafeRawBufferPointer(rebasing: held.readable[FrameHeader.size...])
        try handle(header, payload, at: now, into: &events)
        return true
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
        case .custody: try receiveCustody(payload, into: &events)
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
        let prefix = try DataPrefix(payload, of: payload.count)
        let fragment = UnsafeRawBufferPointer(rebasing: payload[DataPrefix.size...])
        let start = try start(prefix, flags: flags, fragment.count)
        if start.isWhole {
            return events.received(
                transmission: prefix.transmission, lane: start.lane, hop: prefix.hop, envelope: fragment)
        }
        try reassembly.with(start.lane) { (part) throws(SessionError) in
            try part.join(prefix, fragment.count, isFirst: start.isFirst, into: &events)
            part.append(fragment)
            try part.finish(start.lane, isLast: start.isLast, into: &events)
        }
    }

    /// What a fragment is, as far as its first bytes tell; the first of an envelope is counted.
    private mutating func start(
        _ prefix: DataPrefix, flags: UInt8, _ length: Int
    ) throws(SessionError) -> (lane: Lane, isFirst: Bool, isLast: Bool, isWhole: Bool) {
        guard flags & ~DataFlags.known == 0, let lane = Lane(rawValue: flags & DataFlags.laneMask) else {
            throw .malformed("a data frame with unknown flags")
        }
        let isLast = flags & DataFlags.last != 0
        let isFirst = try reassembly.with(lane) { (part) throws(SessionError) in !part.isActive }
        if isFirst { try begin(prefix, lane) }
        let isWhole = isFirst && isLast
        guard !isWhole || prefix.offset == 0 && length == prefix.total else {
            throw .malformed("a fragment that is not the whole envelope it says it is")
        }
        return (lane, isFirst, isLast, isWhole)
    }

    // MARK: Data frames that come in parts

    /// What is still to come of a data frame.
    struct Streaming {
        var lane: Lane
        var left: Int
        var isLast: Bool
    }

    /// Takes the beginning of a data frame, and goes on with ``stream(from:into:)`` when more comes: so the frame is not
    /// held, its bytes go where the envelope is put together.
    /// - Returns: false where the bytes are not the beginning of one, or too few to tell.
    private mutating func beginStreaming<Events: SessionEvents & ~Copyable>(
        _ bytes: UnsafeRawBufferPointer, into events: inout Events
    ) throws(SessionError) -> Bool {
        let front = FrameHeader.size + DataPrefix.size
        guard bytes.count >= front else { return false }
        let header = try FrameHeader(bytes, limit: frameLimit)
        guard header.isStreamed else { return false }
        let prefix = try DataPrefix(UnsafeRawBufferPointer(rebasing: bytes[FrameHeader.size...]), of: header.length)
        let length = header.length - DataPrefix.size
        let start = try start(prefix, flags: header.flags, length)
        try reassembly.with(start.lane) { (part) throws(SessionError) in
            try part.join(prefix, length, isFirst: start.isFirst, into: &events)
        }
        streaming = Streaming(lane: start.lane, left: length, isLast: start.isLast)
        var rest = UnsafeRawBufferPointer(rebasing: bytes[front...])
        _ = try stream(from: &rest, into: &events)
        return true
    }

    /// - Returns: whether the frame is whole now.
    private mutating func stream<Events: SessionEvents & ~Copyable>(
        from rest: inout UnsafeRawBufferPointer, into events: inout Events
    ) throws(SessionError) -> Bool {
        guard var frame = streaming else { return true }
        let count = min(frame.left, rest.count)
        frame.left -= count
        streaming = frame.left > 0 ? frame : nil
        try reassembly.with(frame.lane) { (part) throws(SessionError) in
            part.append(UnsafeRawBufferPointer(rebasing: rest[..<count]))
            if frame.left == 0 { try part.finish(frame.lane, isLast: frame.isLast, into: &events) }
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return frame.left == 0
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
        _ payload: UnsafeRawBufferPointer, into events: inout Events
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
                if Canary.isPlanted(.releaseOtherTransmission) { confirmOpen(before: first, into: &events) }
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
                events.confirmed(token: entry.token)
                number += 1
            }
        }
    }

    #if CANARIES
        private mutating func confirmOpen<Events: SessionEvents & ~Copyable>(
            before number: UInt64, into events: inout Events
        ) {
            var open: [UInt64] = []
            inFlight.forEachOpen { other, _ in
                if other < number, !underWay.contains(transmission: other) { open.append(other) }
            }
            for other in open {
                if let entry = inFlight.close(other) { events.confirmed(token: entry.token) }
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

extension Reassembly {
    /// Begins an envelope with its first fragment, or checks that a fragment continues it.
    fileprivate mutating func join<Events: SessionEvents & ~Copyable>(
        _ prefix: DataPrefix, _ length: Int, isFirst: Bool, into events: inout Events
    ) throws(SessionError) {
        if isFirst { begin(prefix, in: events.place(for: prefix.total)) }
        try check(prefix, length)
    }

    /// A fragment is whole, and with the last one the envelope.
    fileprivate mutating func finish<Events: SessionEvents & ~Copyable>(
        _ lane: Lane, isLast: Bool, into events: inout Events
    ) throws(SessionError) {
        guard isComplete == isLast else { throw .malformed("an envelope whose last fragment is not its last") }
        guard isLast else { return }
        if let place {
            events.received(transmission: transmission, lane: lane, hop: hop, envelope: envelope, in: place)
        } else {
            events.received(transmission: transmission, lane: lane, hop: hop, envelope: envelope)
        }
        reset()
    }
}

extension FrameHeader {
    /// Its payload need not be whole before it is looked at.
    fileprivate var isStreamed: Bool { kind == .data && length > DataPrefix.size }
}
