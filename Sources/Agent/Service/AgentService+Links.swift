import Crypto
import Envelope
import Journal
import Link
import Mesh
import Node
import Platform

extension AgentService: LinkHubOwner {
    public func linkEstablished(_ link: LinkIndex, _ neighbour: Neighbour) {}
    public func linkEnded(_ link: LinkIndex, _ neighbour: Neighbour) {}

    /// Agents take no part in the mesh's own talk.
    public func meshMessage(_ message: [UInt8], from neighbour: NodeName) {}

    public func perform(_ effects: [Effect]) {
        let now = reactor.now
        for effect in effects {
            switch effect {
            case .deliver(let id): deliver(id, at: now)
            case .departed(let owner):
                if owner != Self.receiptOwner { outbox.departed(stored: owner, at: now) }
            case .expired(let dropped):
                if dropped.owner != 0, dropped.owner != Self.receiptOwner {
                    outbox.expiredUnderWay(stored: dropped.owner, at: now)
                }
            case .damaged(_, let bytes, let reason): quarantine.add(bytes, reason: reason)
            case .fetch, .store, .forget, .refuse: break
            }
        }
        journal?.submit { batch in
            for case .fetch(let id, let stored) in effects { batch.read(LSN(stored), token: id.token) }
        }
        perform(outbox.takeEffects())
        armTimer()
    }

    /// The owner number of this agent's receipts: no journal record has it.
    static let receiptOwner = UInt64.max

    private func deliver(_ id: InstanceID, at now: Instant) {
        guard let bytes = hub.exchange.forwarder.bytes(of: id) else { return }
        guard let header = try? Header(bytes) else {
            quarantine.add(Array(bytes), reason: "no header")
            return hub.exchange.forwarder.finished(id, at: now)
        }
        switch header.kind {
        case .data:
            let isTaken = inbox?.add(Arrival(instance: id, header: header, envelope: Array(bytes))) ?? false
            if !isTaken { giveBack(id, .seconds(1), at: now) }
        case .receipt:
            takeReceipt(header, UnsafeRawBufferPointer(rebasing: bytes[Header.size...]), at: now)
            hub.exchange.forwarder.finished(id, at: now)
        case .expiry:
            log.warning("notice", "a relay dropped an envelope of ours", ["stream": header.stream])
            hub.exchange.forwarder.finished(id, at: now)
        }
    }

    /// A receipt counts only with the signature of the node it speaks for.
    private func takeReceipt(_ header: Header, _ body: UnsafeRawBufferPointer, at now: Instant) {
        guard let receipt = try? Receipt(body), trust.verify(receipt, from: header.source, to: identity.id) else {
            log.error("receipt.forged", "a receipt is not genuine; it has no effect", ["source": header.source])
            forgedReceipts += 1
            return
        }
        for entry in receipt.entries {
            guard let index = outbox.streamIndex[entry.stream],
                outbox.streams[index].destination == header.source
            else { continue }
            outbox.receipt(stream: entry.stream, through: entry.mark, at: now)
        }
    }

    /// What the delivering threads say, on the reactor's thread.
    func take(_ outcomes: [DeliveryOutcome]) {
        let now = reactor.now
        for outcome in outcomes {
            switch outcome {
            case .finished(let id): hub.exchange.forwarder.finished(id, at: now)
            case .giveBack(let id, let delay): giveBack(id, delay, at: now)
            case .mark(let source, let stream, let mark):
                book.note(source: source, stream: stream, mark: mark, at: now)
            }
        }
        settle()
    }

    /// A long delay concerns this envelope alone: the relay lays it aside and others pass. A short one means that
    /// there is no room for the moment.
    private func giveBack(_ id: InstanceID, _ delay: Duration, at now: Instant) {
        let reason = delay < .seconds(1) ? Link.RefusalReason.destinationBusy : .setAside
        hub.exchange.forwarder.giveBack(id, reason, delay: delay, at: now)
    }

    func sendReceipts(at now: Instant) {
        for (source, entries) in book.takeDue(at: now) {
            let body = trust.receipt(for: source, entries).encoded
            let header = Header(
                kind: .receipt, lane: .control, source: identity.id, destination: source, stream: receiptStream,
                sequence: receiptSequence, floor: receiptSequence, created: Clock.wall,
                lifetime: Self.receiptLifetime, key: KeyID(Bytes16(low: 0, high: 0)), bodyLength: UInt32(body.count))
            receiptSequence = receiptSequence.next
            let envelope = header.encoded + body
            envelope.withUnsafeBytes { bytes in
                hub.exchange.forwarder.originate(
                    Forwarder.Origin(
                        destination: source, lane: .control, length: bytes.count, lifetime: Self.receiptLifetime,
                        owner: Self.receiptOwner, stored: 0),
                    bytes, at: reactor.now)
            }
        }
    }

    /// Seconds. A lost receipt is made good by a resent envelope, so it need not live long.
    static let receiptLifetime: UInt32 = 3600
}
