import Admin
import Envelope
import Glibc
import Node
import Synchronization
import Testing

@testable import Commands

/// An agent's mailbox and outbox, as far as the commands see them.
private final class Mailbox: Sendable {
    struct Content: Sendable {
        var messages: [MessageList.Message] = []
        var sent: [AdminRequest] = []
    }

    let content: Mutex<Content>
    init(_ messages: [MessageList.Message] = []) { content = Mutex(Content(messages: messages)) }

    static func message(_ id: Int, _ value: String, topic: String? = nil) -> MessageList.Message {
        .init(id: "m-\(id)", source: "plant-a/agent", topic: topic, value: MessageBytes(value), received: Stage.now)
    }

    func answer(_ request: AdminRequest) -> AdminResponse {
        content.withLock { content in
            switch request.method {
            case "GET":
                let limit = Int(request.query["limit"] ?? "") ?? 0
                let fitting = content.messages.filter {
                    request.query["topic"] == nil || $0.topic == request.query["topic"]
                }
                return .json(
                    status: 200, MessageList(messages: Array(fitting.prefix(limit)), hasMore: fitting.count > limit))
            case "DELETE":
                content.messages.removeAll { request.path == "/v1/messages/" + $0.id }
                return .json(status: 200, [String: String]())
            default:
                content.sent.append(request)
                return .json(
                    status: 200,
                    SendResult(
                        stream: "00ff", sequence: UInt64(content.sent.count), records: 1,
                        receipted: request.query["wait"].map { _ in request.query["to"] == "b/up" }))
            }
        }
    }
}

@Suite struct MessagesTests {
    @Test func receivesAndEmptiesTheMailbox() throws {
        let mailbox = Mailbox([
            Mailbox.message(1, "one\n"), Mailbox.message(2, "two", topic: "t"), Mailbox.message(3, "a\u{1B}[2Jb"),
        ])
        try Stage(mailbox.answer).play(
            """
            $ relayctl receive --limit 1
            2026-11-21T09:52:39.123Z  plant-a/agent  one
            $ relayctl receive --topic t --keep -o json
            {"id":"m-2","received":"2026-11-21T09:52:39.123Z","source":"plant-a/agent","topic":"t","value":{"text":"two"}}
            $ relayctl receive --topic t -o yaml
            ---
            id: m-2
            received: "2026-11-21T09:52:39.123Z"
            source: plant-a/agent
            topic: t
            value:
              text: two
            $ relayctl receive
            2026-11-21T09:52:39.123Z  plant-a/agent  a\u{FFFD}[2Jb
            $ relayctl receive
            ! the mailbox is empty
            $ relayctl receive --keep --follow
            ! error: --follow with --keep would show the same messages for ever; give one of them
            ? 2
            """)
        #expect(mailbox.content.withLock { $0.messages.isEmpty })
    }

    @Test func rawIsByteForByte() throws {
        let bytes: [UInt8] = [0, 255, 10, 13]
        let mailbox = Mailbox([
            .init(id: "a", source: "a/b", value: MessageBytes(bytes), received: Stage.now),
            .init(id: "b", source: "a/b", value: MessageBytes("x"), received: Stage.now),
        ])
        let stage = try Stage(mailbox.answer)
        #expect(
            stage.run(["receive", "--keep"]).output.hasSuffix(
                "a/b  (4 B, not text; see --raw)\n2026-11-21T09:52:39.123Z  a/b  x\n"))
        let outcome = stage.run(["receive", "--raw"])
        #expect(outcome.output == String(decoding: bytes + [120], as: UTF8.self))
        #expect(outcome.talk == "")
    }

    @Test func followsPagesToTheLimit() throws {
        let mailbox = Mailbox((1...130).map { Mailbox.message($0, "v\($0)") })
        let stage = try Stage(mailbox.answer)
        let outcome = stage.run(["receive", "--follow", "--limit", "120", "--raw"], looks: 3)
        #expect(outcome.output == (1...120).map { "v\($0)" }.joined())
        #expect(mailbox.content.withLock { $0.messages.count } == 10)
    }

    @Test func sendsFromEverySource() throws {
        let mailbox = Mailbox()
        let stage = try Stage(mailbox.answer)
        stage.play(
            """
            $ relayctl send --to b/agent --topic t --key k 'hello world'
            1 record durable at the agent: stream 00ff, sequence 1
            $ relayctl send --to b/up --wait -o json x
            {
              "receipted" : true,
              "records" : 1,
              "schema" : 1,
              "sequence" : 2,
              "stream" : "00ff"
            }
            $ relayctl send --to b/down --wait=5 -- --x
            1 record durable at the agent: stream 00ff, sequence 3
            ! error: no receipt came in time
            ! hint:  the message is safe at the agent and goes on by itself; see relayctl queue list
            ? 1
            $ relayctl send --to b/agent
            ! error: there is nothing to send
            ! hint:  give a text, --file PATH, or pipe it in
            ? 2
            $ relayctl send --to b/agent --file DIR/none
            ! error: cannot read DIR/none: No such file or directory
            ? 1
            $ relayctl send --to B/agent x
            ! error: the name 'B' may hold lower-case letters, digits and '-', begins with a letter and does not end with '-'
            ? 2
            """)
        _ = stage.run(["send", "--to", "b/agent"], input: [0, 1, 2])
        _ = stage.run(["send", "--to=b/agent", "-"], input: [])
        let sent = mailbox.content.withLock { $0.sent }
        #expect(sent.map(\.body) == [Array("hello world".utf8), [120], Array("--x".utf8), [0, 1, 2], []])
        #expect(sent[0].query == ["to": "b/agent", "topic": "t", "key": "k"])
        #expect(sent[2].query == ["to": "b/down", "wait": "receipt", "timeout": "5"])
    }

    @Test func refusesWhatIsTooLarge() throws {
        let stage = try Stage(Mailbox().answer)
        let outcome = stage.run(["send", "--to", "b/agent"], input: Array(repeating: 0, count: Limits.bodyBytes + 1))
        #expect(outcome.code == .failed)
        #expect(outcome.talk.contains("a message has 16.0 MiB at most"))
    }
}
