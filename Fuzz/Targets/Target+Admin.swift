import Crypto
import Envelope
import Glibc
import Journal
import Synchronization

@testable import Admin
@testable import Agent
@testable import Node
@testable import Platform

extension Target {
    static let adminHTTP = Target(
        "admin-http", "the admin socket: bytes of a stranger, and requests that must arrive as they were sent",
        seeds: {
            [
                "GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n",
                "POST /v1/messages?to=plant-b%2Fagent&key HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 17825793\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                "DELETE /v1/messages/a%00b HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n",
            ]
            .enumerated().map { ("bytes-\($0.offset)", [0] + Array($0.element.utf8)) } + [
                ("get", [1, 0, 11] + Array("/v1/a b/ü?#".utf8) + [2, 2, 0x74, 0x6F, 3, 1, 2, 3]),
                ("post", [1, 1, 3] + Array("/v1".utf8) + [1, 0, 0] + Array("body".utf8)),
                ("large", [2, 1, 9]), ("crowd", [2, 5, 9]), ("refused", [3, 200, 0x6F, 0x68]),
                ("nan", [4, 1]), ("bytes", [4, 2, 0xFF]), ("json", [4, 0]), ("empty", [1, 1, 0]),
                ("smtp", [5, 3] + Array("220 mail ready\r\n".utf8)),
                ("short", [5, 3] + Array("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".utf8)),
                (
                    "escaped",
                    [1, 0, 9] + Array("a/../%41b".utf8) + [2, 3, 0x25, 0x34, 0x31, 12] + Array("a long value".utf8)
                ),
                ("silent", [5, 4]), ("crowded", [5, 5]), ("flood", [6]),
                ("nothing", [5, 0]), ("file", [5, 1]), ("long", [5, 2]),
            ] + sampleReports.map { ("answer-" + $0.name, [3, 0, 0] + $0.bytes) }
        },
        run: { input in
            var choices = Choices(input)
            switch choices.byte() % 7 {
            case 6: AdminServer.shared.flood()
            case 5: AdminServer.shared.meetStranger(&choices)
            case 0: AdminServer.shared.hear(choices.rest())
            case 1: AdminServer.shared.carry(&choices)
            case 2: tryBodies(&choices)
            case 3: AdminServer.shared.answerWith(&choices)
            default: tryEncoding(&choices)
            }
        })

    /// Bodies as the library hands them in, whatever the callers have announced: memory stays within its bound, and
    /// what was taken is whole.
    private static func tryBodies(_ choices: inout Choices) {
        let dispatcher = Dispatcher { .bytes(status: 200, $0.body) }
        var calls = (0...choices.number(below: 8)).map { _ in
            IncomingCall(AdminRequest(method: "POST", path: "/"), dispatcher)
        }
        let unit = [UInt8](repeating: 7, count: 1 << 20)
        for _ in 0..<min(90, 10 * choices.number(below: 16)) {
            let call = calls[choices.number(below: calls.count)]
            let before = call.request.body.count
            let goesOn = unit.withUnsafeBytes { call.receive($0) }
            require(goesOn || call.trouble != nil, "a call goes on until it is in trouble")
            require(
                call.trouble != nil ? call.request.body.isEmpty : call.request.body.count == before + unit.count,
                "a body is whole or gone")
            require(call.request.body.count <= Server.Bounds.bodyBytes, "a body is within its limit")
            let held = calls.reduce(0) { $0 + $1.request.body.count }
            require(held <= Server.Bounds.bodyBytesTogether, "all bodies together are within their bound")
        }
        for call in calls {
            let expected = call.trouble.map { $0 == .tooLarge ? 413 : 503 } ?? 200
            require(dispatcher.answer(call).status == expected, "a call in trouble is told so")
        }
        calls = []
        require(dispatcher.reserve(Server.Bounds.bodyBytesTogether), "calls that are over hold nothing")
    }

    private static func tryEncoding(_ choices: inout Choices) {
        switch choices.byte() % 3 {
        case 0: require(EncodedResponse(.json(status: 201, ["a": 1])).status == 201, "a status is kept")
        case 1:
            require(EncodedResponse(.json(status: 200, Double.nan)).status == 500, "what is no JSON is a fault")
            let text = EncodedResponse(.text(status: 200, contentType: "text/plain", "ä"))
            require(text.body == Array("ä".utf8) && text.contentType == "text/plain", "a text is its bytes")
        default:
            let bytes = choices.rest()
            require(EncodedResponse(.bytes(status: 200, bytes)).body == bytes, "bytes are as they were")
        }
    }

    static let reports = Target(
        "reports", "what a node answers, as its callers read it", longest: 16 << 10,
        seeds: { sampleReports },
        run: { input in
            let bytes = Array(input)
            tryReport(NodeStatus.self, bytes)
            tryReport(TopologyReport.self, bytes)
            tryReport(QueueReport.self, bytes)
            tryReport(StreamReport.self, bytes)
            tryReport(MessageList.self, bytes)
            tryReport(SendResult.self, bytes)
            tryReport(Problem.self, bytes)
            for message in decoded(MessageList.self, bytes)?.messages ?? [] { tryMessage(message) }
        })

    /// A message that is made of its parts is the same.
    private static func tryMessage(_ message: MessageList.Message) {
        let made = MessageList.Message(
            id: message.id, source: message.source, topic: message.topic, key: message.key, value: message.value,
            time: message.time, received: message.received)
        require(made == message && MessageList(messages: [made]).messages == [message], "a message is its parts")
        require(
            Node.Base64.decode(Node.Base64.encode(message.value.bytes)) == message.value.bytes,
            "base 64 is read as written")
    }

    private static let sampleReports: [Seed] = {
        let link = LinkReport(
            from: "plant-a/relay", to: "dmz/relay", state: .up, costForward: 3, oldestAgeSeconds: 1.25,
            asOf: Sample.now, reason: "r")
        let status = NodeStatus(
            node: "plant-a/agent", role: "agent", version: "1", pid: 7, started: Sample.now, uptimeSeconds: 3,
            asOf: Sample.now, links: [link], counters: CounterReport(accepted: 3, dropped: ["expired": 3]),
            jobs: [JobReport(name: "rows", state: "idle", lastRun: Sample.now, lastError: "none")],
            sinks: [SinkReport(name: "out", state: "idle")], lastReload: ReloadReport(at: Sample.now, ok: true))
        let queues = QueueReport(
            node: "dmz/relay", asOf: Sample.now,
            queues: [.init(destination: "plant-b/agent", lane: "live", envelopes: 2, bytes: 9, state: .parked)])
        let topology = TopologyReport(
            asOf: Sample.now, by: "dmz/relay",
            zones: [.init(name: "dmz", nodes: [.init(name: "dmz/relay", role: "relay", state: .up)])],
            links: [link])
        let streams = StreamReport(
            node: "plant-a/agent", asOf: Sample.now,
            outgoing: [
                .init(
                    stream: "0a", job: "rows", destination: "plant-b/agent", records: 7, sent: 3, receipted: 2,
                    expired: [.init(first: 1, last: 1)], expiredEnvelopes: 1, first: Sample.now, last: Sample.now)
            ],
            incoming: [.init(source: "plant-b/agent", stream: "0b", delivered: 3, first: Sample.now, last: Sample.now)])
        let list = MessageList(
            messages: [
                .init(
                    id: "a-1", source: "plant-a/agent", topic: "t", key: MessageBytes([0xFF, 0, 7]),
                    value: MessageBytes("\u{1B}[2J"), time: Sample.now, received: Sample.now),
                .init(
                    id: "b", source: "x", key: MessageBytes([0xFF]), value: MessageBytes([0xFF, 0xFE]),
                    received: Sample.now),
            ], hasMore: true)
        let answers: [(String, AdminResponse)] = [
            ("status", .json(status: 200, status)), ("queues", .json(status: 200, queues)),
            ("topology", .json(status: 200, topology)), ("problem", .problem(status: 404, "no", hint: "yes")),
            ("sent", .json(status: 200, SendResult(stream: "ab", sequence: 7, records: 1, receipted: true))),
            ("list", .json(status: 200, list)), ("streams", .json(status: 200, streams)),
        ]
        return answers.map { ($0.0, EncodedResponse($0.1).body) }
    }()

    static let adminRequests = Target(
        "admin-requests", "requests to the admin socket of a relay and of an agent, and its mailbox", longest: 2048,
        seeds: {
            func request(_ node: UInt8, _ method: UInt8, _ path: UInt8, _ query: [(UInt8, String)] = []) -> [UInt8] {
                [node, method, path, UInt8(query.count)]
                    + query.flatMap { [$0.0, UInt8($0.1.utf8.count)] + Array($0.1.utf8) }
            }
            var front = ByteQueue()
            front.append(NodeID(of: Sample.peer).value)
            front.append(Sample.now.milliseconds)
            let message = Array(front.readable) + Sample.batch(3)
            let stranger = [UInt8](repeating: 7, count: 24) + Sample.batch(5)
            var seeds: [Seed] = []
            for path in Array(0..<6) + Array(11..<14) as [UInt8] {
                seeds.append(("relay-\(path)", request(0, 0, path)))
                seeds.append(("agent-\(path)", request(1, 0, path)))
            }
            return seeds + [
                ("list-topic", request(1, 0, 5, [(4, "1"), (1, "temperature")]) + [1] + message),
                ("list-stranger", request(1, 0, 5) + [1] + stranger),
                (
                    "list-all",
                    request(1, 0, 5, [(4, "1")]) + [2, UInt8(message.count & 0xFF), UInt8(message.count >> 8)] + message
                        + message
                ),
                ("remove", request(1, 2, 6) + [2, 1] + message), ("remove-none", request(1, 2, 7)),
                ("send", request(1, 1, 5, [(0, "plant-a/agent"), (1, "rows"), (2, "k")]) + [0, 1, 2, 3]),
                ("send-stranger", request(1, 1, 5, [(0, "plant-c/agent")])),
                ("send-nameless", request(1, 1, 5, [(0, "plant c")])), ("send-nobody", request(1, 1, 5)),
                ("send-topic", request(1, 1, 5, [(0, "plant-a/agent"), (1, String(repeating: "t", count: 250))])),
                ("list-unreadable", request(1, 0, 5) + [5]), ("remove-unreadable", request(1, 2, 6) + [2, 5]),
                ("stopping-agent", request(5, 0, 4)), ("stopping-relay", request(4, 0, 4)),
                ("stopping-send", request(5, 1, 5, [(0, "plant-a/agent")]) + [0, 1]),
                ("gone-agent", request(7, 0, 0)), ("gone-relay", request(6, 0, 0)), ("gone-list", request(7, 0, 5)),
                ("gone-remove", request(7, 2, 6)), ("gone-send", request(7, 1, 5, [(0, "plant-a/agent")])),
                ("zz-queues", request(1, 0, 2)), ("zz-status", request(1, 0, 0)),
                ("stored-list", request(0, 0, 9)),
                ("stored-list-to", request(0, 0, 9, [(0, "plant-b/*,a"), (7, "true")])),
                ("stored-list-agent", request(1, 0, 9)), ("stored-list-no", request(1, 0, 9, [(0, "a/b/c")])),
                ("stored-copies", request(0, 1, 10) + [0, 1, 0, 0, 0, 0, 0, 0, 0]),
                ("stored-copies-agent", request(1, 1, 10) + [0, 1, 0, 0, 0, 0, 0, 0, 0]),
                ("stored-copies-no", request(0, 1, 10) + [0, 1]), ("stored-agent", request(1, 1, 9) + [0]),
                ("stored-bring", request(0, 1, 9) + [0, 1] + HopFields().encoded + Sample.envelope(body: [1, 2])),
                (
                    "stored-bring-other",
                    request(0, 1, 9) + [0, 1] + HopFields().encoded
                        + Sample.envelope(to: NodeID(of: Sample.peer), body: [])
                ),
                (
                    "stored-bring-old",
                    request(0, 1, 9) + [0, 1] + HopFields(age: .max).encoded + Sample.envelope(body: [1])
                ),
                ("stored-bring-no", request(0, 1, 9) + [0, 2, 3]),
                ("stopping-bring", request(4, 1, 9) + [0, 1] + HopFields().encoded + Sample.envelope(body: [1])),
                ("stopping-copies", request(4, 1, 10) + [0, 1, 0, 0, 0, 0, 0, 0, 0]),
                ("stopping-copies-agent", request(5, 1, 10) + [0, 1, 0, 0, 0, 0, 0, 0, 0]),
                ("gone-stored", request(6, 0, 9)), ("gone-copies", request(6, 1, 10) + [0]),
                ("gone-stored-agent", request(7, 0, 9)), ("gone-bring-agent", request(7, 1, 9) + [0]),
                ("streams", request(1, 0, 14)), ("streams-since", request(1, 0, 14, [(8, "60")])),
                ("streams-since-no", request(1, 0, 14, [(8, "x")])), ("stream-none", request(1, 0, 15)),
                ("gone-stream-none", request(7, 0, 15)),
                ("stream", request(1, 0, 16)), ("gone-stream", request(7, 0, 16)), ("gone-streams", request(7, 0, 14)),
                ("wait", request(1, 1, 5, [(0, "plant-a/agent"), (3, "receipt"), (5, "1")]) + [0, 1]),
            ]
        },
        run: { input in
            var choices = Choices(input)
            tryRequest(&choices)
        })

    private static let methods = ["GET", "POST", "DELETE", "get", ""]
    private static let paths = [
        "/v1/status", "/v1/topology", "/v1/queues", "/healthz", "/readyz", "/v1/messages", "/v1/messages/",
        "/v1/messages/../../keys.grant", "", "/v1/stored", "/v1/stored/copies", "/v1/flows", "/v1/quarantine",
        "/metrics", "/v1/streams", "/v1/streams/0a", "/v1/streams/" + String(repeating: "0a", count: 16),
    ]
    private static let keys = ["to", "topic", "key", "wait", "limit", "timeout", "", "all", "since"]
    /// What is carried to the relay stays there, so there is an end to it.
    private static let carried = Atomic(300)
    /// Messages that wait for receipts which never come stay, so there is an end to them.
    private static let sends = Atomic(300)
    /// A second each.
    private static let waits = Atomic(1)

    /// Of a body that begins with 1 the rest is a name and an envelope of which the sums are right; nil: enough was carried.
    private static func parcel(_ body: [UInt8]) -> [UInt8]? {
        guard body.first == 1 else { return body }
        guard carried.subtract(1, ordering: .relaxed).newValue >= 0 else { return nil }
        var records = ByteQueue()
        records.append(CarriageRecord.name(Sample.peer))
        var envelope = Array(body.dropFirst(9))
        if envelope.count >= Header.size {
            envelope.replace(CRC32C.checksum(of: Array(envelope[..<100])), at: 100)
        }
        let hop = body.dropFirst().withUnsafeBytes { try? HopFields($0) } ?? HopFields()
        envelope.withUnsafeBytes { records.append(CarriageRecord.envelope(hop, $0)) }
        return Array(records.readable)
    }

    private static func tryRequest(_ choices: inout Choices) {
        let first = choices.byte()
        let isAgent = first % 2 == 1
        let nodes =
            switch first / 2 % 4 {
            case 2: AdminNodes.stopping
            case 3: AdminNodes.gone
            default: AdminNodes.shared
            }
        var request = AdminRequest(
            method: methods[choices.number(below: methods.count)], path: paths[choices.number(below: paths.count)])
        for _ in 0..<choices.number(below: 8) {
            let key = keys[choices.number(below: keys.count)]
            request.query[key] = String(decoding: choices.run(choices.number(below: 256)), as: UTF8.self)
        }
        if request.path.hasSuffix("/") { request.path += mailboxName(Int(choices.byte() % 4)) }
        let hasMessages = fillMailbox(nodes, &choices)
        request.body = choices.rest()
        if request.path == "/v1/stored", request.method == "POST" {
            guard let body = parcel(request.body) else { return }
            request.body = body
        }
        if request.query["to"] == AdminNodes.peer.description, request.method == "POST" {
            guard sends.subtract(1, ordering: .relaxed).newValue >= 0 else { return }
        }
        if request.query["wait"] == "receipt", request.query["to"] == AdminNodes.peer.description, isAgent {
            request.query["timeout"] = waits.subtract(1, ordering: .relaxed).newValue >= 0 ? "0" : nil
            if request.query["timeout"] == nil { request.query["wait"] = nil }
        }
        let response = isAgent ? nodes.agent(request) : nodes.relay(request)
        let encoded = EncodedResponse(response)
        require([200, 400, 404, 409, 503].contains(encoded.status), "an answer is one of those that are told of")
        require(
            encoded.status != 200 || !isAgent || request.path != "/v1/messages" || request.method != "POST"
                || request.query["to"] != nil,
            "a message has a destination")
        if encoded.status >= 400, encoded.contentType == "application/json" {
            require(decoded(Problem.self, encoded.body)?.error.isEmpty == false, "a refusal says why")
        }
        if request.method == "GET", request.path == "/v1/messages", isAgent, encoded.status == 200 {
            let list = decoded(MessageList.self, encoded.body)
            require(list != nil, "a list of messages can be read")
            require(
                request.query["topic"] != nil || list?.messages.isEmpty == !hasMessages, "what is there is listed")
        }
        require(access(nodes.grant, F_OK) == 0, "only messages are removed")
        let isGone = first / 2 % 4 == 3
        // What cannot be answered by anybody is refused without asking whether somebody is there.
        let isRefused =
            encoded.status == 400 || encoded.status == 409 && request.path == "/v1/stored"
            || encoded.status == 404 && request.path == "/v1/streams/0a"
        require(!isGone || encoded.status == 503 || isRefused, "who is gone answers nothing")
    }

    /// The name of a message's file; the last is that of none.
    private static func mailboxName(_ number: Int) -> String {
        number == 3 ? "strange" : "\(StreamID(Bytes16(low: UInt64(number), high: 1)))-0000000000000000000\(number)"
    }

    /// A message's file that is written again is the same.
    /// - Returns: whether it holds a message.
    private static func tryMailboxFile(_ bytes: [UInt8]) -> Bool {
        guard let file = MailboxFile(bytes) else { return false }
        let delivery = Delivery(
            source: file.front.source, stream: Sample.stream, sequence: Sequence(1), batch: file.reader.bytes)
        require(MailboxFile.encode(delivery, received: file.front.received) == bytes, "a file is read as written")
        var reader = file.reader
        return (try? reader.next()) != nil
    }

    /// Puts files into the mailbox as the input wants them: as many as its first byte says, the last with the rest of
    /// the input in it.
    /// - Returns: whether there is a message among them.
    private static func fillMailbox(_ nodes: AdminNodes, _ choices: inout Choices) -> Bool {
        let directory = nodes.messages
        for number in 0..<4 {
            unlink(directory + "/" + mailboxName(number))
            rmdir(directory + "/" + mailboxName(number))
        }
        let count = choices.number(below: 6)
        guard count > 0 else { return false }
        var hasMessages = false
        do throws(FileError) {
            try Files.createDirectory(directory)
            // A directory where a message should be cannot be read.
            if count == 5 { try Files.createDirectory(directory + "/" + mailboxName(2)) }
            for number in 0..<count % 5 {
                let bytes = number == count - 1 ? choices.rest() : choices.run(choices.short() % 1024)
                if tryMailboxFile(bytes), number != 3 { hasMessages = true }
                try Files.replace(directory + "/" + mailboxName(number), with: bytes)
            }
        } catch {
            require(false, "the test's own files can be written: \(error)")
        }
        return hasMessages
    }
}
