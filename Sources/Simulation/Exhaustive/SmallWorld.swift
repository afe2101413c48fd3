import Envelope
import Link
import Mesh

/// A line of a source agent, two relays and a destination agent over the real exchanges and sessions, in which nothing
/// happens but what is chosen. A ledger beside them knows which envelopes are safe where.
final class SmallWorld {
    let plan: SmallCase
    var budget: FaultBudget
    var now = Instant(nanoseconds: 1_000_000_000)
    /// A copy of a world shares them; ``own(_:)`` before a change.
    private(set) var nodes: [SmallNode]
    /// By node: no other world has it.
    private var isOwned = [Bool](repeating: true, count: 4)
    /// Wire n joins nodes n and n + 1; its end 0 is at node n.
    var wires = [SmallWire](repeating: SmallWire(), count: 3)
    /// The second relay sends back to the first.
    var isTurnedRound = false
    /// Batches with an envelope that went back from the second relay to the first.
    var returnsUsed = 0
    /// The faults are over.
    var isHealing = false
    private var sessionsOpened: UInt64 = 0

    // What is known of the envelopes, by number.
    var made = 0
    var hasDeparted: [Bool]
    var deliveries: [Int]
    /// The first rule that was broken.
    var violation: String?
    init(_ plan: SmallCase) {
        self.plan = plan
        budget = plan.budget
        nodes = ["plant-a/source", "dmz/relay-1", "dmz/relay-2", "plant-b/destination"].enumerated().map {
            number, text in
            guard let name = try? NodeName(text) else { preconditionFailure("a name") }
            return SmallNode(number, name, plan.durability)
        }
        hasDeparted = [Bool](repeating: false, count: plan.envelopes)
        deliveries = [Int](repeating: 0, count: plan.envelopes)
        for node in nodes { node.exchange.forwarder.setRoutes(routes(of: node.number)) }
        for wire in wires.indices { connect(wire) }
        // All sessions are established before the first envelope is made.
        made = plan.envelopes
        flow()
        made = 0
        originate()
    }

    init(copying other: SmallWorld) {
        plan = other.plan
        budget = other.budget
        now = other.now
        nodes = other.nodes
        isOwned = [Bool](repeating: false, count: 4)
        other.isOwned = isOwned
        wires = other.wires
        isTurnedRound = other.isTurnedRound
        returnsUsed = other.returnsUsed
        isHealing = other.isHealing
        sessionsOpened = other.sessionsOpened
        made = other.made
        hasDeparted = other.hasDeparted
        deliveries = other.deliveries
        violation = other.violation
    }

    var destination: SmallNode { nodes[3] }

    /// A node that no other world has, to be changed.
    func own(_ number: Int) -> SmallNode {
        if !isOwned[number] {
            nodes[number] = SmallNode(copying: nodes[number])
            isOwned[number] = true
        }
        return nodes[number]
    }

    /// The line, but for the second relay while it is turned round.
    func routes(of node: Int) -> RouteTable {
        let hops =
            switch node {
            case 0: [1]
            case 1: [2]
            case 2: isTurnedRound ? [1] : [3]
            default: [] as [Int]
            }
        return RouteTable(fixed: [nodes[3].id: hops.map { nodes[$0].id }])
    }

    func setRoute(turnedRound: Bool) {
        isTurnedRound = turnedRound
        own(2).exchange.forwarder.setRoutes(routes(of: 2))
        turn(2)
    }

    // MARK: Wires

    func connect(_ wire: Int) {
        wires[wire].isUp = true
        wires[wire].sent = [[], []]
        for end in 0...1 {
            wires[wire].stale[end] = wires[wire].sessions[end]
            sessionsOpened += 1
            let peer = nodes[wire + 1 - end]
            // In the order of their making, so that which of two is the higher never differs between like states.
            wires[wire].sessions[end] = own(wire + end).exchange.open(
                peer: peer.id, name: peer.name, session: Bytes16(low: 1, high: sessionsOpened.byteSwapped),
                wall: WallTime(milliseconds: 0), at: now)
        }
        turn(wire)
        turn(wire + 1)
    }

    func notice(_ wire: Int, _ end: Int) {
        guard let session = wires[wire].stale[end] ?? wires[wire].sessions[end] else { return }
        if wires[wire].stale[end] != nil {
            wires[wire].stale[end] = nil
        } else {
            wires[wire].sessions[end] = nil
        }
        own(wire + end).exchange.close(session, at: now)
        turn(wire + end)
    }

    func deliver(_ wire: Int, _ end: Int) {
        let batch = wires[wire].batches[end].removeFirst()
        guard let session = wires[wire].sessions[end] else { return }
        let node = own(wire + end)
        batch.withUnsafeBytes { node.exchange.receive(session, $0, at: now) }
        turn(wire + end)
    }

    func crash(_ number: Int, writesKept: Int, isForgettingLost: Bool) {
        let node = own(number)
        node.store.crash(writesKept: writesKept, isForgettingLost: isForgettingLost)
        for wire in wires.indices where wire == number || wire + 1 == number {
            wires[wire].sessions[number - wire] = nil
            wires[wire].stale[number - wire] = nil
            wires[wire].cut()
        }
        node.restart(routes(of: number), at: now)
        turn(number)
    }
}
