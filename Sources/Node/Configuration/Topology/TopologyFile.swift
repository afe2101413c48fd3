import Envelope

/// A whole mesh in one file: zones, nodes, who dials whom, and what may flow.
///
/// Each node's own file is made from it with ``render(node:)``; no node needs this file to run.
public struct TopologyFile: Sendable {
    /// A node as the topology has it.
    public struct Node: Sendable {
        public var name: NodeName
        public var role: NodeConfiguration.Role
        public var listen: [NodeConfiguration.Address]
        /// Where others reach it, if that is not where it listens.
        public var address: NodeConfiguration.Address?
        /// Which agents may attach; nil: those that a link of this file joins to it.
        public var attach: [NodePattern]?
        /// Keys of the node's own file that are passed on as written, the mesh's defaults among them.
        public var settings: [YAMLEntry]
        /// Passed on as written.
        public var jobs: YAMLNode?
        /// Passed on as written.
        public var sinks: YAMLNode?
        /// The jobs and sinks as far as they can be read here; variables may be unset.
        public var agent: AgentConfiguration?
        public var mark: YAMLMark
    }

    public struct Link: Sendable {
        /// The end that dials.
        public var from: NodeName
        public var to: NodeName
        public var cost: Int
        /// Where to dial, if not at the peer's own address.
        public var dial: NodeConfiguration.Address?
        /// Passed on as written, since it may hold a password's variable.
        public var proxy: YAMLNode?
        /// No connection: people carry envelopes between the two, by `relayctl journal export` and `import`.
        public var isCarried: Bool
    }

    /// What the mesh is called.
    public let name: String
    /// The path the file is known by.
    public let file: String
    /// In the order of the file.
    public let nodes: [Node]
    public let links: [Link]
    public let flows: [FlowConfiguration]
    /// What is allowed and most likely not meant.
    public internal(set) var warnings: [ConfigurationProblem] = []

    public subscript(name: NodeName) -> Node? { nodes.first { $0.name == name } }

    /// The names of the zones in the order of the file.
    public var zones: [ZoneName] {
        var seen: Set<ZoneName> = []
        return nodes.map(\.name.zone).filter { seen.insert($0).inserted }
    }
}

extension TopologyFile {
    /// Reads and checks a topology.
    /// - Throws: ``ConfigurationError`` with everything that is wrong, also where the file cannot be read.
    public static func load(
        path: String, environment: YAMLEnvironment = .process
    ) throws(ConfigurationError) -> TopologyFile {
        try decode(ConfigurationFile.read(path), file: path, environment: environment)
    }

    /// Reads and checks a topology from memory.
    public static func decode(
        _ bytes: [UInt8], file: String, environment: YAMLEnvironment = .process
    ) throws(ConfigurationError) -> TopologyFile {
        let reader = ConfigurationReader(try YAMLNode.parse(bytes, file: file, environment: environment))
        var readers: [ConfigurationReader] = []
        var topology = TopologyFile(reader, file: file) { readers.append($0) }
        reader.rejectUnknownKeys()
        if reader.isFaultless {
            var check = TopologyCheck(topology, reader: reader, nodeReaders: readers)
            check.run()
            topology.warnings = check.warnings
        }
        try reader.finish()
        return topology
    }

    /// - Parameter keep: is given the reader of each node, in the order of `nodes`.
    private init(_ reader: ConfigurationReader, file: String, keep: (ConfigurationReader) -> Void) {
        self.file = file
        name = reader.value("mesh", .label, default: "mesh")
        let defaults = reader.nestedIfPresent("defaults", TopologySettings.read) ?? []
        var nodes: [Node] = []
        _ = reader.dictionary("zones") { zoneEntry, zoneReader in
            let zone = zoneReader.name(zoneEntry) { (text) throws(NameError) in try ZoneName(text) }
            _ = zoneReader.dictionary("nodes") { entry, nodeReader in
                let name = nodeReader.name(entry) { (text) throws(NameError) in
                    try NodeName(zone: zone ?? NodeName.provisional.zone, local: text)
                }
                nodes.append(Node(nodeReader, name: name ?? .provisional, defaults: defaults))
                keep(nodeReader)
            }
        }
        self.nodes = nodes
        links = reader.list("links", Link.init)
        flows = reader.list("flows", FlowConfiguration.init)
        if nodes.isEmpty { reader.report("names no node; write zones: {plant-a: {nodes: {relay-1: …}}}", at: "zones") }
    }
}

extension TopologyFile.Node {
    init(_ reader: ConfigurationReader, name: NodeName, defaults: [YAMLEntry]) {
        self.name = name
        mark = reader.node.mark
        role = reader.required("role", .word())
        listen = reader.list("listen", NodeConfiguration.Address.init)
        address = reader.nestedIfPresent("address", NodeConfiguration.Address.init)
        attach = reader.verbatim("attach") == nil ? nil : reader.list("attach", of: .nodePattern)
        settings = TopologySettings.merge(defaults, TopologySettings.read(reader))
        jobs = reader.verbatim("jobs")
        sinks = reader.verbatim("sinks")
        let role = role
        agent = reader.passingOn { AgentConfiguration(reader, role: role) }
        if agent?.keys != nil {
            reader.report("is \(TopologyLayout.keysName) in the agent's directory always; leave it out", at: "keys")
        }
    }
}

extension TopologyFile.Link {
    init(_ reader: ConfigurationReader) {
        from = reader.required("from", .nodeName)
        to = reader.required("to", .nodeName)
        cost = reader.value("cost", .integer(in: 1...65_535), default: 10)
        dial = reader.nestedIfPresent("dial", NodeConfiguration.Address.init)
        isCarried = reader.value("carried", .boolean, default: false)
        proxy = reader.verbatim("proxy")
        _ = reader.passingOn { reader.nestedIfPresent("proxy", ProxyConfiguration.init) }
    }
}

extension ConfigurationReader {
    /// A name that stands as a key; nil and a problem where it is none.
    func name<Name>(_ entry: YAMLEntry, _ make: (String) throws(NameError) -> Name) -> Name? {
        do throws(NameError) {
            return try make(entry.key)
        } catch {
            problems.append(entry.keyMark, path, error.description)
            return nil
        }
    }
}
