import Envelope
import Journal
import Link
import Mesh

/// An envelope that was carried here and is being stored.
struct Carried {
    var header: Header
    var hop: HopFields
    var length: Int
    /// Header and body of a receipt: it may speak of what waits here.
    var receipt: [UInt8]
}

// Envelopes that people carry between relays, where no link does.
extension RelayMachine {
    /// Marks the token of what is done for a carrier: no instance of the forwarder comes near it.
    static var carriageToken: UInt64 { 1 << 63 }
    /// With it, the token of a read; without, that of an append.
    private static var readToken: UInt64 { 1 << 62 }

    public enum CarriageVerdict: Equatable, Sendable {
        /// ``RelayFact/carried(ticket:_:)`` tells what came of it.
        case storing(ticket: UInt64)
        case refused(RefusalReason)
        /// It has lived out its lifetime.
        case expired
        /// It is no envelope.
        case damaged(String)
    }

    /// Takes an envelope from a carrier, by the same rules as one from a neighbour, into the store. Time on the way does
    /// not count as age: no clock tells it.
    /// - Parameter hop: as it was when the envelope was copied.
    public mutating func carry(
        _ envelope: UnsafeRawBufferPointer, _ hop: HopFields, _ exchange: inout Exchange, _ batch: inout JournalBatch,
        at now: Instant
    ) -> CarriageVerdict {
        let header: Header
        do throws(EnvelopeError) {
            header = try Header(envelope)
            guard Header.size + Int(header.bodyLength) == envelope.count else {
                throw EnvelopeError.truncated(needed: Header.size + Int(header.bodyLength), present: envelope.count)
            }
        } catch {
            return .damaged("\(error)")
        }
        guard !hop.isExpired(lifetime: header.lifetime) else { return .expired }
        if let reason = exchange.forwarder.admit(header, at: now) { return .refused(reason) }
        let arrived = hop.nextHop ?? hop
        var prefix = ByteQueue()
        StoredEnvelope(hop: arrived, storedAt: now, boot: boot).append(to: &prefix)
        lastTicket += 1
        let token = Self.carriageToken | lastTicket
        guard batch.append(RecordKind(StoredEnvelope.recordKind), token: token, prefix.readable, envelope) else {
            return .refused(.storageFull)
        }
        carried[lastTicket] = Carried(
            header: header, hop: arrived, length: envelope.count,
            receipt: header.kind == .receipt ? Array(envelope) : [])
        return .storing(ticket: lastTicket)
    }

    /// Reads a durable copy for a carrier; ``RelayFact/copied(request:stored:_:)`` has it.
    public mutating func copy(_ stored: UInt64, for request: UInt64, _ batch: inout JournalBatch) {
        batch.read(LSN(stored), token: Self.carriageToken | Self.readToken | request)
    }

    mutating func completeCarriage(_ completion: JournalCompletion, _ exchange: inout Exchange, at now: Instant) {
        let number = completion.token & ~(Self.carriageToken | Self.readToken)
        guard completion.token & Self.readToken == 0 else {
            var copy: CopiedEnvelope?
            if case .bytes(let kind, let record) = completion.outcome, kind.number == StoredEnvelope.recordKind {
                copy = CopiedEnvelope(record: record, boot: boot, at: now)
            }
            return note(.copied(request: number, stored: completion.lsn.number, copy))
        }
        guard let carried = carried.removeValue(forKey: number) else { return }
        guard case .durable = completion.outcome else {
            if case .refused(let error) = completion.outcome { note(.carried(ticket: number, error)) }
            return
        }
        carried.receipt.withUnsafeBytes { bytes in
            exchange.forwarder.carriedIn(
                carried.header, bytes, carried.hop, length: carried.length, stored: completion.lsn.number, at: now)
        }
        note(.carried(ticket: number, nil))
    }
}

extension CopiedEnvelope {
    /// - Parameter record: of a relay's store.
    fileprivate init?(record: [UInt8], boot: Bytes16, at now: Instant) {
        guard let stored = record.withUnsafeBytes({ StoredEnvelope($0) }) else { return nil }
        self.init(hop: stored.hop(at: now, boot: boot), bytes: Array(record.dropFirst(StoredEnvelope.prefixBytes)))
    }
}
