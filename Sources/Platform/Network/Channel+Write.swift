import Crypto
import Envelope
import Glibc

extension Channel {
    /// Gives bytes to the connection. Give much at a time (16 KiB and more where there is as much): each call
    /// makes a TLS record of its own.
    ///
    /// Where fewer are taken than given, keep the rest, wait for ``ChannelOwner/channelWritable(_:)`` and then
    /// begin exactly with the first byte not taken, giving at least as many as before: the TLS layer may already
    /// have sealed the beginning of them.
    /// - Parameter hasMore: more is written right after it, or ``flush()`` is called: it may wait for that.
    /// - Returns: how many bytes were taken; 0 also where the channel is not open.
    public func write(_ bytes: UnsafeRawBufferPointer, hasMore: Bool = false) -> Int {
        guard phase == .open else { return 0 }
        let taken = carried?.send(bytes, hasMore: hasMore) ?? push(bytes, hasMore: hasMore)
        bytesWritten &+= UInt64(taken)
        if taken < bytes.count, phase == .open { waits.ownerWantsToWrite = true }
        if !hasMore || taken < bytes.count { updateInterest() }
        return taken
    }

    /// Sends what ``write(_:hasMore:)`` held back, as far as there is room; the rest follows by itself.
    public func flush() {
        guard phase == .open else { return }
        carried?.flush()
        sendGathered()
        updateInterest()
    }

    /// Ends the channel in order: sends `rest`, then the TLS farewell, then waits for the peer to close too, so
    /// that the peer gets everything. What has not happened within `limit` is cut off.
    /// - Parameter rest: what the owner still had to say, beginning with the first byte ``write(_:)`` did not take.
    public func close(flushing rest: [UInt8] = [], within limit: Duration = .seconds(1)) {
        switch phase {
        case .open:
            phase = .flushing
            if let carried { return carried.close(flushing: rest, within: limit) }
            farewell = rest[...]
            setDeadline(after: limit, .local)
            continueFarewell()
        case .dialling, .handshaking:
            finish(.local)
        case .flushing, .draining, .closed:
            break
        }
    }

    /// Ends the channel at once; bytes under way may be lost.
    public func abort() { finish(.local) }

    func continueFarewell() {
        if phase == .flushing {
            farewell.removeFirst(farewell.withUnsafeBytes { push($0) })
            guard phase == .flushing else { return }
            if farewell.isEmpty, let connection, !connection.session.hasUnsent {
                phase = .draining
                connection.session.close()
                shutdown(connection.descriptor, Int32(SHUT_WR))
            }
        }
        if phase == .draining { drain() }
        updateInterest()
    }

    /// Reads and forgets what the peer still says. No need to open it: it comes too late to matter.
    private func drain() {
        guard let connection else { return }
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { buffer in
            for _ in 0..<16 {
                let count = recv(connection.descriptor, buffer.baseAddress, buffer.count, 0)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN { return }
                if count <= 0 { return finish(.local) }
            }
        }
    }

    /// Writes until everything is taken or the connection has no room.
    private func push(_ bytes: UnsafeRawBufferPointer, hasMore: Bool = false) -> Int {
        guard let connection else { return 0 }
        waits.writeNeedsRead = false
        var taken = 0
        while taken < bytes.count {
            switch connection.session.write(UnsafeRawBufferPointer(rebasing: bytes[taken...]), hasMore: hasMore) {
            case .bytes(let count):
                taken += count
                continue
            case .wantsWrite:
                waits.ownerWantsToWrite = true
            case .wantsRead:
                waits.writeNeedsRead = true
            case .closed:
                finish(.peerClosed)
            case .failed(let text):
                finish(.broken(text))
            }
            break
        }
        if !hasMore || taken < bytes.count { sendGathered() }
        return taken
    }

    /// Sends what the TLS layer has gathered, as far as there is room.
    func sendGathered() {
        guard let connection, connection.session.hasUnsent else { return }
        if case .failed(let text) = connection.session.flush() { finish(.broken(text)) }
    }
}
