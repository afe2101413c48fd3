import Envelope
import Journal
import Mesh
import Platform

/// Gathers the durable copies that carriers have asked for while the journal reads them. Lives on the reactor's thread.
public struct CopyDesk {
    /// Bytes of one answer at most; what is over it is left out, and asked for again.
    public static let answerBytes = 32 << 20
    /// Copies asked for at once, at most.
    public static let copiesAtOnce = 65_536

    private struct Request {
        var missing: Int
        var bytes = 0
        var copies: [UInt64: CopiedEnvelope] = [:]
        var order: [UInt64]
        var reply: Reply<[UInt8]?>
    }

    private var requests: [UInt64: Request] = [:]
    private var last: UInt64 = 0

    public init() {}

    /// - Returns: the number that ``copied(_:_:_:)`` wants.
    public mutating func begin(_ stored: [UInt64], _ reply: Reply<[UInt8]?>) -> UInt64 {
        last += 1
        if stored.isEmpty {
            reply.fill([])
        } else {
            requests[last] = Request(missing: stored.count, order: stored, reply: reply)
        }
        return last
    }

    /// One copy was read; nil: it is not there any more.
    public mutating func copied(_ number: UInt64, _ stored: UInt64, _ copy: CopiedEnvelope?) {
        guard var request = requests.removeValue(forKey: number) else { return }
        request.missing -= 1
        if let copy, request.bytes == 0 || request.bytes + copy.bytes.count <= Self.answerBytes {
            request.bytes += copy.bytes.count
            request.copies[stored] = copy
        }
        guard request.missing == 0 else {
            requests[number] = request
            return
        }
        var answer = ByteQueue()
        for stored in request.order {
            guard let copy = request.copies.removeValue(forKey: stored) else { continue }
            copy.bytes.withUnsafeBytes { answer.append(CarriageRecord.envelope(copy.hop, $0)) }
        }
        request.reply.fill(Array(answer.readable))
    }

    /// Sends everybody away: the node is stopping.
    public mutating func dismissAll() {
        let all = requests
        requests = [:]
        for request in all.values { request.reply.fill(nil) }
    }
}
