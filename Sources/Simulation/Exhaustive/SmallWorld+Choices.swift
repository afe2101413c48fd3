import Envelope
import Link
import Mesh

extension SmallWorld {
    /// Everything that can happen next, in a fixed order.
    var choices: [Choice] {
        var choices: [Choice] = []
        for wire in wires.indices { addWire(wire, to: &choices) }
        for node in 1...2 where !nodes[node].store.pending.isEmpty {
            choices.append(.complete(node: node))
            if budget.storeFailures > 0, case .write = nodes[node].store.pending[0] {
                choices.append(.failWrite(node: node))
            }
        }
        if !destination.sink.isEmpty {
            choices.append(.finish)
            if budget.crashes > 0 { choices.append(.finishAndCrash) }
            if budget.refusals > 0 { choices.append(.giveBack) }
        }
        if budget.ticks > 0 {
            for node in nodes where node.nextChange != .never { choices.append(.tick(node: node.number)) }
        }
        if made < plan.envelopes { choices.append(.originate) }
        if budget.crashes > 0 { for node in 1...3 { addCrashes(node, to: &choices) } }
        if budget.routeChanges > 0 { choices.append(.changeRoute) }
        return choices
    }

    private func addWire(_ number: Int, to choices: inout [Choice]) {
        let wire = wires[number]
        for end in 0...1 where wire.stale[end] != nil || (!wire.isUp && wire.sessions[end] != nil) {
            choices.append(.notice(wire: number, end: end))
        }
        guard wire.isUp else {
            if wire.mayConnect(early: plan.reconnectsEarly) { choices.append(.reconnect(wire: number)) }
            return
        }
        for end in 0...1 {
            guard let batch = wire.batches[end].first, mayTravel(batch, number, end) else { continue }
            choices.append(.deliver(wire: number, end: end))
        }
        if budget.cuts > 0 { choices.append(.cut(wire: number)) }
    }

    private func mayTravel(_ batch: [UInt8], _ wire: Int, _ end: Int) -> Bool {
        isHealing || budget.returns > 0 || !isReturn(batch, wire, end)
    }

    /// Something travels back from the second relay to the first.
    private func isReturn(_ batch: [UInt8], _ wire: Int, _ end: Int) -> Bool {
        guard plan.isLoop, wire == 1, end == 0 else { return false }
        var holdsEnvelope = false
        batch.withUnsafeBytes { bytes in
            FrameSight.forEach(in: bytes) { frame in if case .data = frame { holdsEnvelope = true } }
        }
        return holdsEnvelope
    }

    private func addCrashes(_ node: Int, to choices: inout [Choice]) {
        let store = nodes[node].store
        for kept in 0...store.writesPending {
            choices.append(.crash(node: node, writesKept: kept, isForgettingLost: false))
            if store.hasForgotten { choices.append(.crash(node: node, writesKept: kept, isForgettingLost: true)) }
        }
    }

    /// - Precondition: it is one of ``choices``.
    func apply(_ choice: Choice) {
        settleLateEffects(before: choice)
        switch choice {
        case .deliver(let wire, let end):
            if let batch = wires[wire].batches[end].first, isReturn(batch, wire, end) {
                budget.returns -= 1
                returnsUsed += 1
            }
            deliver(wire, end)
        case .complete(let node): complete(node)
        case .failWrite(let node):
            budget.storeFailures -= 1
            failWrite(node)
        case .finish: finish(saysSo: true)
        case .finishAndCrash:
            budget.crashes -= 1
            finish(saysSo: false)
            crash(3, writesKept: 0, isForgettingLost: false)
        case .giveBack:
            budget.refusals -= 1
            let node = own(3)
            let id = node.sink.removeFirst()
            node.exchange.forwarder.giveBack(id, .destinationBusy, delay: SmallNode.holdTime, at: now)
            turn(3)
        case .tick(let node):
            budget.ticks -= 1
            now = max(now, nodes[node].nextChange)
            // The sessions are not told: pings would only fill the wires.
            own(node).exchange.forwarder.timeReached(now)
            turn(node)
        case .crash(let node, let writes, let isForgettingLost):
            budget.crashes -= 1
            crash(node, writesKept: writes, isForgettingLost: isForgettingLost)
        case .cut(let wire):
            budget.cuts -= 1
            wires[wire].cut()
        case .notice(let wire, let end): notice(wire, end)
        case .reconnect(let wire): connect(wire)
        case .changeRoute:
            budget.routeChanges -= 1
            setRoute(turnedRound: !isTurnedRound)
        case .originate: originate()
        }
        checkDeliveries()
        for number in 0..<made { checkSafe(number) }
    }

    /// Where the destination says too soon that it is done, its effects come a moment later, unless it is killed.
    private func settleLateEffects(before choice: Choice) {
        guard !destination.lateEffects.isEmpty else { return }
        if case .crash(node: 3, writesKept: _, isForgettingLost: _) = choice { return }
        let node = own(3)
        for bytes in node.lateEffects { takeEffect(bytes) }
        node.lateEffects = []
    }
}
