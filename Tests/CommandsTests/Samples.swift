import Envelope
import Node

enum Samples {
    static let now = Stage.now
    static func before(_ seconds: Int64) -> WallTime { WallTime(milliseconds: now.milliseconds - seconds * 1000) }

    /// Three zones in a row, one link cut.
    static let chain = TopologyReport(
        asOf: before(2), by: "dmz/relay",
        zones: [
            zone("plant-b", [("agent", "agent", .unknown), ("relay", "relay", .down)]),
            zone("dmz", [("relay", "relay", .up)]),
            zone("plant-a", [("relay", "relay", .up), ("agent", "agent", .up)]),
        ],
        links: [
            LinkReport(
                from: "plant-b/relay", to: "dmz/relay", state: .down, costForward: 10, envelopesQueuedForward: 0,
                bytesQueuedBack: 1_234_567, envelopesQueuedBack: 1234, oldestAgeSeconds: 95, asOf: before(95),
                reason: "connection refused"),
            LinkReport(
                from: "plant-a/relay", to: "dmz/relay", state: .up, costForward: 10, costBack: 12,
                roundTripMicroseconds: 820, asOf: before(2)),
            LinkReport(
                from: "plant-a/agent", to: "plant-a/relay", state: .up, costForward: 1, costBack: 1,
                roundTripMicroseconds: 95, asOf: before(1)),
        ])

    /// Three clouds in a ring, two plants, a zone alone.
    static let ring = TopologyReport(
        asOf: now, by: "dmz/relay",
        zones: [
            zone("cloud-a", [("relay", "relay", .up)]), zone("cloud-b", [("relay", "relay", .up)]),
            zone("cloud-c", [("relay", "relay", .up)]), zone("dmz", [("r1", "relay", .up), ("r2", "relay", .up)]),
            zone("plant-a", [("relay", "relay", .up)]), zone("plant-b", [("relay", "relay", .up)]),
            zone("spare", [("relay", "relay", .down)]),
        ],
        links: [
            link("cloud-a/relay", "cloud-b/relay"), link("cloud-b/relay", "cloud-c/relay"),
            link("cloud-c/relay", "cloud-a/relay"), link("dmz/r1", "cloud-a/relay"),
            link("cloud-a/relay", "dmz/r2", .down), link("plant-a/relay", "dmz/r1"),
            link("plant-b/relay", "dmz/r2", .half), link("dmz/r1", "dmz/r2"),
        ])

    /// Two nodes and a link that only one of them lists.
    static let half = TopologyReport(
        asOf: now, by: "a/r",
        zones: [zone("a", [("r", "relay", .up)])],
        links: [
            LinkReport(
                from: "b/r", to: "a/r", state: .half, roundTripMicroseconds: 1500, oldestAgeSeconds: 0.5, asOf: now,
                reason: "no: \"answer\"\nto ping")
        ])

    static func link(_ from: String, _ to: String, _ state: LinkReport.State = .up) -> LinkReport {
        LinkReport(from: from, to: to, state: state, asOf: now)
    }

    static func zone(
        _ name: String, _ nodes: [(String, String, TopologyReport.State)]
    ) -> TopologyReport.Zone {
        .init(name: name, nodes: nodes.map { .init(name: "\(name)/\($0.0)", role: $0.1, state: $0.2) })
    }

    static let status = NodeStatus(
        node: "plant-a/agent", role: "agent", version: "0.1.0", pid: 42, started: before(7300), uptimeSeconds: 7300,
        asOf: now, links: [link("plant-a/agent", "plant-a/relay")],
        counters: CounterReport(
            accepted: 1_000_010, delivered: 1_000_000, queued: 5, inFlight: 3, dropped: ["expired": 2],
            quarantined: 1),
        store: StoreReport(bytes: 5 << 20, envelopes: 5, limitBytes: 1 << 30),
        memory: MemoryReport(residentBytes: 31 << 20, heldBytes: 4096, budgetBytes: 64 << 20),
        reactors: 2,
        jobs: [
            JobReport(
                name: "tags", state: "running", lastRun: before(3), records: 123_456, envelopes: 99, unreceipted: 3),
            JobReport(name: "batches", state: "retrying", lastError: "the server plant-db is away"),
        ],
        sinks: [SinkReport(name: "rows", state: "idle", records: 3)],
        lastReload: ReloadReport(at: before(60), ok: false, error: "agent.yaml:3:1: joobs: unknown key"))

    static let flows = FlowReport(
        node: "dmz/relay", asOf: now,
        flows: [
            .init(
                "quality", accepted: 1_234, delivered: 1_000, expired: 4, refused: 77, held: 230, bytesHeld: 5_000_000,
                isFull: true, maxEnvelopes: 230, maxBytes: 10_000_000, maxAgeSeconds: 3600, bytesPerSecond: 1_000_000)
        ],
        lanes: [.init("live", accepted: 1_234, delivered: 1_000, expired: 4, held: 230, bytesHeld: 5_000_000)],
        sources: [.init("plant-a/agent", accepted: 1_234, delivered: 1_000, expired: 4, held: 230)],
        other: .init("other"), answers: .init("answers", accepted: 9, delivered: 9))

    static let queues = QueueReport(
        node: "dmz/relay", asOf: now,
        queues: [
            .init(
                destination: "plant-b/agent", lane: "live", envelopes: 1234, bytes: 1_234_567, oldestAgeSeconds: 95,
                state: .parked),
            .init(
                destination: "plant-a/agent", lane: "control", envelopes: 1, bytes: 96, state: .forwarding,
                nextHop: "plant-a/relay", secondsToDrain: 125),
        ])

    static let mesh: @Sendable (AdminRequest) -> AdminResponse = { request in
        switch request.path {
        case "/v1/topology": .json(status: 200, chain)
        case "/v1/status": .json(status: 200, status)
        case "/v1/queues": .json(status: 200, queues)
        case "/v1/flows": .json(status: 200, flows)
        default: .notFound(request)
        }
    }
}
