import Envelope
import Mesh

extension TopologyReport {
    /// The mesh as a relay's router knows it, with what its own configuration names and nobody has heard of.
    public init(_ topology: Topology, configured: NodeConfiguration, software: String) {
        var members: [NodeName: Member] = [:]
        for relay in topology.relays { members[relay.name] = Member(relay, viewedFrom: topology, software: software) }
        for attachment in topology.attachments {
            let known = members[attachment.node]
            guard known == nil || (known?.state != .up && attachment.isUp) else { continue }
            members[attachment.node] = Member(
                name: attachment.node.description, role: attachment.kind.description,
                state: attachment.isUp ? .up : .down, asOf: attachment.asOf)
        }
        for link in configured.links where members[link.peer] == nil {
            members[link.peer] = Member(name: link.peer.description, role: "relay", state: .unknown)
        }
        let names = members.keys.sorted()
        var zones: [Zone] = []
        for name in names {
            guard let member = members[name] else { continue }
            if zones.last?.name != name.zone.description { zones.append(Zone(name: name.zone.description, nodes: [])) }
            zones[zones.count - 1].nodes.append(member)
        }
        let links = topology.links.map(LinkReport.init) + topology.attachments.map(LinkReport.init)
        self.init(
            asOf: topology.asOf, by: topology.viewpoint.description, zones: zones,
            links: links.sorted { ($0.from, $0.to) < ($1.from, $1.to) })
    }
}

extension TopologyReport.Member {
    fileprivate init(_ relay: Topology.Relay, viewedFrom topology: Topology, software: String) {
        self.init(
            name: relay.name.description, role: "relay",
            state: relay.isLocal || relay.isReachable ? .up : relay.report == nil ? .unknown : .down,
            version: relay.report?.softwareVersion ?? (relay.isLocal ? software : nil),
            storedBytes: relay.report?.holdings.storedBytes, parkedEnvelopes: relay.report?.holdings.parkedEnvelopes,
            asOf: relay.report?.asOf)
    }
}

extension LinkReport {
    fileprivate init(_ link: Topology.Link) {
        // `from` is the end that dials; where neither says so, the first by name.
        let secondDials = link.secondEnd?.dials == true && link.firstEnd?.dials != true
        let from = secondDials ? link.secondEnd : link.firstEnd
        let to = secondDials ? link.firstEnd : link.secondEnd
        let ends = [from, to].compactMap { $0 }
        let upEnds = ends.filter(\.isUp).count
        let roundTrips = ends.map(\.statistics.roundTrip).filter { $0 > .zero }
        let ages = ends.filter { $0.statistics.envelopesQueued > 0 }.map(\.statistics.oldestAge)
        self.init(
            from: (secondDials ? link.second : link.first).description,
            to: (secondDials ? link.first : link.second).description,
            state: link.isUsable ? .up : upEnds > 0 ? .half : .down,
            costForward: from.map { UInt32($0.cost) }, costBack: to.map { UInt32($0.cost) },
            roundTripMicroseconds: roundTrips.min().map { UInt64($0.wholeNanoseconds / 1000) },
            bytesQueuedForward: from?.statistics.bytesQueued ?? 0,
            envelopesQueuedForward: from?.statistics.envelopesQueued ?? 0,
            bytesQueuedBack: to?.statistics.bytesQueued ?? 0,
            envelopesQueuedBack: to?.statistics.envelopesQueued ?? 0,
            oldestAgeSeconds: ages.max().map { Double($0.wholeMilliseconds) / 1000 },
            asOf: ends.map(\.asOf).max() ?? WallTime(milliseconds: 0))
    }

    fileprivate init(_ attachment: Topology.Attachment) {
        let relay = attachment.relay.description
        let node = attachment.node.description
        let statistics = attachment.statistics
        let bytes = statistics.bytesQueued
        let envelopes = statistics.envelopesQueued
        self.init(
            from: attachment.dialledByRelay ? relay : node, to: attachment.dialledByRelay ? node : relay,
            state: attachment.isUp ? .up : .down,
            roundTripMicroseconds: statistics.roundTrip > .zero
                ? UInt64(statistics.roundTrip.wholeNanoseconds / 1000) : nil,
            bytesQueuedForward: attachment.dialledByRelay ? bytes : 0,
            envelopesQueuedForward: attachment.dialledByRelay ? envelopes : 0,
            bytesQueuedBack: attachment.dialledByRelay ? 0 : bytes,
            envelopesQueuedBack: attachment.dialledByRelay ? 0 : envelopes,
            oldestAgeSeconds: envelopes > 0 ? Double(statistics.oldestAge.wholeMilliseconds) / 1000 : nil,
            asOf: attachment.asOf)
    }
}
