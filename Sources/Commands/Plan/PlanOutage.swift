import Admin
import Envelope
import Node

/// `relayctl plan outage`
enum PlanOutage {
    private static let rate = Option(
        spellings: ["--rate"], value: .text(placeholder: "RATE"),
        summary: "what comes into each node, such as 5MB/s (default: what it measures)")
    private static let drain = Option(
        spellings: ["--drain"], value: .text(placeholder: "RATE"),
        summary: "what a node sends once its ways are back, such as 40MB/s")

    static let command = Command(
        name: ["plan", "outage"],
        summary: "tell which stores fill in an outage, when, and how long draining takes",
        details: """
            For each node: how much it has room for, when that is used up if all its ways on are down for so long, what \
            comes after that, and how long its backlog takes afterwards beside what goes on coming. A relay that is full \
            refuses, and the agents that send through it keep their own from then on; nothing accepted is dropped. Rates \
            are those that running nodes have measured in the last minute or so, or --rate. A node that does not run \
            needs --rate and counts as empty.
            """,
        arguments: [
            Argument(name: "DURATION", summary: "how long the ways are down, such as 8h or 10d"),
            Argument(
                name: "NODE", summary: "directories or configurations of nodes, as 'config render' made them",
                repeats: true, completion: .directory),
        ],
        options: [.output, .noHeaders, rate, drain, .timeout],
        examples: [
            Example(
                line: "relayctl plan outage 10d --drain 40MB/s mesh/plant-a-relay-1 mesh/plant-a-agent-1",
                meaning: "whether a plant survives ten days without its line"),
            Example(
                line: "relayctl plan outage 8h --rate 5MB/s mesh/dmz-relay-1",
                meaning: "the same at another rate than today's"),
        ],
        run: { invocation, terminal throws(Failure) in
            let seconds = try ConfigurationText.value(invocation.arguments[0], "DURATION", .duration()).components
            let rate = try invocation.text(rate).map { text throws(Failure) in
                try ConfigurationText.value(text, "--rate", .byteRate())
            }
            let drain = try invocation.text(drain).map { text throws(Failure) in
                try ConfigurationText.value(text, "--drain", .byteRate())
            }
            let timeout = try invocation.seconds(.timeout, in: 0.001...86_400) ?? .seconds(10)
            var nodes: [OutagePlan.Node] = []
            for path in invocation.arguments.dropFirst() { nodes.append(try node(path, rate, timeout)) }
            let plan = OutagePlan(
                nodes, seconds: Double(seconds.seconds) + Double(seconds.attoseconds) / 1e18,
                drain: drain.map(Double.init))
            try Renderer(invocation, terminal).show { presentation(of: plan) }
        })

    private static func node(_ path: String, _ rate: Int?, _ timeout: Duration) throws(Failure) -> OutagePlan.Node {
        let configuration = try NodeDirectory.load(path)
        let isRelay = configuration.role == .relay
        var node = OutagePlan.Node(
            name: configuration.node.description, isRelay: isRelay,
            upstream: isRelay ? nil : configuration.links.first?.peer.description, storedBytes: 0,
            limitBytes: limit(configuration, stored: 0), bytesInPerSecond: Double(rate ?? 0))
        guard let status = try? Client(socket: configuration.adminSocket, timeout: timeout).status() else {
            guard rate != nil else {
                throw Failure(
                    "\(node.name) does not answer",
                    hint: "start it, or say what comes in by --rate, such as --rate 5MB/s")
            }
            return node
        }
        node.storedBytes = status.store.bytes
        node.limitBytes = limit(configuration, stored: status.store.bytes)
        guard rate == nil else { return node }
        guard let measured = status.bytesInPerSecond else {
            throw Failure(
                "\(node.name) has not measured a rate yet",
                hint: "ask again in some seconds, or say what comes in by --rate")
        }
        node.bytesInPerSecond = measured
        return node
    }

    /// What a store may hold; in an agent that is no more than its jobs read ahead, where each of them has a bound.
    private static func limit(_ configuration: NodeConfiguration, stored: UInt64) -> UInt64 {
        let store = UInt64(configuration.store.maxBytes)
        guard let agent = configuration.agent, !agent.jobs.isEmpty, agent.readAhead.count == agent.jobs.count else {
            return store
        }
        let ahead = agent.readAhead.values.reduce(UInt64(0)) { $0 &+ UInt64($1) }
        return min(store, stored + ahead)
    }

    static func presentation(of plan: OutagePlan) -> Presentation {
        var table = TextTable([
            .init(title: "NODE"), .init(title: "IN", isNumber: true), .init(title: "FREE", isNumber: true),
            .init(title: "FULL AFTER", isNumber: true), .init(title: "STORED", isNumber: true),
            .init(title: "REFUSED", isNumber: true), .init(title: "DRAINED IN", isNumber: true),
        ])
        for node in plan.nodes {
            table.add([
                Line(node.node), Line(Quantity.bytes(UInt64(node.bytesInPerSecond)) + "/s"),
                Line(Quantity.bytes(node.freeBytes)),
                Line(node.fullAfterSeconds.map(Quantity.age) ?? "-", node.fullAfterSeconds == nil ? .good : .warning),
                Line(Quantity.bytes(node.storedBytesAtEnd)), Line(Quantity.bytes(node.refusedBytes)),
                Line(drained(node, plan)),
            ])
        }
        return Presentation(plan, sections: [.table(table)], remark: verdict(plan))
    }

    private static func drained(_ node: OutagePlan.Forecast, _ plan: OutagePlan) -> String {
        guard plan.drainBytesPerSecond != nil else { return "?" }
        return node.drainsInSeconds.map(Quantity.age) ?? "never"
    }

    private static func verdict(_ plan: OutagePlan) -> String {
        let time = Quantity.age(seconds: plan.outageSeconds)
        guard let first = plan.nodes.first, let full = first.fullAfterSeconds else {
            return "nothing is full after \(time)"
        }
        return
            "\(first.node) is full first, after \(Quantity.age(seconds: full)) of \(time); what comes then stays with those "
            + "who send it"
    }
}
