import Envelope

extension TopologyCheck {
    /// Each job needs an end, a permission, a way, and had better have a sink.
    mutating func checkJobs(_ ways: TopologyWays) {
        for (node, nodeReader) in zip(topology.nodes, nodeReaders) {
            guard case .sequence(let items)? = node.jobs?.content else { continue }
            for (index, job) in (node.agent?.jobs ?? []).enumerated() {
                // A destination whose variable is not set here is known only where the job runs.
                guard items.indices.contains(index), items[index]["to"]?.scalar?.problem == nil else { continue }
                check(job, index, of: node, nodeReader, ways)
            }
        }
    }

    private mutating func check(
        _ job: JobConfiguration, _ index: Int, of node: TopologyFile.Node, _ nodeReader: ConfigurationReader,
        _ ways: TopologyWays
    ) {
        let report = { (text: String) in nodeReader.report(text, atItem: index, of: "jobs", "to") }
        guard let target = topology[job.to] else {
            let agents = topology.nodes.filter { $0.role == .agent }.map(\.name.description)
            let nearest = NearestWord.of(job.to.description, in: agents)
            return report("no node '\(job.to)'; \(nearest.map { "did you mean '\($0)'?" } ?? "add it under zones")")
        }
        guard let receiver = target.agent else { return report("\(job.to) is a relay; data goes to agents") }
        let isAllowed = topology.flows.contains { flow in
            // A flow in the live lane carries its history in bulk.
            flow.allows(from: node.name, to: job.to)
                && (flow.lane == job.lane || (flow.lane, job.lane) == (.live, .bulk))
        }
        if !isAllowed {
            report("no flow lets \(node.name) send to \(job.to) in the \(job.lane) lane; add one to flows")
        }
        if !ways.lead(from: node.name, to: job.to) {
            report("no links lead from \(node.name) to \(job.to); add the missing one to links")
        }
        if receiver.sink(for: job.topic, from: node.name) == nil {
            let mark = nodeReader.node["jobs"]?.mark ?? node.mark
            warn(
                mark, nodeReader.path(of: "jobs[\(index)]"),
                "\(job.to) has no sink for the topic '\(job.topic)'; its data will wait there until there is one")
        }
    }

    /// Each flow should have ends and ways between them.
    mutating func checkFlows(_ ways: TopologyWays) {
        guard case .sequence(let items)? = reader.node["flows"]?.content else { return }
        let agents = topology.nodes.filter { $0.role == .agent }.map(\.name)
        for (index, flow) in topology.flows.enumerated() where items.indices.contains(index) {
            for (key, patterns) in [("from", flow.from), ("to", flow.to)] {
                for pattern in patterns where !agents.contains(where: pattern.matches) {
                    warn(
                        items[index][key]?.mark ?? items[index].mark, "flows[\(index)].\(key)",
                        "no agent of this file is meant by '\(pattern)'")
                }
            }
            let sources = agents.filter { agent in flow.from.contains { $0.matches(agent) } }
            let targets = agents.filter { agent in flow.to.contains { $0.matches(agent) } }
            let severed = sources.lazy.compactMap { source in
                targets.first { $0 != source && !ways.lead(from: source, to: $0) }.map { (source, $0) }
            }.first
            guard let (source, target) = severed else { continue }
            warn(items[index].mark, "flows[\(index)]", "no links lead from \(source) to \(target)")
        }
    }
}

/// Between which nodes the links of a topology lead, through relays only.
struct TopologyWays {
    /// The first relay of each relay's part of the mesh.
    private var parts: [NodeName: NodeName] = [:]
    /// The parts that a node can enter.
    private var entered: [NodeName: Set<NodeName>] = [:]

    init(_ topology: TopologyFile) {
        let relays = Set(topology.nodes.filter { $0.role == .relay }.map(\.name))
        var peers: [NodeName: [NodeName]] = [:]
        for link in topology.links {
            peers[link.from, default: []].append(link.to)
            peers[link.to, default: []].append(link.from)
        }
        for node in topology.nodes where node.role == .relay && parts[node.name] == nil {
            var waiting = [node.name]
            while let relay = waiting.popLast() {
                guard parts.updateValue(node.name, forKey: relay) == nil else { continue }
                waiting += (peers[relay] ?? []).filter { relays.contains($0) && parts[$0] == nil }
            }
        }
        for node in topology.nodes {
            let doors = node.role == .relay ? [node.name] : (peers[node.name] ?? [])
            entered[node.name] = Set(doors.compactMap { parts[$0] })
        }
    }

    func lead(from source: NodeName, to target: NodeName) -> Bool {
        guard let one = entered[source], let two = entered[target] else { return false }
        return !one.isDisjoint(with: two)
    }
}
