import Envelope
import Link
import Mesh

/// A node of a ``SmallWorld``: the real exchange, with a store and a sink that wait to be told.
final class SmallNode {
    let number: Int
    let name: NodeName
    let id: NodeID
    let kind: NodeKind
    private let configuration: Forwarder.Configuration
    var exchange: Exchange
    var store = SmallStore()
    /// Deliveries that wait for their effect.
    var sink: [InstanceID] = []
    /// Effects that are still to come although the node has said that they are there.
    var lateEffects: [[UInt8]] = []

    /// Both bounds are the same, so that how long confirmations take decides nothing.
    static let holdTime: Duration = .milliseconds(20)

    init(_ number: Int, _ name: NodeName, _ durability: Durability) {
        self.number = number
        self.name = name
        id = NodeID(Bytes16(low: UInt64(number + 1), high: 0))
        kind = number == 0 || number == 3 ? .agent : .relay
        configuration = Forwarder.Configuration(
            durability: durability, holdTime: Self.holdTime...Self.holdTime, wordPause: .zero,
            hasStore: kind == .relay)
        exchange = Self.exchange(name, id, kind, configuration)
    }

    init(copying other: SmallNode) {
        number = other.number
        name = other.name
        id = other.id
        kind = other.kind
        configuration = other.configuration
        exchange = other.exchange.copy()
        store = other.store
        sink = other.sink
        lateEffects = other.lateEffects
    }

    private static func exchange(
        _ name: NodeName, _ id: NodeID, _ kind: NodeKind, _ configuration: Forwarder.Configuration
    ) -> Exchange {
        Exchange(
            node: name, kind: kind, software: "small",
            forwarder: Forwarder(configuration, locals: [id], policy: .open))
    }

    /// Memory is gone; what the store has comes back.
    func restart(_ routes: RouteTable, at now: Instant) {
        exchange = Self.exchange(name, id, kind, configuration)
        exchange.forwarder.setRoutes(routes)
        sink = []
        lateEffects = []
        for record in store.records where !record.isForgotten {
            guard let header = try? Header(record.bytes) else { continue }
            exchange.forwarder.recovered(
                header: header, hop: record.hop, length: record.bytes.count, stored: record.token, at: now)
        }
    }

    // Never inlined: the optimiser of Swift 6.3 lets a borrow of the exchange in a loop's condition last into the next
    // round, where it meets a change.
    @inline(never) func hasWork() -> Bool { exchange.hasWork }
    @inline(never) func sessionsWithOutput() -> [SessionID] { exchange.sessionsWithOutput }

    // Copies, since what is not copyable cannot be looked into from a closure.
    var holdings: Forwarder.Holdings { exchange.forwarder.holdings }
    var nextChange: Instant { exchange.forwarder.nextChange }

    var isEmpty: Bool {
        let holdings = holdings
        return holdings.queued == 0 && holdings.underWay == 0 && holdings.memoryBytes == 0 && sink.isEmpty
            && store.isEmpty
    }
}

/// A connection between a node and the next one. Each end has what is on its way to it: batches of frames, each as one
/// turn of the sender wrote it.
struct SmallWire {
    var isUp = false
    var sessions: [SessionID?] = [nil, nil]
    /// The session before, where its end has not noticed yet that its wire was cut.
    var stale: [SessionID?] = [nil, nil]
    var batches: [[[UInt8]]] = [[], []]
    /// What the current session has sent to each end, by transmission.
    var sent: [[Int]] = [[], []]

    /// - Parameter early: also where only one end has noticed the cut, and the other one has noticed all before it.
    func mayConnect(early: Bool) -> Bool {
        let unaware = (0...1).filter { sessions[$0] != nil }
        guard unaware.isEmpty || (early && unaware.count == 1) else { return false }
        return unaware.allSatisfy { stale[$0] == nil }
    }

    mutating func cut() {
        isUp = false
        batches = [[], []]
    }
}
