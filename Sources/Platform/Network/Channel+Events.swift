import Crypto

extension Channel: PollerOwner {
    func pollerReady(readable: Bool, writable: Bool, failed: Bool) {
        switch phase {
        case .handshaking:
            failed ? broken() : continueHandshake()
        case .open:
            if writable { serveWritable() }
            if readable || failed { serveReadableEvent() }
            if failed { broken() }
        case .flushing, .draining:
            failed ? finish(.local) : continueFarewell()
        case .dialling, .closed:
            break
        }
    }

    private func serveWritable() {
        sendGathered()
        if waits.readNeedsWrite {
            waits.readNeedsWrite = false
            serveReadable()
        }
        tellWritable()
        updateInterest()
    }

    private func serveReadableEvent() {
        if waits.writeNeedsRead {
            waits.writeNeedsRead = false
            tellWritable()
        }
        serveReadable()
        updateInterest()
    }

    func tellWritable() {
        guard phase == .open, waits.ownerWantsToWrite else { return }
        waits.ownerWantsToWrite = false
        owner?.channelWritable(self)
    }

    private func broken() {
        guard phase != .closed, let connection else { return }
        let code = Socket.takeError(connection.descriptor)
        finish(.broken(code == 0 ? "the connection was reset" : SystemError.text(code)))
    }

    /// Asks the poller for just what the next step needs, so that a level-triggered event never spins.
    func updateInterest() {
        guard let connection else { return }
        var wanted: Poller.Interest = []
        switch phase {
        case .handshaking:
            wanted = waits.handshake
        case .open:
            if !isPaused || waits.writeNeedsRead { wanted.insert(.readable) }
            if waits.readNeedsWrite || connection.session.hasUnsent { wanted.insert(.writable) }
            if waits.ownerWantsToWrite, !waits.writeNeedsRead { wanted.insert(.writable) }
        case .flushing:
            wanted = waits.writeNeedsRead ? .readable : .writable
        case .draining:
            wanted = .readable
        case .dialling, .closed:
            break
        }
        connection.poller.watch(wanted)
    }
}
