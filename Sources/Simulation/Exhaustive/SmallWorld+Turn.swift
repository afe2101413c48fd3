import Envelope
import Link
import Mesh

// A node's turn, as a shell does it: effects until there are none, then output, as one batch a wire.
extension SmallWorld {
    func turn(_ number: Int) {
        let node = own(number)
        var written: [[UInt8]] = [[], []]
        var isDone = false
        while !isDone {
            repeat {
                for event in node.exchange.takeEvents() { handle(event, node) }
                node.exchange.resume(at: now)
                for effect in node.exchange.takeEffects() { perform(effect, node) }
                node.exchange.settle(at: now)
            } while node.hasWork()
            isDone = true
            for id in node.sessionsWithOutput() {
                isDone = false
                collect(id, node, &written)
            }
        }
        // Side 0 is the wire to the node before, side 1 to the one behind: a side is also the end the batch goes to.
        for side in 0...1 where !written[side].isEmpty {
            let wire = number - 1 + side
            look(at: written[side], from: number, wire, to: side)
            if wires[wire].isUp { wires[wire].batches[side].append(written[side]) }
        }
        checkCounters(node)
    }

    private func collect(_ id: SessionID, _ node: SmallNode, _ written: inout [[UInt8]]) {
        for side in 0...1 {
            let wire = node.number - 1 + side
            guard wires.indices.contains(wire), wires[wire].sessions[1 - side] == id else { continue }
            written[side] += node.exchange.takeOutput(id)
            node.exchange.drained(id, at: now)
            return
        }
        node.exchange.write(id) { $0.count }
    }

    private func handle(_ event: Exchange.Event, _ node: SmallNode) {
        switch event {
        case .established, .meshMessage: break
        case .ended(let id, _, let error, _):
            if case .left(.replaced, "a newer connection stands") = error, forgetStale(id, node) {
                return node.exchange.close(id, at: now)
            }
            // What we closed ourselves is the only end a session may find.
            if case .left(.stopping, "the connection was lost") = error { return }
            fail("a session ended: \(error)")
        }
    }

    /// - Returns: false where it is not the session of a wire that was cut.
    private func forgetStale(_ id: SessionID, _ node: SmallNode) -> Bool {
        for wire in wires.indices {
            for end in 0...1 where wire + end == node.number && wires[wire].stale[end] == id {
                wires[wire].stale[end] = nil
                return true
            }
        }
        return false
    }

    private func perform(_ effect: Effect, _ node: SmallNode) {
        switch effect {
        case .store(let id): write(id, node)
        case .forget(let token): forget(token, node)
        case .fetch(let id, let stored):
            guard node.kind == .agent else { return node.store.pending.append(.read(id, token: stored)) }
            // The source has its own envelopes at hand.
            envelope(Int(stored) - 1).withUnsafeBytes { node.exchange.forwarder.fetched(id, $0, at: now) }
        case .deliver(let id): node.sink.append(id)
        case .departed(let owner):
            hasDeparted[Int(owner) - 1] = true
            checkSafe(Int(owner) - 1)
        case .expired: fail("an envelope expired")
        case .damaged: fail("an envelope was damaged")
        case .receipt: fail("a receipt passed")
        case .refuse: fail("a refusal reached the shell")
        }
    }

    private func write(_ id: InstanceID, _ node: SmallNode) {
        guard let bytes = node.exchange.forwarder.bytes(of: id), let hop = node.exchange.forwarder.hop(of: id, at: now)
        else { return fail("a write was asked for whose bytes are gone") }
        let copy = Array(bytes)
        switch plan.mistake {
        case .durableTooSoon:
            // The write itself happens later, or never.
            node.store.pending.append(.write(id, bytes: copy, hop))
            node.exchange.forwarder.stored(id, as: .max, at: now)
        case .mergedArrivals:
            let number = Self.number(of: copy)
            guard let record = node.store.records.first(where: { !$0.isForgotten && $0.envelope == number }) else {
                return node.store.pending.append(.write(id, bytes: copy, hop))
            }
            node.exchange.forwarder.stored(id, as: record.token, at: now)
        case .finishedTooSoon, nil: node.store.pending.append(.write(id, bytes: copy, hop))
        }
    }

    private func forget(_ token: UInt64, _ node: SmallNode) {
        if let number = node.store.forget(token) {
            checkSafe(number)
        } else if plan.mistake == nil {
            fail("\(node.name) forgets a record that is not there")
        }
    }

    /// The oldest operation of a store happens.
    func complete(_ number: Int) {
        let node = own(number)
        switch node.store.pending.removeFirst() {
        case .write(let id, let bytes, let hop):
            let token = node.store.add(bytes, hop)
            if plan.mistake != .durableTooSoon { node.exchange.forwarder.stored(id, as: token, at: now) }
        case .read(let id, let token):
            if let bytes = node.store.bytes(token) {
                bytes.withUnsafeBytes { node.exchange.forwarder.fetched(id, $0, at: now) }
            } else {
                node.exchange.forwarder.fetched(id, nil, at: now)
            }
        }
        turn(number)
    }

    func failWrite(_ number: Int) {
        let node = own(number)
        guard case .write(let id, _, _) = node.store.pending.removeFirst() else { return }
        node.exchange.forwarder.storeFailed(id, at: now)
        turn(number)
    }

    /// The oldest delivery takes effect.
    func finish(saysSo: Bool) {
        let node = own(3)
        let id = node.sink.removeFirst()
        guard let bytes = node.exchange.forwarder.bytes(of: id) else { return fail("a delivery has no bytes") }
        if plan.mistake == .finishedTooSoon {
            node.lateEffects.append(Array(bytes))
        } else {
            takeEffect(Array(bytes))
        }
        guard saysSo else { return }
        node.exchange.forwarder.finished(id, at: now)
        turn(3)
    }
}
