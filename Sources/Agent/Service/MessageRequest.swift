import Envelope
import Node

/// What a request to send a message by hand asks for.
struct MessageRequest: Equatable {
    /// Why it cannot be done, in words for its caller.
    struct Refusal: Error, Equatable {
        var text: String
        var hint: String?
    }

    /// A day: a receipt that takes longer is asked for again.
    static let longestWait = 86_400
    static let usualWait = 60

    var destination: NodeName
    /// The record batch with the one message in it.
    var batch: [UInt8]
    /// How long to wait for the receipt; nil where nobody wants it.
    var receiptWithin: Duration?

    init(_ request: AdminRequest, at time: WallTime) throws(Refusal) {
        guard let text = request.query["to"] else {
            throw Refusal(text: "no destination", hint: "add ?to=zone/name")
        }
        do throws(NameError) { destination = try NodeName(text) } catch { throw Refusal(text: error.description) }
        do throws(EnvelopeError) {
            var builder = try RecordBatch.Builder(
                topic: request.query["topic"] ?? MessageTopic.usual, limit: Limits.batchBytes)
            try builder.append(
                key: request.query["key"].map { Array($0.utf8) }, value: request.body, headers: [], at: time)
            batch = builder.finish()
        } catch {
            throw Refusal(text: error.description)
        }
        guard request.query["wait"] == "receipt" else { return }
        let seconds = min(Self.longestWait, max(1, Int(request.query["timeout"] ?? "") ?? Self.usualWait))
        receiptWithin = .seconds(seconds)
    }
}

/// What a request for the mailbox's messages asks for.
struct MessageQuery: Equatable {
    static let largestLimit = 1000
    static let usualLimit = 100

    /// nil for all.
    var topic: String?
    var limit: Int

    init(_ request: AdminRequest) {
        topic = request.query["topic"]
        limit = min(Self.largestLimit, max(1, Int(request.query["limit"] ?? "") ?? Self.usualLimit))
    }
}
