import AgentCore
import Crypto
import Envelope
import Journal
import Keyring
import Mesh
import Node
import Platform

// What the agent answers on its admin socket. Questions come on the server's threads; what touches the service is
// asked of the reactor, what waits for a message waits here.
extension AgentService {
    static let paths = [
        "GET /v1/status", "GET /v1/topology", "GET /v1/queues", "GET /v1/messages", "POST /v1/messages",
        "DELETE /v1/messages/ID", "GET /v1/quarantine", "GET /v1/quarantine/ID", "DELETE /v1/quarantine/ID",
        "POST /v1/quarantine/ID/retry?sink=", "GET /v1/stored", "POST /v1/stored/copies", "GET /v1/streams?since=",
        "GET /v1/streams/STREAM", "GET /metrics", "GET /healthz", "GET /readyz",
    ]

    static func answer(
        _ request: AdminRequest, _ agent: ReactorBound<AgentService>, _ quarantine: Quarantine, _ desk: QuarantineDesk
    ) -> AdminResponse {
        if let answer = quarantine.answer(request) ?? desk.answer(request) ?? carry(request, agent)
            ?? answerStreams(request, agent)
        {
            return answer
        }
        return switch (request.method, request.path) {
        case ("POST", "/v1/messages"): send(request, agent)
        case ("GET", "/v1/messages"): list(request, agent)
        case ("DELETE", let path) where path.hasPrefix("/v1/messages/"):
            remove(String(path.dropFirst("/v1/messages/".count)), agent)
        default: ask(agent) { $0.answer(request) }
        }
    }

    private static func ask(
        _ agent: ReactorBound<AgentService>, _ work: @escaping @Sendable (AgentService) -> AdminResponse
    ) -> AdminResponse {
        do throws(MailboxError) { return try agent.ask(work) } catch {
            return .problem(status: 503, error.description)
        }
    }

    private func answer(_ request: AdminRequest) -> AdminResponse {
        switch (request.method, request.path) {
        case ("GET", "/v1/status"): .json(status: 200, status)
        case ("GET", "/v1/topology"): .json(status: 200, topology)
        case ("GET", "/v1/queues"): .json(status: 200, queues)
        case ("GET", "/v1/quarantine"): .json(status: 200, quarantined)
        case ("GET", "/metrics"): status.metrics(queues)
        case ("GET", "/healthz"): .text(status: 200, contentType: "text/plain", "ok\n")
        case ("GET", "/readyz"):
            isStopping
                ? .problem(status: 503, "the agent is stopping")
                : .text(status: 200, contentType: "text/plain", "ready\n")
        default: .notFound(request, known: Self.paths)
        }
    }

    // MARK: Reports

    private var status: NodeStatus {
        let now = reactor.now
        let holdings = hub.exchange.forwarder.holdings
        var counters = CounterReport(hub.exchange.forwarder)
        counters.duplicates = allSinks.reduce(0) { $0 + $1.duplicates }
        counters.quarantined = quarantine.count + damages.count + forgedReceipts
        return NodeStatus(
            node: identity.name.description, role: "agent", version: Software.version, pid: ProcessFigures.identifier,
            started: birth.wall, uptimeSeconds: birth.uptimeSeconds(at: now), asOf: Clock.wall,
            links: hub.linkReports(at: now), counters: counters,
            store: storeReport,
            memory: MemoryReport(
                residentBytes: ProcessFigures.residentBytes, heldBytes: UInt64(holdings.memoryBytes),
                budgetBytes: UInt64(configuration.memory)),
            reactors: hub.reactors, bytesInPerSecond: hub.forecaster.bytesInPerSecond, quarantine: quarantine.summary,
            jobs: jobs.map { job in
                var report = job.status.current
                report.unreceipted = UInt64(machine.unreceipted(of: job.configuration.name))
                return report
            },
            sinks: allSinks.map(\.status.current), lastReload: lastReload)
    }

    private var quarantined: QuarantineReport {
        let names = names
        return quarantine.report(node: identity.name.description, asOf: Clock.wall) {
            names[$0]?.description ?? ($0 == identity.id ? identity.name.description : $0.description)
        }
    }

    private var queues: QueueReport {
        let names = names
        return QueueReport(
            node: identity.name.description, asOf: Clock.wall,
            queues: hub.queueReports(at: reactor.now) { names[$0]?.description ?? $0.description }, store: storeReport)
    }

    private var storeReport: StoreReport {
        let (bytes, limit) = (journal?.usage.liveBytes ?? 0, configuration.store.maxBytes)
        return StoreReport(
            bytes: UInt64(bytes), envelopes: UInt64(machine.envelopesKept), limitBytes: UInt64(limit),
            secondsToFull: hub.forecaster.secondsToFull(bytes, limit: limit))
    }

    /// An agent knows its own links only.
    private var topology: TopologyReport {
        let links = hub.linkReports(at: reactor.now)
        let me = TopologyReport.Member(
            name: identity.name.description, role: "agent", state: .up, version: Software.version, asOf: Clock.wall)
        var zones = [TopologyReport.Zone(name: identity.name.zone.description, nodes: [me])]
        for link in configuration.links.sorted(by: { $0.peer < $1.peer }) {
            let isUp = hub.neighbours.contains { $0?.name == link.peer && $0?.isUp == true }
            let member = TopologyReport.Member(
                name: link.peer.description, role: "relay", state: isUp ? .up : .unknown)
            if let place = zones.firstIndex(where: { $0.name == link.peer.zone.description }) {
                zones[place].nodes.append(member)
            } else {
                zones.append(TopologyReport.Zone(name: link.peer.zone.description, nodes: [member]))
            }
        }
        return TopologyReport(
            asOf: Clock.wall, by: identity.name.description, zones: zones.sorted { $0.name < $1.name }, links: links)
    }

    var names: [NodeID: NodeName] {
        var names: [NodeID: NodeName] = [:]
        for neighbour in hub.neighbours.compactMap({ $0 }) { names[neighbour.id] = neighbour.name }
        for name in keys.current.peers { names[NodeID(of: name)] = name }
        return names
    }
}
