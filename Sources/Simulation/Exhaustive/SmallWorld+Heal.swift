import Envelope
import Link
import Mesh

extension SmallWorld {
    /// Everything that can happen without time and without faults, in one order.
    func flow() {
        for _ in 0..<10_000 {
            guard let choice = choices.first(where: { !$0.isFault && !$0.isTimer }) else { return }
            apply(choice)
            guard violation == nil else { return }
        }
        fail("the world does not come to rest")
    }

    /// No more faults, the right ways, and time: what must arrive does, and nothing stays behind.
    func heal() {
        isHealing = true
        if isTurnedRound { setRoute(turnedRound: false) }
        let end = now + .seconds(120)
        flow()
        while violation == nil, !isDone, now < end {
            var next = end
            for node in nodes { next = min(next, node.exchange.nextDeadline) }
            now = max(now, next)
            for node in nodes where node.exchange.nextDeadline <= now {
                own(node.number).exchange.timeReached(now)
                turn(node.number)
            }
            flow()
        }
        guard violation == nil, !isDone else { return }
        for (number, count) in deliveries.enumerated() where count == 0 { fail("envelope \(number + 1) never arrives") }
        for node in nodes where !node.isEmpty { fail("\(node.name) never comes to an end: \(node.holdings)") }
        fail("batches stay on the wires")
    }

    private var isDone: Bool {
        made == plan.envelopes && deliveries.allSatisfy { $0 > 0 } && nodes.allSatisfy(\.isEmpty)
            && wires.allSatisfy { $0.batches[0].isEmpty && $0.batches[1].isEmpty }
    }
}
