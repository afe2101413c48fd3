import Envelope

/// The ways a forwarder knows, as of one moment: a relay's computed routes, or an agent's relays.
public struct RouteTable: Sendable {
    private enum Ways {
        case always([NodeID])
        case fixed([NodeID: [NodeID]])
        case computed(RoutingTable)
    }

    private var ways: Ways

    /// Everything goes to the first of these neighbours that has a session: an agent's relays.
    public init(always neighbours: [NodeID] = []) { ways = .always(neighbours) }

    /// Ways set by hand: for each destination its neighbours, best first.
    public init(fixed: [NodeID: [NodeID]]) { ways = .fixed(fixed) }

    init(_ table: RoutingTable) { ways = .computed(table) }

    /// Neighbours to hand an envelope for this node to, best first.
    func nextHops(to node: NodeID) -> [NodeID] {
        switch ways {
        case .always(let neighbours): return neighbours
        case .fixed(let ways): return ways[node] ?? []
        case .computed(let table):
            guard case .nextHops(let hops) = table.route(to: node) else { return [] }
            return hops
        }
    }
}

extension Router {
    /// The routes of this moment, for the forwarder; take them anew on ``RouterSink/routesChanged()``.
    public var routes: RouteTable { RouteTable(table) }

    /// The flows with what the mesh knows of names at this moment; take them anew with the routes.
    public func policy(_ flows: FlowTable) -> FlowPolicy {
        FlowPolicy(flows, Snapshot(directory: directory, directoryVersion: directoryVersion))
    }
}

/// Names and offers of one moment.
struct Snapshot: NodeDirectory, Sendable {
    var directory: Directory
    var directoryVersion: UInt64

    func nodeName(of id: NodeID) -> NodeName? { directory.names[id] }

    func offers(_ service: NodeID, by node: NodeID) -> Bool {
        directory.offers.contains(Directory.Offer(service: service, provider: node))
    }

    func isRelay(_ id: NodeID) -> Bool { directory.relays.contains(id) }
}

/// Whether an arrival is permitted, by the flows and names of one moment.
public struct FlowPolicy: Sendable {
    private var flows: FlowTable?
    private var directory: Snapshot

    /// Permits everything: an agent trusts its relays to have checked, and its sinks check the source.
    public static let open = FlowPolicy()

    private init() {
        flows = nil
        directory = Snapshot(directory: Directory(), directoryVersion: 0)
    }

    init(_ flows: FlowTable, _ directory: Snapshot) {
        self.flows = flows
        self.directory = directory
    }

    /// In force, in the order they were declared; none where everything is permitted.
    var declarations: [FlowDeclaration] { flows?.declarations ?? [] }

    enum Verdict {
        /// By this flow; nil where everything is permitted.
        case permitted(FlowIndex?)
        /// No flow permits it, and both its nodes are known.
        case denied
        /// No flow permits it as far as the mesh is known, and one of its nodes is not.
        case unknown
    }

    mutating func verdict(on header: Header) -> Verdict {
        guard flows != nil else { return .permitted(nil) }
        let flow = flows?.permits(
            source: header.source, destination: header.destination, lane: header.lane,
            traffic: FlowTraffic(header.kind), directory: directory)
        if let flow { return .permitted(flow) }
        let isKnown =
            directory.directory.names[header.source] != nil
            && directory.directory.names[header.destination] != nil
        return isKnown ? .denied : .unknown
    }

    /// The flow that permits data from one node to another.
    mutating func flow(from source: NodeID, to destination: NodeID, lane: Lane) -> FlowIndex? {
        flows?.permits(source: source, destination: destination, lane: lane, traffic: .data, directory: directory)
    }
}
