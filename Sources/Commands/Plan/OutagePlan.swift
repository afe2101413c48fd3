/// What becomes of a mesh's stores while the ways on are down: what fills first, when, what is then refused, and how long
/// it takes until all has gone. Rates are taken to stay as they are.
///
/// A relay keeps what comes in. Once it is full it refuses, and the agents that send through it keep their own; once they
/// are full too, their sources are not read on (or, where a source cannot wait, its data is not collected).
struct OutagePlan: Encodable, Equatable, Sendable {
    struct Node: Equatable, Sendable {
        /// `zone/name`.
        var name: String
        var isRelay: Bool
        /// The relay that an agent hands its data to; nil where none of the plan's nodes is.
        var upstream: String?
        var storedBytes: UInt64
        var limitBytes: UInt64
        /// What comes into its care, bytes a second.
        var bytesInPerSecond: Double
    }

    struct Forecast: Encodable, Equatable, Sendable {
        var node: String
        var role: String
        var bytesInPerSecond: Double
        var freeBytes: UInt64
        /// Into the outage; an agent begins to fill once its relay is full.
        var fillsFromSeconds: Double
        /// Into the outage; left out where it is not full before the end.
        var fullAfterSeconds: Double?
        var storedBytesAtEnd: UInt64
        /// What comes after it is full.
        var refusedBytes: UInt64
        /// From the end of the outage on, beside what goes on coming; left out where the backlog never ends.
        var drainsInSeconds: Double?
    }

    let schema = 1
    let outageSeconds: Double
    /// What a node sends when its ways are back.
    let drainBytesPerSecond: Double?
    /// Those that fill first come first; those that do not, by name behind them.
    let nodes: [Forecast]

    private enum CodingKeys: String, CodingKey {
        case schema, outageSeconds, drainBytesPerSecond, nodes
    }

    /// - Parameters:
    ///   - seconds: how long the ways are down.
    ///   - drain: bytes a second that a node sends afterwards; nil where that is not known.
    init(_ nodes: [Node], seconds: Double, drain: Double?) {
        outageSeconds = seconds
        drainBytesPerSecond = drain
        let relays = nodes.filter(\.isRelay).map { Self.forecast($0, from: 0, seconds, drain) }
        let agents = nodes.filter { !$0.isRelay }.map { agent in
            let relay = relays.first { $0.node == agent.upstream }
            // With its relay in the plan an agent keeps nothing before that is full.
            let from = relay.map { $0.fullAfterSeconds ?? seconds } ?? 0
            return Self.forecast(agent, from: from, seconds, drain)
        }
        self.nodes = (relays + agents).sorted {
            ($0.fullAfterSeconds ?? .infinity, $0.node) < ($1.fullAfterSeconds ?? .infinity, $1.node)
        }
    }

    private static func forecast(_ node: Node, from start: Double, _ end: Double, _ drain: Double?) -> Forecast {
        let rate = max(0, node.bytesInPerSecond)
        let free = node.limitBytes > node.storedBytes ? node.limitBytes - node.storedBytes : 0
        let timeToFill = rate > 0 ? Double(free) / rate : .infinity
        let full = start + timeToFill
        let isFull = full < end
        let taken = isFull ? Double(free) : rate * max(0, end - start)
        let backlog = Double(node.storedBytes) + taken
        let net = (drain ?? 0) - rate
        return Forecast(
            node: node.name, role: node.isRelay ? "relay" : "agent", bytesInPerSecond: rate, freeBytes: free,
            fillsFromSeconds: start, fullAfterSeconds: isFull ? full : nil, storedBytesAtEnd: UInt64(backlog),
            refusedBytes: isFull ? UInt64(rate * (end - full)) : 0, drainsInSeconds: net > 0 ? backlog / net : nil)
    }
}
