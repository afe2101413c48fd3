import Envelope
import Glibc
import Mesh
import Platform

extension LinkHub {
    /// Every configured or met neighbour as this node sees the link, in the order of their names.
    public func linkReports(at now: Instant) -> [LinkReport] {
        var reports: [LinkReport] = []
        let figures = exchange.forwarder.linkFigures(at: now)
        for case let neighbour? in neighbours {
            reports.append(report(neighbour, figures[neighbour.link]))
        }
        for link in currentConfiguration.links where !neighbours.contains(where: { $0?.name == link.peer }) {
            reports.append(missing(link))
        }
        return reports.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
    }

    /// Threads that carry links.
    public var reactors: Int { carriers?.count ?? 1 }

    private func report(_ neighbour: Neighbour, _ figure: Forwarder.LinkFigures) -> LinkReport {
        let us = identity.name.description
        let them = neighbour.name.description
        let oldest = figure.envelopes == 0 ? nil : Double(figure.oldestAge.wholeMilliseconds) / 1000
        var report = LinkReport(
            from: neighbour.dialledByUs ? us : them, to: neighbour.dialledByUs ? them : us,
            state: neighbour.isUp ? .up : .down,
            roundTripMicroseconds: exchange.roundTrip(of: neighbour.link).map { UInt64($0.wholeNanoseconds / 1000) },
            oldestAgeSeconds: oldest, asOf: Clock.wall,
            reason: neighbour.isUp ? nil : dialReason(of: neighbour.name) ?? neighbour.reason)
        if neighbour.dialledByUs {
            report.costForward = UInt32(cost(of: neighbour.name))
            report.bytesQueuedForward = UInt64(figure.bytes)
            report.envelopesQueuedForward = UInt64(figure.envelopes)
        } else {
            report.costBack = UInt32(cost(of: neighbour.name))
            report.bytesQueuedBack = UInt64(figure.bytes)
            report.envelopesQueuedBack = UInt64(figure.envelopes)
        }
        return report
    }

    /// A link of the configuration on which no session ever stood since the start.
    private func missing(_ link: LinkConfiguration) -> LinkReport {
        let us = identity.name.description
        let them = link.peer.description
        let dials = link.dial != nil
        return LinkReport(
            from: dials ? us : them, to: dials ? them : us, state: .down,
            costForward: dials ? UInt32(link.cost) : nil, costBack: dials ? nil : UInt32(link.cost), asOf: Clock.wall,
            reason: dials ? dialReason(of: link.peer) : "waiting for \(them) to dial")
    }

    /// - Parameter name: for an id, `zone/name` where it is known, else hexadecimal.
    public func queueReports(at now: Instant, name: (NodeID) -> String) -> [QueueReport.Queue] {
        let queues = exchange.forwarder.queueFigures(at: now).map { figure in
            QueueReport.Queue(
                destination: name(figure.destination), lane: figure.lane?.description ?? "parked",
                envelopes: UInt64(figure.envelopes), bytes: UInt64(figure.bytes), inFlight: UInt64(figure.inFlight),
                oldestAgeSeconds: Double(figure.oldestAge.wholeMilliseconds) / 1000,
                state: figure.lane == nil || figure.nextHop == nil ? .parked : figure.isHeld ? .held : .forwarding,
                nextHop: figure.nextHop.map(name),
                secondsToDrain: forecaster.secondsToDrain(
                    Forecaster.Queue(destination: figure.destination, lane: figure.lane), figure.bytes))
        }
        return queues.sorted { ($0.destination, $0.lane) < ($1.destination, $1.lane) }
    }
}

extension CounterReport {
    /// Of the forwarder alone; an agent adds what its deliveries count.
    public init(_ forwarder: borrowing Forwarder) {
        let counters = forwarder.counters
        let holdings = forwarder.holdings
        self.init(
            accepted: counters.accepted, delivered: counters.delivered + counters.handedOver + counters.receipted,
            queued: UInt64(holdings.queued), inFlight: UInt64(holdings.underWay),
            dropped: ["expired": counters.expired, "unreadable": counters.lost],
            quarantined: counters.damaged,
            refused: counters.refusedFull + counters.refusedBusy + counters.refusedNotPermitted
                + counters.refusedUnknown,
            returned: counters.returned)
    }
}

extension ProcessFigures {
    public static var identifier: Int32 { getpid() }
}
