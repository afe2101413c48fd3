import Envelope

extension TopologyFile {
    /// The text of a node's own file. All it names lies in the directory of that file; see ``TopologyLayout``.
    ///
    /// Sources, sinks and settings are passed on as written, variables included: their values are read where the node
    /// runs, and no secret is copied into a file.
    /// - Throws: ``ConfigurationError`` where the topology has no such node.
    public func render(node name: NodeName) throws(ConfigurationError) -> String {
        guard let node = self[name] else {
            let nearest = NearestWord.of(name.description, in: nodes.map(\.name.description))
            let advice = nearest.map { "; did you mean '\($0)'?" } ?? ""
            throw ConfigurationError(at: YAMLMark(file: file, line: 0, column: 0), "has no node '\(name)'\(advice)")
        }
        let source = file.split(separator: "/").last.map(String.init) ?? file
        return """
            # \(name) in the mesh '\(self.name)', made from \(source) by relayctl: change it there and make this anew.
            # Relative paths are taken from this file's directory.

            """ + YAMLWriter.write(tree(of: node))
    }

    private func tree(of node: Node) -> YAMLNode {
        let isRelay = node.role == .relay
        return .mapping(
            [
                ("node", .text(node.name)),
                ("role", .text(node.role)),
                (
                    "identity",
                    .mapping([
                        ("certificate", .text(TopologyLayout.certificateName)), ("key", .text(TopologyLayout.keyName)),
                        ("authority", .text(TopologyLayout.authorityName)),
                    ])
                ),
                ("listen", listIfAny(node.listen.map(tree))),
                ("links", listIfAny(links.compactMap { tree(of: $0, seenFrom: node) })),
                ("attach", isRelay ? listIfAny(attached(to: node).map(YAMLNode.text)) : nil),
                ("flows", listIfAny(flows(for: node).map(tree))),
                ("keys", isRelay ? nil : .text(TopologyLayout.keysName)),
            ] + settings(of: node) + [("jobs", node.jobs), ("sinks", node.sinks)])
    }

    /// A relay checks every flow; an agent those that it is an end of.
    private func flows(for node: Node) -> [FlowConfiguration] {
        flows.filter { flow in
            node.role == .relay || (flow.from + flow.to).contains { $0.matches(node.name) }
        }
    }

    /// What may attach to a relay: as written, else the agents that a link joins to it.
    func attached(to relay: Node) -> [NodePattern] {
        if let attach = relay.attach { return attach }
        let peers = links.compactMap { link in
            link.from == relay.name ? link.to : link.to == relay.name ? link.from : nil
        }
        return peers.filter { self[$0]?.role == .agent }.map(NodePattern.node)
    }

    private func settings(of node: Node) -> [(String, YAMLNode?)] {
        let directory = YAMLEntry(key: "directory", keyMark: YAMLNode.made, value: .text(TopologyLayout.storeName))
        let store = YAMLEntry(
            key: "store", keyMark: YAMLNode.made, value: YAMLNode(.mapping([directory]), mark: YAMLNode.made))
        let socket = YAMLEntry(key: "socket", keyMark: YAMLNode.made, value: .text(TopologyLayout.socketName))
        let admin = YAMLEntry(
            key: "admin", keyMark: YAMLNode.made, value: YAMLNode(.mapping([socket]), mark: YAMLNode.made))
        return TopologySettings.merge([store, admin], node.settings).map { ($0.key, $0.value) }
    }

    /// Written only where it is not the usual one.
    private func role(of peer: NodeName) -> YAMLNode? {
        self[peer].flatMap { $0.role == .relay ? nil : .text($0.role) }
    }

    /// nil where the node has nothing to do with it.
    private func tree(of link: Link, seenFrom node: Node) -> YAMLNode? {
        if link.isCarried { return nil }
        if link.from == node.name {
            let address = link.dial ?? self[link.to].flatMap(\.reachableAt)
            return .mapping([
                ("peer", .text(link.to)), ("role", role(of: link.to)), ("dial", address.map(tree)),
                ("cost", .text(link.cost)),
                ("proxy", link.proxy),
            ])
        }
        guard link.to == node.name else { return nil }
        return .mapping([("peer", .text(link.from)), ("role", role(of: link.from)), ("cost", .text(link.cost))])
    }

    private func tree(of address: NodeConfiguration.Address) -> YAMLNode {
        .mapping([("host", .text(address.host)), ("port", .text(address.port))])
    }

    private func tree(of flow: FlowConfiguration) -> YAMLNode {
        .mapping([
            ("name", .text(flow.name)), ("from", .list(flow.from.map(YAMLNode.text))),
            ("to", .list(flow.to.map(YAMLNode.text))), ("lane", .text(flow.lane)),
            ("limit", flow.limit.map { .text("\(Quantity.spell(bytes: $0))/s") }),
            ("maxBytes", flow.quota.maxBytes.map { .text(Quantity.spell(bytes: $0)) }),
            ("maxEnvelopes", flow.quota.maxEnvelopes.map(YAMLNode.text)),
            ("maxAge", flow.quota.maxAge.map { .text(Quantity.spell($0)) }),
            ("durability", flow.durability.map(YAMLNode.text)),
        ])
    }

    private func listIfAny(_ items: [YAMLNode]) -> YAMLNode? { items.isEmpty ? nil : .list(items) }
}

extension TopologyFile.Node {
    /// Where a peer dials; nil where the node listens nowhere, or on every address of a machine that has no name here.
    var reachableAt: NodeConfiguration.Address? {
        address ?? listen.first { !$0.isWildcard }
    }
}

extension NodeConfiguration.Address {
    /// True for an address that one can listen on and not dial.
    var isWildcard: Bool { ["0.0.0.0", "::", "*"].contains(host) }

    var isLoopback: Bool { host.hasPrefix("127.") || host == "::1" || host == "localhost" }
}
