import Envelope

// What this node tells of itself, and when.
extension Router {
    /// Lets time do its work: advertisements, digests, paths, expiry. Early calls are harmless.
    public mutating func timeReached(_ now: Instant, into sink: inout some RouterSink) {
        let forgotten = forgetOldLinks(at: now)
        if database.expire(at: now) || forgotten || pathsDue <= now { computeScheduledPaths(at: now, into: &sink) }
        if forgotten { scheduleAdvertisement(at: now, into: &sink) }
        if advertisementDue <= now { advertise(at: now, into: &sink) }
        guard digestDue <= now else { return }
        let peers = relayPeers
        digestDue = peers.isEmpty ? .never : now + Limits.digestInterval
        let message = digest(at: now)
        for peer in peers { sink.send(message, to: peer) }
    }

    /// Advertises a change now, or as soon as the rate allows. The interval doubles while changes keep coming and
    /// falls back after a quiet time of twice itself.
    mutating func scheduleAdvertisement(at now: Instant, into sink: inout some RouterSink) {
        guard let last = lastAdvertised else { return advertise(at: now, into: &sink) }
        advertisementDue = min(advertisementDue, max(now, last + advertisementInterval))
        guard advertisementDue <= now else { return }
        advertise(at: now, into: &sink)
    }

    mutating func advertise(at now: Instant, into sink: inout some RouterSink) {
        if let last = lastAdvertised {
            advertisementInterval =
                now - last < advertisementInterval * 2
                ? min(advertisementInterval * 2, Limits.advertisementIntervalMost) : Limits.advertisementInterval
        }
        lastAdvertised = now
        advertisementDue = now + Limits.advertisementRefresh
        guard sequence < .max || boot < .max else { return }
        if sequence == .max {
            boot += 1
            sequence = 0
        }
        sequence += 1
        let (advertisement, leftOut) = ownAdvertisement(at: now).fitting()
        if leftOut > 0 { sink.alarm(.advertisementFull(leftOut: leftOut)) }
        let signed = SignedAdvertisement(advertisement, signedBy: trust)
        ownSigned = signed
        flood([signed], except: nil, into: &sink)
    }

    /// To every relay with a link but the one it came from.
    func flood(_ list: [SignedAdvertisement], except sender: NodeName?, into sink: inout some RouterSink) {
        let messages = LinkStateMessage.messages(with: list)
        for peer in relayPeers where peer != sender {
            for message in messages { sink.send(message, to: peer) }
        }
    }

    var relayPeers: [NodeName] { adjacencies.filter { $0.isUp && $0.kind == .relay }.map(\.name) }

    func digest(at now: Instant) -> [UInt8] {
        var entries = database.entries.map {
            LinkStateMessage.DigestEntry(origin: $0.advertisement.origin, stamp: $0.advertisement.stamp)
        }
        if sequence > 0 {
            let own = LinkStateMessage.DigestEntry(origin: local, stamp: .init(boot: boot, sequence: sequence))
            entries.insert(own, at: entries.firstIndex { local < $0.origin } ?? entries.count)
        }
        return LinkStateMessage.digest(entries).encoded()
    }

    func ownAdvertisement(at now: Instant) -> Advertisement {
        let (madeAt, overflow) = wall.milliseconds.addingReportingOverflow((now - wallSetAt).wholeMilliseconds)
        return Advertisement(
            origin: local, stamp: .init(boot: boot, sequence: sequence),
            madeAt: overflow ? wall : WallTime(milliseconds: madeAt),
            softwareVersion: softwareVersion, listenPorts: listenPorts, holdings: holdings,
            links: adjacencies.filter { $0.kind == .relay }.map { link in
                .init(
                    peer: link.name, cost: link.cost, dialledByOrigin: link.dialledByUs, isUp: link.isUp,
                    statistics: link.statistics)
            },
            attached: adjacencies.filter { $0.kind != .relay }.map { link in
                .init(
                    node: link.name, kind: link.kind, dialledByOrigin: link.dialledByUs, isUp: link.isUp,
                    statistics: link.statistics)
            },
            services: ownOffers)
    }

    /// Rising, none twice.
    var ownOffers: [Advertisement.Service] {
        let managers = adjacencies.filter { $0.kind == .manager && $0.isUp }.map {
            Advertisement.Service(name: .manager, provider: $0.name)
        }
        let own = ownServices.map { Advertisement.Service(name: $0, provider: local) }
        var offers: [Advertisement.Service] = []
        for offer in (managers + own).sorted() where offers.last != offer { offers.append(offer) }
        return Array(offers.prefix(Limits.advertisedServices))
    }
}

extension Advertisement {
    /// Leaves out attached nodes until it is small enough to send: those that are down first, then the last ones.
    fileprivate func fitting() -> (Advertisement, leftOut: Int) {
        var result = self
        while result.encoded().count > Limits.advertisementBytes, !result.attached.isEmpty {
            if result.attached.contains(where: { !$0.isUp }) {
                result.attached.removeAll { !$0.isUp }
            } else {
                result.attached.removeLast((result.attached.count + 7) / 8)
            }
        }
        while result.encoded().count > Limits.advertisementBytes, !result.links.isEmpty {
            result.links.removeLast((result.links.count + 7) / 8)
        }
        let leftOut = attached.count + links.count - result.attached.count - result.links.count
        return (result, leftOut)
    }
}
