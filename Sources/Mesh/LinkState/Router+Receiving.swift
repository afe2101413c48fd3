import Envelope

// What neighbours tell.
extension Router {
    /// Takes a link-state message from a relay with a link.
    /// - Throws: ``LinkStateError`` where it is no message or its sender no relay; nothing has changed then, and the
    ///   session should be closed.
    public mutating func receive(
        _ message: [UInt8], from peer: NodeName, at now: Instant, into sink: inout some RouterSink
    ) throws(LinkStateError) {
        guard let adjacency = adjacency(of: peer), adjacency.isUp, adjacency.kind == .relay else {
            throw .notARelay(peer)
        }
        switch try LinkStateMessage(decoding: message) {
        case .advertisements(let list):
            var news: [(signed: SignedAdvertisement, advertisement: Advertisement)] = []
            for signed in list where !isHeld(signed) {
                news.append((signed, try Advertisement(decoding: signed.bytes)))
            }
            take(news, from: peer, at: now, into: &sink)
        case .digest(let entries):
            request(newerIn: entries, from: peer, into: &sink)
        case .request(let origins):
            let answers = origins.compactMap { signed(of: $0, at: now) }
            for message in LinkStateMessage.messages(with: answers) { sink.send(message, to: peer) }
        }
    }

    /// Its certificate was revoked: what it told is not used any more. What it tells from now on fails the trust's check.
    public mutating func forgetOrigin(_ origin: NodeName, at now: Instant, into sink: inout some RouterSink) {
        if database.remove(origin) { computePaths(at: now, into: &sink) }
    }

    private func request(
        newerIn entries: [LinkStateMessage.DigestEntry], from peer: NodeName, into sink: inout some RouterSink
    ) {
        let wanted = entries.filter { entry in heldStamp(of: entry.origin).map { $0 < entry.stamp } ?? true }
        guard !wanted.isEmpty else { return }
        sink.send(LinkStateMessage.request(wanted.map(\.origin)).encoded(), to: peer)
    }

    private func heldStamp(of origin: NodeName) -> Advertisement.Stamp? {
        origin == local
            ? Advertisement.Stamp(boot: boot, sequence: sequence) : database.stamp(of: origin)
    }

    /// As it travels on: with the time it spent here added to its age.
    private func signed(of origin: NodeName, at now: Instant) -> SignedAdvertisement? {
        guard origin != local else { return ownSigned.map { aged($0, since: lastAdvertised ?? now, at: now) } }
        guard let entry = database[origin] else { return nil }
        return aged(entry.signed, since: entry.heardAt, at: now)
    }

    private func aged(_ signed: SignedAdvertisement, since made: Instant, at now: Instant) -> SignedAdvertisement {
        var copy = signed
        copy.age = now - made
        return copy
    }

    /// Flooding brings every advertisement once a link. One that was read and kept need not be read again.
    private func isHeld(_ signed: SignedAdvertisement) -> Bool {
        guard let origin = Advertisement.origin(of: signed.bytes) else { return false }
        return isHeld(signed, of: origin)
    }

    private func isHeld(_ signed: SignedAdvertisement, of origin: NodeName) -> Bool {
        origin == local ? ownSigned?.bytes == signed.bytes : database.holds(signed.bytes, of: origin)
    }

    private mutating func take(
        _ list: [(signed: SignedAdvertisement, advertisement: Advertisement)], from peer: NodeName, at now: Instant,
        into sink: inout some RouterSink
    ) {
        var news: [SignedAdvertisement] = []
        var pathsChanged = false
        for (signed, advertisement) in list {
            guard isWorthChecking(signed, advertisement) else { continue }
            guard signed.isGenuine(of: advertisement.origin, by: trust) else {
                sink.alarm(.badSignature(origin: advertisement.origin, from: peer))
                continue
            }
            if advertisement.origin == local {
                overtake(advertisement.stamp, from: peer, at: now, into: &sink)
                continue
            }
            let before = database[advertisement.origin]
            if before?.advertisement.stamp == advertisement.stamp {
                #if CANARIES
                    if Canary.isPlanted(.equalAdvertisementByArrival) {
                        _ = database.install(entry(signed, advertisement, after: before, at: now))
                        news.append(signed)
                        pathsChanged = true
                        continue
                    }
                #endif
                sink.alarm(.equivocation(origin: advertisement.origin, stamp: advertisement.stamp, from: peer))
            } else {
                guard database.install(entry(signed, advertisement, after: before, at: now)) else {
                    sink.alarm(.tooManyRelays(refused: advertisement.origin))
                    continue
                }
                news.append(signed)
                if !advertisement.leadsAs(before) { pathsChanged = true }
            }
        }
        flood(news, except: peer, into: &sink)
        if pathsChanged { schedulePaths(at: now, into: &sink) }
    }

    /// Cheap questions before the signature's: it must be newer, or of the same number with other bytes.
    private func isWorthChecking(_ signed: SignedAdvertisement, _ advertisement: Advertisement) -> Bool {
        guard signed.age < Limits.advertisementKeep else { return false }
        guard let held = heldStamp(of: advertisement.origin), held >= advertisement.stamp else { return true }
        guard held == advertisement.stamp else { return false }
        return !isHeld(signed, of: advertisement.origin)
    }

    /// - Parameter before: what is held of the origin. Its lists mostly name the same nodes, and a node's id is a hash.
    private func entry(
        _ signed: SignedAdvertisement, _ advertisement: Advertisement, after before: LinkStateDatabase.Entry?,
        at now: Instant
    ) -> LinkStateDatabase.Entry {
        let held = before?.advertisement
        let sameLinks = held?.links.elementsEqual(advertisement.links) { $0.peer == $1.peer } ?? false
        let sameNodes = held?.attached.elementsEqual(advertisement.attached) { $0.node == $1.node } ?? false
        return LinkStateDatabase.Entry(
            advertisement: advertisement, signed: signed,
            heardAt: Instant(nanoseconds: now.nanoseconds &- signed.age.wholeNanoseconds),
            originID: before?.originID ?? identify(advertisement.origin.description),
            linkIDs: sameLinks
                ? before?.linkIDs ?? [] : advertisement.links.map { identify($0.peer.description) },
            attachedIDs: sameNodes
                ? before?.attachedIDs ?? [] : advertisement.attached.map { identify($0.node.description) },
            isUsed: signed.age < Limits.advertisementUse)
    }

    /// The mesh knows later news of this node than this node itself: it was restarted with its boot number lost, or
    /// has a double. Going on above it makes the mesh believe the living (RFC 2328, section 13.4).
    private mutating func overtake(
        _ heard: Advertisement.Stamp, from peer: NodeName, at now: Instant, into sink: inout some RouterSink
    ) {
        boot = heard.boot
        sequence = heard.sequence
        sink.alarm(
            .ownHigherAdvertisement(heard: heard, boot: sequence == .max && boot < .max ? boot + 1 : boot, from: peer))
        scheduleAdvertisement(at: now, into: &sink)
    }
}

extension Advertisement {
    /// True where paths are the same with this in the place of `held`: only statistics and texts differ.
    fileprivate func leadsAs(_ held: LinkStateDatabase.Entry?) -> Bool {
        guard let held, held.isUsed else { return false }
        let other = held.advertisement
        return links.elementsEqual(other.links) { ($0.peer, $0.isUp, $0.cost) == ($1.peer, $1.isUp, $1.cost) }
            && attached.elementsEqual(other.attached) { ($0.node, $0.isUp, $0.kind) == ($1.node, $1.isUp, $1.kind) }
            && services == other.services
    }
}
