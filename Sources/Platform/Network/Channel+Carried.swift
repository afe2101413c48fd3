import Crypto

/// A channel whose connection is on another thread; see ``Carriers``.
extension Channel {
    /// Lets go of the connection. What the TLS layer has read ahead goes with it.
    /// - Returns: nil where the channel is not open.
    func moveOut(to carried: CarriedConnection) -> MovedConnection? {
        guard phase == .open, let connection else { return nil }
        precondition(bytesRead == 0 && bytesWritten == 0 && !connection.session.hasUnsent, "moves before it is used")
        connection.poller.close()
        self.connection = nil
        self.carried = carried
        return MovedConnection(descriptor: connection.descriptor, session: connection.session)
    }

    /// Goes on with a connection whose handshake was done elsewhere. Takes the descriptor over, also where it throws.
    convenience init(_ reactor: Reactor, adopting moved: MovedConnection, owner: any ChannelOwner) throws {
        self.init(reactor, isDialled: false, owner: owner)
        do {
            connection = try Connection(reactor, moved, owner: self)
        } catch {
            reactor.residents[ObjectIdentifier(self)] = nil
            throw error
        }
        phase = .open
        queueUnread()
        updateInterest()
    }

    /// While more than one parcel comes in a turn, the others wait for the next, so that all channels get theirs.
    func arrived(_ parcel: Parcel) {
        carried?.arrived(parcel)
        waits.servedTurn == reactor.turn ? queueUnread() : serveReadable()
    }

    func carriedOff(_ count: Int) {
        carried?.carriedOff(count)
        if carried?.hasRoom == true { tellWritable() }
    }

    func carriedToItsEnd(_ reason: CloseReason) {
        guard let carried else { return }
        carried.ended = reason
        // What came before is read first, as it would be from a socket.
        if phase == .open, carried.holdsBytes { queueUnread() } else { finish(reason) }
    }

    func readCarried(_ carried: CarriedConnection, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < buffer.count {
            let part = carried.readable.prefix(buffer.count - filled)
            guard !part.isEmpty else { break }
            UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(from: .init(rebasing: part))
            filled += part.count
            carried.consume(part.count)
        }
        wasRead(carried, filled)
        return filled
    }

    /// Gives what has arrived where it lies, parcel by parcel.
    func takeCarried(_ carried: CarriedConnection, atMost limit: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        var taken = 0
        while taken < limit {
            let bytes = carried.readable
            guard !bytes.isEmpty, taken == 0 || taken + bytes.count <= limit else { break }
            body(bytes)
            taken += bytes.count
            carried.consume(bytes.count)
        }
        wasRead(carried, taken)
    }

    private func wasRead(_ carried: CarriedConnection, _ count: Int) {
        bytesRead &+= UInt64(count)
        if count == 0, let reason = carried.ended { return finish(reason) }
        waits.mayHoldUnread = carried.mayBeRead
        if waits.mayHoldUnread, !waits.isServing { queueUnread() }
    }
}
