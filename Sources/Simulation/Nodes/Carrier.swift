import AgentCore
import Envelope
import Mesh
import RelayCore

/// Somebody with a medium in the pocket: copies what a node has stored, and brings it to a relay later, any number of
/// times, as `relayctl journal export` and `import` do.
final class Carrier {
    static let token: UInt64 = 1 << 40
    /// Envelopes copied or brought in one visit, and kept on the medium.
    private static let portion = 16
    private static let capacity = 64

    private var random: SeededRandom
    private var medium: [CopiedEnvelope] = []
    private let names: [NodeName]

    /// - Parameter names: of all nodes; those of envelopes are carried with them.
    init(_ random: SeededRandom, names: [NodeName]) {
        self.random = random
        self.names = names
    }

    /// What to do at a relay; at an agent there is nothing but to copy.
    func wantsToBring() -> Bool { !medium.isEmpty && random.chance(0.5) }

    /// Some of what a node has.
    func choose(_ copies: DurableCopies) -> [UInt64] {
        let stored = copies.copies.map(\.stored).sorted()
        guard !stored.isEmpty else { return [] }
        return Array(stored[random.below(stored.count)...].prefix(Self.portion))
    }

    /// Nothing where the node does not have it any more.
    func put(_ copy: CopiedEnvelope?) {
        guard let copy else { return }
        if medium.count < Self.capacity { medium.append(copy) } else { medium[random.below(medium.count)] = copy }
    }

    /// Some of what is on the medium; it stays there.
    func take() -> (names: [NodeName], envelopes: [CopiedEnvelope]) {
        (names, (0..<min(Self.portion, medium.count)).map { _ in medium[random.below(medium.count)] })
    }
}

extension RelayProgram {
    func visit(_ carrier: Carrier) {
        guard let links, let journal else { return }
        if carrier.wantsToBring() {
            let (names, envelopes) = carrier.take()
            machineDo { machine, exchange in machine.learn(names, &exchange, at: host.now) }
            journal.submit { batch in
                machineDo { machine, exchange in
                    for envelope in envelopes {
                        envelope.bytes.withUnsafeBytes {
                            let verdict = machine.carry($0, envelope.hop, &exchange, &batch, at: host.now)
                            if case .storing(ticket: let ticket) = verdict { host.trace("carried in", ticket) }
                        }
                    }
                }
            }
        } else {
            let stored = carrier.choose(links.exchange.forwarder.durableCopies { _, _ in true })
            journal.submit { batch in
                machineDo { machine, _ in for number in stored { machine.copy(number, for: 1, &batch) } }
            }
        }
        links.finishTurn()
    }
}

extension AgentProgram {
    func visit(_ carrier: Carrier) {
        let stored = carrier.choose(machine?.durableCopies(withHeld: false) { _ in true } ?? DurableCopies())
        drive { machine, _, batch in for number in stored { machine.copy(number, for: 1, &batch) } }
    }
}
