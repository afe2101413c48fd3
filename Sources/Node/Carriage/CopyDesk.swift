import Envelope
import Journal
import Mesh
import Platform

/// Gathers the durable copies that carriers have asked for while the journal reads them. Lives on the reactor's thread.
public struct CopyDesk {
    /// Copies in the order they were asked for, without those that are not there any more; nil where nobody will know.
    public typealias Answer = Reply<[CopiedEnvelope]?>

    /// Bytes of one answer at most; what is over it is left out, and asked for again.
    public static let answerBytes = 32 << 20
    /// Copies asked for at once, at most.
    public static let copiesAtOnce = 65_536

    private struct Request {
        var missing: Int
        var bytes = 0
        var copies: [UInt64: CopiedEnvelope] = [:]
        var order: [UInt64]
        var reply: Answer
    }

    private var requests: [UInt64: Request] = [:]
    private var last: UInt64 = 0

    public init() {}

    /// - Returns: the number that ``copied(_:_:_:)`` wants.
    public mutating func begin(_ stored: [UInt64], _ reply: Answer) -> UInt64 {
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
        request.reply.fill(request.order.compactMap { request.copies.removeValue(forKey: $0) })
    }

    /// Sends everybody away: the node is stopping.
    public mutating func dismissAll() {
        let all = requests
        requests = [:]
        for request in all.values { request.reply.fill(nil) }
    }
}

extension AdminRequest {
    /// Answers `POST /v1/stored/copies` on the caller's thread, which waits for the store and makes the records.
    /// - Parameter ask: asks the node's ``CopyDesk``.
    public func answerCopies(
        _ ask: (_ stored: [UInt64], _ reply: CopyDesk.Answer) throws(MailboxError) -> Void
    ) throws(MailboxError) -> AdminResponse {
        guard let numbers = storedNumbers else {
            return .problem(status: 400, "the body is not a list of at most \(CopyDesk.copiesAtOnce) numbers")
        }
        let reply = CopyDesk.Answer()
        try ask(numbers, reply)
        guard let answer = reply.wait(within: .seconds(60)), let copies = answer else {
            return .problem(status: 503, "the store did not answer in time", hint: "see the node's log")
        }
        var records = ByteQueue()
        for copy in copies {
            copy.bytes.withUnsafeBytes { records.append(CarriageRecord.envelope(copy.hop, $0)) }
        }
        return .bytes(status: 200, Array(records.readable))
    }
}
