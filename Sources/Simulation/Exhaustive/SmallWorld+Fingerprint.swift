import Envelope
import Link
import Mesh

extension SmallWorld {
    /// Of all that decides what can happen from here on and whether it breaks a rule.
    var fingerprint: Fingerprint.Value {
        var print = Fingerprint()
        for word in budget.words { print.add(word) }
        print.add(made)
        print.add(isTurnedRound)
        for number in 0..<made {
            print.add(hasDeparted[number])
            print.add(deliveries[number])
        }
        for node in nodes { fold(node, into: &print) }
        for wire in wires {
            print.add(wire.isUp)
            for end in 0...1 {
                print.add(wire.batches[end].count)
                for batch in wire.batches[end] { batch.withUnsafeBytes { print.addFrames($0) } }
            }
        }
        return print.value
    }

    private func fold(_ node: SmallNode, into print: inout Fingerprint) {
        var names = InstanceNames()
        let store = node.store
        let isSource = node.number == 0
        let record = { (token: UInt64) in isSource ? Int(token) : store.place(token) }
        node.exchange.forwarder.fold(into: &print, &names, at: now, record: record)
        for side in 0...1 {
            let wire = node.number - 1 + side
            guard wires.indices.contains(wire), let session = wires[wire].sessions[1 - side] else {
                print.add(-1)
                continue
            }
            node.exchange.fold(session, into: &print, &names, record: record)
            guard let stale = wires[wire].stale[1 - side] else {
                print.add(-2)
                continue
            }
            node.exchange.fold(stale, into: &print, &names, record: record)
        }
        print.add(node.sink.count)
        for id in node.sink { node.exchange.forwarder.fold(id, into: &print, &names, record: record) }
        print.add(node.lateEffects.count)
        fold(store, of: node, into: &print, &names, record)
        node.exchange.forwarder.foldRest(into: &print, &names, record: record)
    }

    private func fold(
        _ store: SmallStore, of node: SmallNode, into print: inout Fingerprint, _ names: inout InstanceNames,
        _ record: (UInt64) -> Int
    ) {
        print.add(store.pending.count)
        for operation in store.pending {
            switch operation {
            case .write(let id, let bytes, let hop):
                print.add(Self.number(of: bytes))
                print.add(Int(hop.hopLimit))
                node.exchange.forwarder.fold(id, into: &print, &names, record: record)
            case .read(let id, let token):
                print.add(-2)
                print.add(record(token))
                node.exchange.forwarder.fold(id, into: &print, &names, record: record)
            }
        }
        for entry in store.records {
            print.add(entry.envelope)
            print.add(Int(entry.hop.hopLimit))
            print.add(entry.isForgotten)
        }
        print.add(-1)
    }
}
