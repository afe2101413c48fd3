import Envelope

/// Finds what is wrong between the nodes of a topology whose keys are all right.
struct TopologyCheck {
    let topology: TopologyFile
    let reader: ConfigurationReader
    /// One a node, in the topology's order.
    let nodeReaders: [ConfigurationReader]
    let roles: [NodeName: NodeConfiguration.Role]
    private(set) var warnings: [ConfigurationProblem] = []

    init(_ topology: TopologyFile, reader: ConfigurationReader, nodeReaders: [ConfigurationReader]) {
        self.topology = topology
        self.reader = reader
        self.nodeReaders = nodeReaders
        roles = Dictionary(topology.nodes.map { ($0.name, $0.role) }, uniquingKeysWith: { first, _ in first })
    }

    mutating func run() {
        checkDirectories()
        checkListen()
        checkLinks()
        checkAttachment()
        reader.reportRepeated("flows", topology.flows.map(\.name)) { "is a flow '\($0)' already; choose another name" }
        for (node, nodeReader) in zip(topology.nodes, nodeReaders) { node.agent?.check(nodeReader, of: node.name) }
        // What follows asks for ways, which are right only once the links are.
        guard reader.isFaultless else { return }
        let ways = TopologyWays(topology)
        checkJobs(ways)
        checkFlows(ways)
    }

    mutating func warn(_ mark: YAMLMark, _ path: String, _ text: String) {
        warnings.append(ConfigurationProblem(mark: mark, path: path, text: text))
    }

    /// Two nodes must not come to lie in one directory: `a-b/c` and `a/b-c` would.
    private func checkDirectories() {
        var owners: [String: NodeName] = [:]
        for (node, nodeReader) in zip(topology.nodes, nodeReaders) {
            let directory = TopologyLayout.directoryName(of: node.name)
            if let owner = owners.updateValue(node.name, forKey: directory) {
                nodeReader.report("its directory '\(directory)' is that of \(owner) too; rename one of them")
            }
        }
    }

    /// Loopback addresses are one machine's; others are looked at within a zone, since zones may number alike.
    private func checkListen() {
        var owners: [String: NodeName] = [:]
        for (node, nodeReader) in zip(topology.nodes, nodeReaders) {
            for (index, address) in node.listen.enumerated() where !address.isWildcard {
                let key = address.isLoopback ? "\(address)" : "\(node.name.zone) \(address)"
                if let owner = owners.updateValue(node.name, forKey: key) {
                    nodeReader.report("\(owner) listens on \(address) already", atItem: index, of: "listen")
                }
            }
        }
    }

    private func checkLinks() {
        var pairs: Set<[NodeName]> = []
        for (index, link) in topology.links.enumerated() {
            let isKnown = checkEnd(link.from, "from", index) && checkEnd(link.to, "to", index)
            guard isKnown else { continue }
            if link.from == link.to {
                reader.report("a link from a node to itself; write another node", atItem: index, of: "links", "to")
            } else if !pairs.insert([min(link.from, link.to), max(link.from, link.to)]).inserted {
                reader.report(
                    "a second link between \(link.from) and \(link.to); keep one, whoever dials",
                    atItem: index, of: "links")
            }
            if roles[link.from] == .agent, roles[link.to] == .agent {
                reader.report("joins two agents; agents attach to relays only", atItem: index, of: "links")
            }
            if !link.isCarried {
                checkDialled(link, index)
            } else if roles[link.from] != .relay || roles[link.to] != .relay {
                reader.report("is carried from relay to relay; leave it out", atItem: index, of: "links", "carried")
            }
        }
    }

    private func checkEnd(_ name: NodeName, _ key: String, _ index: Int) -> Bool {
        if roles[name] != nil { return true }
        let nearest = NearestWord.of(name.description, in: topology.nodes.map(\.name.description))
        let advice = nearest.map { "did you mean '\($0)'?" } ?? "add it under zones"
        reader.report("no node '\(name)'; \(advice)", atItem: index, of: "links", key)
        return false
    }

    private func checkDialled(_ link: TopologyFile.Link, _ index: Int) {
        guard link.dial == nil, let target = topology[link.to], target.reachableAt == nil else { return }
        let text =
            target.listen.isEmpty && target.address == nil
            ? "\(link.to) does not listen; write listen: [{host: …, port: …}] under it, or let it dial"
            : "\(link.to) listens on every address of its machine; write address: {host: …, port: …} under it"
        reader.report(text, atItem: index, of: "links", "to")
    }

    private func checkAttachment() {
        for (node, nodeReader) in zip(topology.nodes, nodeReaders) {
            let peers = topology.links.compactMap { $0.from == node.name ? $0.to : $0.to == node.name ? $0.from : nil }
            switch node.role {
            case .agent:
                if peers.isEmpty {
                    nodeReader.report("no link joins this agent to a relay; add {from: \(node.name), to: …} to links")
                }
                if node.attach != nil { nodeReader.report("agents attach to relays only; leave it out", at: "attach") }
            case .relay:
                for peer in peers where roles[peer] == .agent {
                    guard let attach = node.attach, !attach.contains(where: { $0.matches(peer) }) else { continue }
                    nodeReader.report("has a link to \(peer), but lets it not attach; add '\(peer)'", at: "attach")
                }
            }
        }
    }
}
