/// A mesh as a test wants it; written as a topology file, so that the tests go the way that people go.
struct Layout {
    struct Node {
        var name: String
        var isRelay: Bool
        var host = "127.0.0.1"
        var port: UInt16 = 0
        var extra: [String] = []
        var jobs: [String] = []
        var sinks: [String] = []

        var zone: String { String(name.split(separator: "/")[0]) }
        var local: String { String(name.split(separator: "/")[1]) }
    }

    struct Link {
        var from: String
        var to: String
        var cost = 10
        /// Where `from` dials, if not where `to` listens: a proxy's port.
        var dial: UInt16?
        var host = "127.0.0.1"
        var isCarried = false
    }

    /// Quick on a machine whose disk and cores others use too.
    var defaults = [
        "store: {maxBytes: 256MiB, segmentBytes: 32MiB}", "holdTime: {minimum: 20ms, maximum: 200ms}",
        "resendAfter: 2s", "log: {level: debug}",
    ]
    private(set) var nodes: [Node] = []
    var links: [Link] = []
    var flows: [String] = []

    subscript(name: String) -> Node? { nodes.first { $0.name == name } }

    /// - Parameter extra: lines of YAML such as `durability: storeFirst`.
    mutating func relay(_ name: String, host: String = "127.0.0.1", port: UInt16? = nil, extra: [String] = []) throws {
        nodes.append(Node(name: name, isRelay: true, host: host, port: try port ?? Ports.free(), extra: extra))
    }

    /// - Parameters:
    ///   - jobs: mappings in YAML's flow style.
    ///   - sinks: the same.
    mutating func agent(_ name: String, jobs: [String] = [], sinks: [String] = [], extra: [String] = []) {
        nodes.append(Node(name: name, isRelay: false, extra: extra, jobs: jobs, sinks: sinks))
    }

    /// More lines of YAML for a node.
    mutating func add(_ line: String, to name: String) {
        for index in nodes.indices where nodes[index].name == name { nodes[index].extra.append(line) }
    }

    /// Of every node; nil leaves it to them.
    mutating func set(reactors: Int?) {
        if let reactors { defaults.append("reactors: \(reactors)") }
    }

    mutating func setSinks(_ name: String, _ sinks: [String]) {
        for index in nodes.indices where nodes[index].name == name { nodes[index].sinks = sinks }
    }

    /// - Parameters:
    ///   - dial: the port that `from` dials, if not the one where `to` listens.
    ///   - host: the address to that port.
    mutating func link(
        _ from: String, _ to: String, cost: Int = 10, dial: UInt16? = nil, host: String = "127.0.0.1"
    ) {
        links.append(Link(from: from, to: to, cost: cost, dial: dial, host: host))
    }

    /// People carry envelopes between two relays.
    mutating func carry(_ from: String, _ to: String) {
        links.append(Link(from: from, to: to, isCarried: true))
    }

    /// Lets the end that dials go another way, such as through a proxy's port.
    mutating func dial(_ from: String, _ to: String, through port: UInt16) {
        for index in links.indices where links[index].from == from && links[index].to == to {
            links[index].dial = port
        }
    }

    /// - Parameter extra: more keys of the flow, such as `limit: 1MB/s`.
    mutating func flow(_ name: String, from: String, to: String, extra: String...) {
        let keys = ["name: \(name)", "from: [\(from)]", "to: [\(to)]"] + extra
        flows.append("{\(keys.joined(separator: ", "))}")
    }

    /// The topology file.
    var text: String {
        var lines = ["mesh: test", "defaults:"] + defaults.map { "  " + $0 } + ["zones:"]
        var zones: [String] = []
        for node in nodes where !zones.contains(node.zone) { zones.append(node.zone) }
        for zone in zones {
            lines += ["  \(zone):", "    nodes:"]
            for node in nodes where node.zone == zone { lines += text(of: node) }
        }
        if !links.isEmpty { lines.append("links:") }
        for link in links {
            let dial = link.dial.map { ", dial: {host: \(link.host), port: \($0)}" } ?? ""
            let carried = link.isCarried ? ", carried: true" : ""
            lines.append("  - {from: \(link.from), to: \(link.to), cost: \(link.cost)\(dial)\(carried)}")
        }
        if !flows.isEmpty { lines.append("flows:") }
        lines += flows.map { "  - " + $0 }
        return lines.joined(separator: "\n") + "\n"
    }

    private func text(of node: Node) -> [String] {
        var lines = ["      \(node.local):", "        role: \(node.isRelay ? "relay" : "agent")"]
        if node.isRelay { lines.append("        listen: [{host: \(node.host), port: \(node.port)}]") }
        lines += node.extra.map { "        " + $0 }
        if !node.jobs.isEmpty { lines.append("        jobs:") }
        lines += node.jobs.map { "          - " + $0 }
        if !node.sinks.isEmpty { lines.append("        sinks:") }
        lines += node.sinks.map { "          - " + $0 }
        return lines
    }
}

extension Layout {
    static let threeZoneNodes = [
        "plant-a/agent-1", "plant-a/relay-1", "dmz/relay-1", "plant-b/relay-1", "plant-b/agent-1",
    ]

    /// agent — relay — relay in the middle — relay — agent, data from plant-a to plant-b; the plants dial out.
    ///
    /// - Parameters:
    ///   - relayExtra: more lines for each relay.
    ///   - reactors: of every node; nil leaves it to them.
    static func threeZones(jobs: [String], sinks: [String], relayExtra: [String] = [], reactors: Int? = nil) throws
        -> Layout
    {
        var layout = Layout()
        layout.set(reactors: reactors)
        try layout.relay("plant-a/relay-1", extra: relayExtra)
        layout.agent("plant-a/agent-1", jobs: jobs)
        try layout.relay("dmz/relay-1", extra: relayExtra)
        try layout.relay("plant-b/relay-1", extra: relayExtra)
        layout.agent("plant-b/agent-1", sinks: sinks)
        layout.link("plant-a/agent-1", "plant-a/relay-1")
        layout.link("plant-b/agent-1", "plant-b/relay-1")
        layout.link("plant-a/relay-1", "dmz/relay-1")
        layout.link("plant-b/relay-1", "dmz/relay-1")
        layout.flow("a-to-b", from: "plant-a/agent-1", to: "plant-b/agent-1")
        return layout
    }
}
