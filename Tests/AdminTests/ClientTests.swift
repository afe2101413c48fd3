import Admin
import Envelope
import Glibc
import Node
import Testing

@Suite struct ClientTests {
    @Test func aSilentNodeTimesOut() throws {
        let directory = try TemporaryDirectory()
        let silent = try RawSocket.bind(directory.socket, listens: true)
        defer { close(silent) }
        let client = Client(socket: directory.socket, timeout: .milliseconds(50))
        #expect(throws: ClientError.timeout(directory.socket, after: .milliseconds(50))) { try client.status() }
    }

    @Test func permissionDenied() throws {
        let running = try RunningServer { .notFound($0) }
        chmod(running.directory.socket, 0)
        // Root may do anything, so there the call is simply refused by the handler.
        let expected: (ClientError) -> Bool =
            geteuid() == 0
            ? { if case .refused(404, _) = $0 { true } else { false } }
            : { $0 == .permissionDenied(running.directory.socket) }
        #expect { try running.client.status() } throws: { error in (error as? ClientError).map(expected) ?? false }
    }

    @Test func somethingElseOnTheSocket() throws {
        let directory = try TemporaryDirectory()
        for answer in ["220 mail ready\r\n", "", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"] {
            let listening = try RawSocket.bind(directory.socket, listens: true)
            let client = Client(socket: directory.socket)
            let failure = Background { () -> ClientError? in
                do throws(ClientError) {
                    _ = try client.status()
                    return nil
                } catch {
                    return error
                }
            }
            let peer = accept(listening, nil, nil)
            var request = [UInt8](repeating: 0, count: 4096)
            _ = request.withUnsafeMutableBytes { read(peer, $0.baseAddress, $0.count) }
            _ = Array(answer.utf8).withUnsafeBytes { write(peer, $0.baseAddress, $0.count) }
            close(peer)
            let error = try failure.join()
            switch error {
            case .broken, .badAnswer: break
            default: Issue.record("\(answer): \(String(describing: error))")
            }
            close(listening)
            unlink(directory.socket)
        }
    }

    @Test(arguments: ["", "{", "[]", "{\"schema\":1}", "null", "\u{0}"])
    func whatIsNoReportIsRefused(_ body: String) throws {
        let running = try RunningServer { _ in .text(status: 200, contentType: "application/json", body) }
        let reason = "its answer to /v1/queues is not a QueueReport in JSON"
        #expect(throws: ClientError.badAnswer(running.directory.socket, reason: reason)) { try running.client.queues() }
    }

    @Test func errorsWithoutAProblemAreShown() throws {
        let running = try RunningServer { _ in .text(status: 502, contentType: "text/html", "<b>no</b>") }
        let problem = Problem(error: "the node answered with status 502: <b>no</b>")
        #expect(throws: ClientError.refused(status: 502, problem)) { try running.client.queues() }
    }

    @Test func everyErrorHasAHint() {
        let errors: [ClientError] = [
            .pathTooLong("x"), .noSocket("x"), .notListening("x"), .permissionDenied("x"),
            .timeout("x", after: .seconds(1)), .broken("x", reason: "y"), .badAnswer("x", reason: "y"),
        ]
        #expect(errors.allSatisfy { $0.hint != nil && $0.description.contains("x") })
    }
}
