import FoundationEssentials
import Glibc
import Platform
import Synchronization

@testable import Admin
@testable import Node

/// An admin socket of this process, with a handler that keeps what it was asked and answers what it is told to.
///
/// It lives as long as the process, and so does its directory.
final class AdminServer: Sendable {
    static let shared = AdminServer()

    private let server = Server()
    private let socket: String
    private let state: Conversation

    private final class Conversation: Sendable {
        let asked = Mutex<[AdminRequest]>([])
        let answer = Mutex<AdminResponse>(.bytes(status: 200, []))
    }

    private init() {
        do {
            let state = Conversation()
            socket = try ProcessDirectory.make("socket") + "/admin.sock"
            self.state = state
            try server.start(socket: socket) { request in
                state.asked.withLock { $0.append(request) }
                return state.answer.withLock { $0 }
            }
        } catch {
            fatalError("an admin socket can be had: \(error)")
        }
    }

    private func takeAsked() -> [AdminRequest] {
        state.asked.withLock { asked in
            defer { asked = [] }
            return asked
        }
    }

    // MARK: A stranger

    /// Hears what a stranger writes who then says no more. It is answered with HTTP or not at all.
    func hear(_ bytes: [UInt8]) {
        state.answer.withLock { $0 = .bytes(status: 200, [1, 2, 3]) }
        _ = takeAsked()
        let answer = exchange(bytes)
        let asked = takeAsked()
        require(answer.isEmpty || answer.starts(with: Array("HTTP/1.".utf8)), "an answer is HTTP")
        require(asked.isEmpty || !answer.isEmpty, "what was asked is answered")
        for request in asked {
            require(request.body.count <= bytes.count, "a body is what was sent")
            require(!request.method.isEmpty && !request.path.utf8.contains(0), "a request has a method")
        }
    }

    private func exchange(_ bytes: [UInt8], then more: [UInt8] = [], times: Int = 0) -> [UInt8] {
        guard let path = try? SocketPath(socket) else { return [] }
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        require(path.withAddress { connect(descriptor, $0, $1) } == 0, "the socket is open to others still")
        defer { close(descriptor) }
        say(bytes, on: descriptor)
        for _ in 0..<times { say(more, on: descriptor) }
        shutdown(descriptor, Int32(SHUT_WR))
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while case let count = read(descriptor, &piece, piece.count), count > 0 { answer += piece[..<count] }
        return answer
    }

    /// It may be thrown out before it has said all.
    private func say(_ bytes: [UInt8], on descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    /// More of a body than anybody may send, in pieces whose sum nobody has announced.
    func flood() {
        let piece = Array("100000\r\n".utf8) + [UInt8](repeating: 7, count: 1 << 20) + Array("\r\n".utf8)
        let head = Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        let pieces = 2 * Server.Bounds.bodyBytes >> 20 + 4
        _ = takeAsked()
        _ = exchange(head, then: piece, times: pieces)
        require(takeAsked().isEmpty, "what is too long is not asked")
    }

    // MARK: A friend

    /// Sends a request made of the choices by our own client.
    func carry(_ choices: inout Choices) {
        let method = ["GET", "POST", "DELETE", "PUT"][choices.number(below: 4)]
        var request = AdminRequest(method: method, path: "/" + Self.text(&choices))
        for _ in 0..<choices.number(below: 4) {
            let key = Self.text(&choices)
            request.query[key] = Self.text(&choices)
        }
        // The client sends no body with the others, as they have none in this API.
        if ["POST", "PUT"].contains(method) { request.body = choices.rest() }
        state.answer.withLock { $0 = .bytes(status: 200, [4, 5]) }
        _ = takeAsked()
        do throws(ClientError) {
            let answer = try Client(socket: socket, timeout: .seconds(4)).answer(to: request)
            require(answer == [4, 5], "an answer arrives as it was given")
        } catch {
            return require(false, "a request is answered: \(error)")
        }
        let asked = takeAsked()
        require(asked.count == 1, "a request is asked once")
        guard let arrived = asked.first else { return }
        require(
            arrived.method == request.method && arrived.path == request.path && arrived.query == request.query
                && arrived.body == request.body, "a request arrives as it was sent: \(request), not \(arrived)")
    }

    /// Without zero bytes: the library hands names and values over as C strings.
    private static func text(_ choices: inout Choices) -> String {
        String(decoding: choices.run(choices.number(below: 64)).filter { $0 != 0 }, as: UTF8.self)
    }

    // MARK: An answer

    /// Answers the client's own questions with anything.
    func answerWith(_ choices: inout Choices) {
        let status = 200 + choices.short() % 400
        let body = choices.rest()
        state.answer.withLock { $0 = .bytes(status: status, body) }
        let client = Client(socket: socket, timeout: .seconds(4))
        do throws(ClientError) {
            let answer = try client.answer(to: AdminRequest(method: "GET", path: "/"))
            require(
                status < 400 && (answer == body || [204, 304].contains(status)), "an answer arrives as it was given")
        } catch {
            Self.check(error, status: status)
        }
        do throws(ClientError) { _ = try client.status() } catch { Self.check(error, status: status) }
        do throws(ClientError) { _ = try client.topology() } catch { Self.check(error, status: status) }
        do throws(ClientError) { _ = try client.queues() } catch { Self.check(error, status: status) }
        do throws(ClientError) { _ = try client.messages(topic: "t", limit: 1) } catch {
            Self.check(error, status: status)
        }
        do throws(ClientError) { try client.deleteMessage("a") } catch { Self.check(error, status: status) }
        do throws(ClientError) {
            _ = try client.send(body, to: "plant-b/agent", topic: "t", key: "k", receiptWithin: .seconds(1))
        } catch {
            Self.check(error, status: status)
        }
    }

    // MARK: Something else

    /// Asks where nobody is, or somebody who is not of ours and says anything.
    func meetStranger(_ choices: inout Choices) {
        let strange = socket + ".strange"
        unlink(strange)
        defer { unlink(strange) }
        switch choices.byte() % 6 {
        case 4: meetSilence(at: strange, isCrowded: false)
        case 5: meetSilence(at: strange, isCrowded: true)
        case 0: expectFailure(at: strange)
        case 1:
            close(open(strange, O_CREAT | O_WRONLY, 0o600))
            expectFailure(at: strange)
        case 2: expectFailure(at: socket + String(repeating: "x", count: 200))
        default: converse(choices.rest(), at: strange)
        }
    }

    private func expectFailure(at path: String) {
        do throws(ClientError) {
            _ = try Client(socket: path, timeout: .seconds(4)).status()
            require(false, "nobody answers where nobody is")
        } catch {
            Self.check(error, status: 0)
        }
    }

    /// Somebody listens and says nothing, or has so many waiting that no more are let in.
    private func meetSilence(at path: String, isCrowded: Bool) {
        guard let address = try? SocketPath(path) else { return require(false, "the path is short") }
        let listening = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let isBound = address.withAddress { bind(listening, $0, $1) } == 0 && listen(listening, 0) == 0
        require(isBound, "a stranger has a socket")
        var crowd: [Int32] = []
        while isCrowded {
            let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            crowd.append(descriptor)
            if address.withAddress({ connect(descriptor, $0, $1) }) != 0 { break }
        }
        do throws(ClientError) {
            _ = try Client(socket: path, timeout: .milliseconds(20)).status()
            require(false, "nobody answers where nobody speaks")
        } catch {
            Self.check(error, status: 0)
            if !isCrowded { require(error.description.contains("within"), "a time-out is told as one: \(error)") }
        }
        for descriptor in crowd + [listening] { close(descriptor) }
    }

    private func converse(_ bytes: [UInt8], at path: String) {
        guard let address = try? SocketPath(path) else { return require(false, "the path is short") }
        let listening = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let isBound = address.withAddress { bind(listening, $0, $1) } == 0 && listen(listening, 1) == 0
        require(isBound, "a stranger has a socket")
        let stranger = try? Threads.start(name: "stranger") {
            let descriptor = accept(listening, nil, nil)
            var piece = [UInt8](repeating: 0, count: 4096)
            _ = read(descriptor, &piece, piece.count)
            _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            close(descriptor)
        }
        do throws(ClientError) { _ = try Client(socket: path, timeout: .seconds(4)).status() } catch {
            require(!error.description.isEmpty && error.hint != "", "an error says something")
        }
        stranger?.join()
        close(listening)
    }

    private static func check(_ error: ClientError, status: Int) {
        require(!error.description.isEmpty && error.hint != "", "an error says something")
        if case .refused(let told, _) = error { require(told == status && status >= 400, "a refusal has its status") }
    }
}

/// What a report says, where the bytes are one.
func decoded<Report: Decodable>(_ type: Report.Type, _ bytes: [UInt8]) -> Report? {
    try? JSONDecoder().decode(type, from: Data(bytes))
}

/// A report that was read is the same when written and read again.
func tryReport<Report: Codable & Equatable & Sendable>(_ type: Report.Type, _ bytes: [UInt8]) {
    guard let report = decoded(type, bytes) else { return }
    let response = EncodedResponse(.json(status: 200, report))
    require(response.status == 200 && decoded(type, response.body) == report, "a report is read as written: \(report)")
}
