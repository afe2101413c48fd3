import Envelope
import Journal
import Mesh
import Node
import Platform
import RelayCore

// What the relay answers on its admin socket. Questions come on the server's threads and are answered on the
// reactor's.
extension RelayService {
    static func answer(_ request: AdminRequest, _ relay: ReactorBound<RelayService>) -> AdminResponse {
        do throws(MailboxError) {
            return try relay.ask { $0.answer(request) }
        } catch {
            return .problem(status: 503, error.description)
        }
    }

    func answer(_ request: AdminRequest) -> AdminResponse {
        switch (request.method, request.path) {
        case ("GET", "/v1/status"): .json(status: 200, status)
        case ("GET", "/v1/topology"): .json(status: 200, topology)
        case ("GET", "/v1/queues"): .json(status: 200, queues)
        case ("GET", "/v1/flows"): .json(status: 200, flows)
        case ("GET", "/v1/quarantine"):
            .json(
                status: 200,
                quarantine.report(node: identity.name.description, asOf: Clock.wall) { machine.name(of: $0) })
        case ("GET", "/metrics"): status.metrics(queues, flows)
        case ("GET", "/healthz"): .text(status: 200, contentType: "text/plain", "ok\n")
        case ("GET", "/readyz"): readiness
        default:
            .notFound(
                request,
                known: ["/v1/status", "/v1/topology", "/v1/queues", "/v1/flows", "/v1/quarantine", "/v1/stored"]
                    + AdminRequest.publicPaths)
        }
    }

    private var readiness: AdminResponse {
        isStopping
            ? .problem(status: 503, "the relay is stopping")
            : hub.exchange.forwarder.storeTakesWrites
                ? .text(status: 200, contentType: "text/plain", "ready\n")
                : .problem(
                    status: 503, "the store takes no writes", hint: "see the log for store.refused or store.stalled")
    }

    private var status: NodeStatus {
        let now = reactor.now
        return NodeStatus(
            node: identity.name.description, role: "relay", version: Software.version, pid: ProcessFigures.identifier,
            started: birth.wall, uptimeSeconds: birth.uptimeSeconds(at: now), asOf: Clock.wall,
            links: hub.linkReports(at: now), counters: CounterReport(hub.exchange.forwarder),
            store: storeReport,
            memory: MemoryReport(
                residentBytes: ProcessFigures.residentBytes,
                heldBytes: UInt64(hub.exchange.forwarder.holdings.memoryBytes),
                budgetBytes: UInt64(configuration.memory)),
            reactors: hub.reactors, bytesInPerSecond: hub.forecaster.bytesInPerSecond, quarantine: quarantine.summary,
            lastReload: lastReload)
    }

    private var queues: QueueReport {
        QueueReport(
            node: identity.name.description, asOf: Clock.wall,
            queues: hub.queueReports(at: reactor.now) { machine.name(of: $0) }, store: storeReport)
    }

    private var storeReport: StoreReport {
        let (usage, limit) = (self.usage, configuration.store.maxBytes)
        return StoreReport(
            bytes: UInt64(usage.liveBytes), envelopes: UInt64(usage.records), limitBytes: UInt64(limit),
            secondsToFull: hub.forecaster.secondsToFull(usage.liveBytes, limit: limit))
    }

    private var flows: FlowReport {
        FlowReport(node: identity.name.description, asOf: Clock.wall, hub.exchange.forwarder) { machine.name(of: $0) }
    }

    private var topology: TopologyReport {
        machine.updateStatistics(usage, hub.exchange, at: reactor.now)
        return TopologyReport(
            machine.router.topology(at: reactor.now), configured: configuration, software: Software.version)
    }
}
