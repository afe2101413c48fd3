import Crypto

extension Channel {
    /// Takes bytes that have arrived.
    /// - Returns: how many were put at the buffer's beginning; 0 where none wait or the channel is not open (then
    ///   ``ChannelOwner/channelClosed(_:reason:)`` follows).
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard phase == .open, !buffer.isEmpty else { return 0 }
        if let carried { return readCarried(carried, into: buffer) }
        guard let connection else { return 0 }
        waits.mayHoldUnread = false
        switch connection.session.read(into: buffer) {
        case .bytes(let count):
            bytesRead &+= UInt64(count)
            waits.mayHoldUnread = true
            if !waits.isServing { queueUnread() }
            return count
        case .wantsRead:
            break
        case .wantsWrite:
            waits.readNeedsWrite = true
            updateInterest()
        case .closed:
            finish(.peerClosed)
        case .failed(let text):
            finish(.broken(text))
        }
        return 0
    }

    /// Gives `body` what has arrived: where it lies, if another thread has read it, or by way of the buffer.
    /// - Parameters:
    ///   - buffer: its size is about the most that is taken, so that other channels get their turn.
    ///   - body: called not at all, once, or several times with what follows one another; the bytes are lent.
    public func take(by buffer: UnsafeMutableRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard phase == .open else { return }
        if let carried { return takeCarried(carried, atMost: buffer.count, body) }
        var filled = 0
        while filled < buffer.count {
            let count = read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            guard count > 0 else { break }
            filled += count
        }
        if filled > 0 { body(UnsafeRawBufferPointer(rebasing: buffer[..<filled])) }
    }

    /// Serves bytes left over from an earlier turn, unless the socket already brought the owner back in this one;
    /// then a place in the queue, if it has one, is for the next turn.
    func serveUnread(turn: UInt64) {
        guard waits.isQueued, waits.servedTurn != turn else { return }
        waits.isQueued = false
        serveReadable()
    }

    func serveReadable() {
        guard phase == .open, !isPaused, !waits.isServing else { return }
        waits.servedTurn = reactor.turn
        waits.isQueued = false
        waits.mayHoldUnread = false
        waits.isServing = true
        owner?.channelReadable(self)
        waits.isServing = false
        if waits.mayHoldUnread || carried?.holdsBytes == true { queueUnread() }
        updateInterest()
    }

    func queueUnread() {
        guard phase == .open, !isPaused, !waits.isQueued, carried?.mayBeRead ?? true else { return }
        waits.isQueued = true
        reactor.tasks.addUnread(self)
    }

    func pauseChanged() {
        guard phase == .open else { return }
        if !isPaused { queueUnread() }
        updateInterest()
    }
}
