import Envelope

/// The nodes of a simulated mesh and the links between them.
public struct MeshTopology: Equatable, Sendable {
    public struct Node: Equatable, Sendable {
        public var name: NodeName
        public var kind: NodeKind

        public init(_ name: NodeName, _ kind: NodeKind) {
            self.name = name
            self.kind = kind
        }
    }

    /// A firewall lets connections through from the dialler to the listener only.
    public struct Link: Equatable, Sendable {
        public var dialler: NodeName
        public var listener: NodeName

        public init(from dialler: NodeName, to listener: NodeName) {
            self.dialler = dialler
            self.listener = listener
        }

        public func joins(_ name: NodeName) -> Bool { dialler == name || listener == name }
    }

    public var nodes: [Node]
    public var links: [Link]

    public init(nodes: [Node], links: [Link]) {
        self.nodes = nodes
        self.links = links
    }

    /// Whom a node dials, in the order of the links.
    public func dialled(by name: NodeName) -> [NodeName] {
        links.filter { $0.dialler == name }.map(\.listener)
    }

    /// Who has a link with a node, whoever dials it.
    public func neighbours(of name: NodeName) -> [NodeName] {
        links.filter { $0.joins(name) }.map { $0.dialler == name ? $0.listener : $0.dialler }
    }

    public var isConnected: Bool {
        guard let first = nodes.first else { return true }
        var reached = [first.name]
        var place = 0
        while place < reached.count {
            for name in neighbours(of: reached[place]) where !reached.contains(name) { reached.append(name) }
            place += 1
        }
        return reached.count == nodes.count
    }

    /// The same without a node and its links. It may fall into parts by that.
    public func removing(_ name: NodeName) -> MeshTopology {
        MeshTopology(nodes: nodes.filter { $0.name != name }, links: links.filter { !$0.joins(name) })
    }
}

extension MeshTopology {
    /// A connected mesh: a random tree of relays with some links more, and agents that dial one or two of them. A
    /// zone has one relay.
    /// - Precondition: at least one relay and at most 32,000 nodes.
    public static func random(seed: UInt64, relays: Int, agents: Int) -> MeshTopology {
        precondition(relays >= 1 && agents >= 0 && relays + agents <= 32_000, "a mesh has 1 to 32,000 nodes")
        var random = SeededRandom(seed: seed).fork("topology")
        var mesh = MeshTopology(nodes: [], links: [])
        for index in 0..<relays {
            mesh.nodes.append(Node(name("zone-\(index + 1)/relay"), .relay))
            guard index > 0 else { continue }
            mesh.link(index, random.below(index), &random)
            if index > 1, random.chance(0.4) { mesh.link(index, random.below(index), &random) }
        }
        for index in 0..<agents {
            let home = random.below(relays)
            mesh.nodes.append(Node(name("zone-\(home + 1)/agent-\(index + 1)"), .agent))
            mesh.links.append(Link(from: mesh.nodes[relays + index].name, to: mesh.nodes[home].name))
            guard relays > 1, random.chance(0.2) else { continue }
            let second = (home + 1 + random.below(relays - 1)) % relays
            mesh.links.append(Link(from: mesh.nodes[relays + index].name, to: mesh.nodes[second].name))
        }
        return mesh
    }

    private mutating func link(_ a: Int, _ b: Int, _ random: inout SeededRandom) {
        guard !links.contains(where: { $0.joins(nodes[a].name) && $0.joins(nodes[b].name) }) else { return }
        let (from, to) = random.chance(0.5) ? (a, b) : (b, a)
        links.append(Link(from: nodes[from].name, to: nodes[to].name))
    }

    private static func name(_ text: String) -> NodeName {
        guard let name = try? NodeName(text) else { preconditionFailure("\(text) is not a name") }
        return name
    }
}
