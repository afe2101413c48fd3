import Admin
import Envelope
import Glibc
import Node
import Synchronization
import Testing

@Suite struct ServerTests {
    @Test func answersWithWhatTheHandlerSees() throws {
        let running = try RunningServer { request in
            let query = request.query.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            let body = String(decoding: request.body, as: UTF8.self)
            return .text(
                status: 200, contentType: "text/plain",
                "\(request.method) \(request.path) \(query.joined(separator: ",")) \(body)")
        }
        let request = AdminRequest(
            method: "POST", path: "/v1/a b/ü", query: ["to": "plant-b/agent", "key": "50 % & more=x"], body: [104, 105])
        let answer = try running.client.answer(to: request)
        #expect(String(decoding: answer, as: UTF8.self) == "POST /v1/a b/ü key=50 % & more=x,to=plant-b/agent hi")
    }

    @Test(arguments: ["/v1/messages/..", "/v1/messages/../status", "/./v1//status", "/v1/messages/."])
    func aPathWithDotsIsNotShortened(path: String) throws {
        let running = try RunningServer { .text(status: 200, contentType: "text/plain", $0.path) }
        let answer = try running.client.answer(to: AdminRequest(method: "DELETE", path: path))
        #expect(String(decoding: answer, as: UTF8.self) == path)
    }

    @Test func everyReportComesBackAsItWas() throws {
        let status = Samples.status
        let topology = Samples.topology
        let queues = QueueReport(
            node: "dmz/relay", asOf: Samples.now,
            queues: [.init(destination: "plant-b/agent", lane: "live", envelopes: 2, bytes: 9, state: .parked)])
        let running = try RunningServer { request in
            switch request.path {
            case "/v1/status": .json(status: 200, status)
            case "/v1/topology": .json(status: 200, topology)
            case "/v1/queues": .json(status: 200, queues)
            default: .notFound(request, known: ["/v1/status"])
            }
        }
        #expect(try running.client.status() == status)
        #expect(try running.client.topology() == topology)
        #expect(try running.client.queues() == queues)
        let expected = ClientError.refused(
            status: 404, Problem(error: "this node has no DELETE /v1/messages/7", hint: "it has: /v1/status"))
        #expect(throws: expected) { try running.client.deleteMessage("7") }
    }

    @Test func messagesGoAndCome() throws {
        let running = try RunningServer { request in
            guard request.method == "POST" else {
                let message = MessageList.Message(
                    id: "1", source: "plant-a/agent", topic: request.query["topic"], key: MessageBytes("k"),
                    value: MessageBytes([0xFF, 0]), received: Samples.now)
                return .json(status: 200, MessageList(messages: [message], hasMore: request.query["limit"] == "5"))
            }
            guard request.query == ["to": "b/c", "topic": "t", "wait": "receipt", "timeout": "3"] else {
                return .problem(status: 400, "\(request.query)")
            }
            return .json(
                status: 200, SendResult(stream: "ab", sequence: 7, records: request.body.count, receipted: true))
        }
        let result = try running.client.send([1, 2], to: "b/c", topic: "t", receiptWithin: .seconds(3))
        #expect(result == SendResult(stream: "ab", sequence: 7, records: 2, receipted: true))
        let list = try running.client.messages(topic: "x y", limit: 5)
        #expect(list.messages.first?.topic == "x y")
        #expect(list.messages.first?.value.bytes == [0xFF, 0])
        #expect(list.hasMore)
    }

    @Test func handlersRunOnOtherThreadsAtOnce() throws {
        // Each handler waits until all eight are in: they would never end one after the other.
        let gate = Gate(count: 8)
        let running = try RunningServer { request in
            gate.arriveAndWait()
            return .text(status: 200, contentType: "text/plain", request.query["n"] ?? "")
        }
        let client = running.client
        let calls = (0..<8).map { number in
            Background {
                try client.answer(to: AdminRequest(method: "GET", path: "/", query: ["n": String(number)]))
            }
        }
        for (number, call) in calls.enumerated() { #expect(try call.join() == Array(String(number).utf8)) }
    }

    @Test func stopWaitsForHandlers() throws {
        let entered = Gate(count: 2)
        let finished = Mutex(false)
        let running = try RunningServer { _ in
            entered.arriveAndWait()
            finished.withLock { $0 = true }
            return .text(status: 200, contentType: "text/plain", "done")
        }
        let client = running.client
        let call = Background { try? client.answer(to: AdminRequest(method: "GET", path: "/")) }
        entered.arriveAndWait()
        running.server.stop()
        #expect(finished.withLock { $0 })
        // The answer may or may not have gone out before the stop.
        _ = try call.join()
        #expect(throws: ClientError.noSocket(running.directory.socket)) { try client.status() }
    }

    @Test func socketIsForTheOwnerOnly() throws {
        let running = try RunningServer { _ in .text(status: 200, contentType: "text/plain", "") }
        var status = stat()
        #expect(lstat(running.directory.socket, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        running.server.stop()
        #expect(lstat(running.directory.socket, &status) != 0)
    }

    @Test func startsAgainAfterStop() throws {
        let running = try RunningServer { _ in .text(status: 200, contentType: "text/plain", "first") }
        #expect(throws: ServerError.alreadyStarted) {
            try running.server.start(socket: running.directory.socket) { .notFound($0) }
        }
        running.server.stop()
        running.server.stop()
        try running.server.start(socket: running.directory.socket) { _ in
            .text(status: 200, contentType: "text/plain", "second")
        }
        let answer = try running.client.answer(to: AdminRequest(method: "GET", path: "/"))
        #expect(answer == Array("second".utf8))
    }

    @Test func aNumberJSONCannotWriteIsTheServersFault() throws {
        let running = try RunningServer { _ in .json(status: 200, Double.nan) }
        let problem = Problem(error: "the answer cannot be written as JSON", hint: "report this as a fault")
        #expect(throws: ClientError.refused(status: 500, problem)) { try running.client.status() }
    }
}
