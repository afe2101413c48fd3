import Envelope
import Journal
import Mesh

// Copies of what has no receipt, for people who carry them to another node.
extension AgentMachine {
    /// Marks the token of a read for a carrier: two bits that no other token has together.
    static var copyToken: UInt64 { 3 << 62 }

    /// What has no receipt yet, wherever it is under way.
    /// - Parameters:
    ///   - withHeld: also streams that wait for an earlier one of their job. Where they are carried with it, nobody keeps
    ///     their records from having their effect before those of the earlier one.
    ///   - isWanted: asked of each destination.
    package func durableCopies(withHeld: Bool, _ isWanted: (NodeID) -> Bool) -> DurableCopies {
        var found = DurableCopies()
        var nodes: Set<NodeID> = []
        for stream in outbox.streams where !stream.isDrained && isWanted(stream.destination) {
            let places = stream.waiting.filter { withHeld || stream.items[$0].state != .held }
            if !places.isEmpty { nodes.insert(stream.destination) }
            for place in places {
                found.copies.append(.init(stored: stream.items[place].stored, length: stream.items[place].length))
            }
        }
        if !nodes.isEmpty { nodes.insert(identity) }
        found.nodes = nodes.sorted()
        return found
    }

    /// Reads a durable copy for a carrier; ``AgentFact/copied(request:stored:_:)`` has it.
    package mutating func copy(_ stored: UInt64, for request: UInt64, _ batch: inout JournalBatch) {
        batch.read(LSN(stored), token: Self.copyToken | request)
    }

    mutating func completeCopy(_ completion: JournalCompletion, at now: Instant) {
        var copy: CopiedEnvelope?
        if case .bytes(let kind, let record) = completion.outcome, kind == OutboxRecord.envelopeKind,
            let front = record.withUnsafeBytes({ OutboxRecord($0, kind: kind) }),
            let envelope = front.envelope(in: record)
        {
            copy = CopiedEnvelope(hop: front.stored.hop(at: now, boot: boot), bytes: envelope)
        }
        note(.copied(request: completion.token & ~Self.copyToken, stored: completion.lsn.number, copy))
    }
}
