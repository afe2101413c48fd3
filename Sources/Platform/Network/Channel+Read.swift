import Crypto

extension Channel {
    /// Takes bytes that have arrived.
    /// - Returns: how many were put at the buffer's beginning; 0 where none wait or the channel is not open (then
    ///   ``ChannelOwner/channelClosed(_:reason:)`` follows).
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard phase == .open, let connection, !buffer.isEmpty else { return 0 }
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
        if waits.mayHoldUnread { queueUnread() }
        updateInterest()
    }

    func queueUnread() {
        guard phase == .open, !isPaused, !waits.isQueued else { return }
        waits.isQueued = true
        reactor.tasks.addUnread(self)
    }

    func pauseChanged() {
        guard phase == .open else { return }
        if !isPaused { queueUnread() }
        updateInterest()
    }
}
