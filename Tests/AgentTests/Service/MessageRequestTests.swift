import Envelope
import Node
import Testing

@testable import Agent

struct MessageRequestTests {
    private let now = WallTime(milliseconds: 5)

    private func read(_ query: [String: String], body: [UInt8] = [1, 2]) throws(MessageRequest.Refusal)
        -> MessageRequest
    {
        try MessageRequest(AdminRequest(method: "POST", path: "/v1/messages", query: query, body: body), at: now)
    }

    @Test func aMessageIsABatchOfOne() throws {
        let request = try read(["to": "plant-b/agent", "key": "k"])
        #expect(request.destination == (try NodeName("plant-b/agent")) && request.receiptWithin == nil)
        var reader = try RecordBatch.Reader(request.batch)
        #expect(reader.topic == MessageTopic.usual)
        let record = try #require(try reader.next())
        #expect(record.key.map { Array($0) } == Array("k".utf8) && record.value.map { Array($0) } == [1, 2])
        #expect(record.time == now)
        #expect(try reader.next() == nil)
    }

    @Test(
        arguments: [
            (nil, 60), ("x", 60), ("-1", 1), ("0", 1), ("1", 1), ("86400", 86_400), ("86401", 86_400),
            ("99999999999999999999", 60),
        ] as [(String?, Int64)])
    func aWaitHasBounds(text: String?, seconds: Int64) throws {
        var query = ["to": "plant-b/agent", "wait": "receipt"]
        query["timeout"] = text
        #expect(try read(query).receiptWithin == .seconds(seconds))
        query["wait"] = "no"
        #expect(try read(query).receiptWithin == nil)
    }

    @Test func whatCannotBeDoneIsToldInWords() {
        let refusals: [[String: String]] = [
            [:], ["to": "plant c"], ["to": "plant-b/agent", "topic": ""],
            ["to": "plant-b/agent", "topic": String(repeating: "t", count: Limits.topicBytes + 1)],
        ]
        for query in refusals {
            let refusal = #expect(throws: MessageRequest.Refusal.self) { try read(query) }
            #expect(refusal?.text.isEmpty == false, "\(query)")
        }
        #expect(throws: MessageRequest.Refusal.self) {
            try read(["to": "plant-b/agent"], body: [UInt8](repeating: 0, count: Limits.batchBytes + 1))
        }
    }

    @Test(arguments: [(nil, 100), ("x", 100), ("0", 1), ("7", 7), ("1000", 1000), ("1001", 1000)] as [(String?, Int)])
    func aListHasBounds(text: String?, limit: Int) {
        var request = AdminRequest(method: "GET", path: "/v1/messages", query: ["topic": "t"])
        request.query["limit"] = text
        let query = MessageQuery(request)
        #expect(query.limit == limit && query.topic == "t")
    }
}
