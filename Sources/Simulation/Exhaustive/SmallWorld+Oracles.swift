import Envelope
import Link
import Mesh

// What must hold at every step. The ledger is filled from what goes over the wires, into the stores and out of the
// sink, not from what the code under test thinks.
extension SmallWorld {
    func fail(_ text: @autoclosure () -> String) {
        if violation == nil { violation = text() }
    }

    /// What its source has let go of is durable in a relay's store or has had its effect.
    func checkSafe(_ envelope: Int) {
        guard hasDeparted[envelope], deliveries[envelope] == 0 else { return }
        guard !nodes.contains(where: { $0.store.holds(envelope) }) else { return }
        fail("envelope \(envelope + 1) is lost: nobody has a safe copy")
    }

    /// How often an envelope may arrive: once, and once more for each copy that a fault can make of it. Along the way
    /// of a copy each node may still keep it until it has heard that the next one does. A cut of a wire makes as many
    /// ways of one as that way goes over the wire, and one; a crash at most one for each node but the last.
    var deliveryBound: Int {
        let crossings = 1 + 2 * returnsUsed
        var bound = 1
        for _ in budget.cuts..<plan.budget.cuts { bound *= 1 + crossings }
        for _ in budget.crashes..<plan.budget.crashes { bound *= 2 + crossings }
        return bound
    }

    func takeEffect(_ bytes: [UInt8]) {
        let number = Self.number(of: bytes)
        guard number >= 0, number < made, bytes == envelope(number) else { return fail("an altered envelope arrived") }
        deliveries[number] += 1
    }

    func checkDeliveries() {
        let bound = deliveryBound
        for (number, count) in deliveries.enumerated() where count > bound {
            fail("envelope \(number + 1) arrived \(count) times; \(bound) are explained by the faults")
        }
    }

    /// Everything a node writes to a wire: what custody it gives must be safe by now.
    func look(at bytes: [UInt8], from node: Int, _ wire: Int, to end: Int) {
        bytes.withUnsafeBytes { bytes in
            FrameSight.forEach(in: bytes) { frame in
                switch frame {
                case .data(let transmission, let envelope):
                    wires[wire].sent[end].append(Self.number(of: envelope))
                    if Int(transmission) != wires[wire].sent[end].count {
                        fail("a gap in the numbers of transmissions")
                    }
                case .custody(let safe):
                    for range in safe.ranges { for number in range { checkCustody(number, by: node, wire, end) } }
                case .other: break
                }
            }
        }
    }

    /// - Parameter end: where the word goes, and the envelope came from.
    private func checkCustody(_ transmission: UInt64, by node: Int, _ wire: Int, _ end: Int) {
        let sent = wires[wire].sent[1 - end]
        guard transmission >= 1, transmission <= sent.count else { return fail("custody of what was never sent") }
        let envelope = sent[Int(transmission) - 1]
        guard deliveries[envelope] == 0 else { return }
        // On a line only what lies behind the one who asks counts; in a loop it may be the asker's own second copy.
        let first = plan.isLoop ? 1 : node
        guard !nodes[first...].contains(where: { $0.store.holds(envelope) }) else { return }
        fail("\(nodes[node].name) says that envelope \(envelope + 1) is safe, and it is not")
    }

    /// accepted = delivered + handed over + expired + lost + present
    func checkCounters(_ node: SmallNode) {
        let counters = node.exchange.forwarder.counters
        let holdings = node.holdings
        let gone = counters.delivered + counters.handedOver + counters.expired + counters.lost
        let present = holdings.queued + holdings.underWay
        guard holdings.underWay < 0 || counters.accepted != gone + UInt64(max(0, present)) else { return }
        fail("\(node.name) accepted \(counters.accepted), \(gone) are gone and \(present) present")
    }
}
