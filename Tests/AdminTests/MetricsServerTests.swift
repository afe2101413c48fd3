import Admin
import Glibc
import Node
import Testing

/// Figures on a port of the loopback: for whoever asks, and nothing else.
struct MetricsServerTests {
    private static let handler: @Sendable (AdminRequest) -> AdminResponse = {
        .text(status: 200, contentType: "text/plain", "answer to \($0.method) \($0.path)\n")
    }

    /// A configuration with a free port. Between the look and the use somebody else could take it; the system gives
    /// ports out in turn.
    private func configuration(_ directory: TemporaryDirectory, host: String = "127.0.0.1") throws -> NodeConfiguration
    {
        let text = """
            {node: a/r, role: relay, identity: {certificate: c, key: k, authority: a}, store: {directory: s},
             admin: {socket: \(directory.socket)}, metrics: {listen: {host: "\(host)", port: \(try freePort())}}}
            """
        return try NodeConfiguration.decode(Array(text.utf8), file: "node.yaml", environment: YAMLEnvironment([:]))
    }

    private func withLoopback<Result>(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        try #require(withLoopback(0) { bind(descriptor, $0, $1) } == 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        try #require(result == 0)
        return UInt16(bigEndian: address.sin_port)
    }

    /// - Returns: the whole answer; nil where nobody listens.
    private func ask(_ request: String, _ port: UInt16) throws -> String? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        guard withLoopback(port, { connect(descriptor, $0, $1) }) == 0 else { return nil }
        let sent = "\(request) HTTP/1.0\r\n\r\n"
        try #require(write(descriptor, sent, sent.utf8.count) == sent.utf8.count)
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += buffer[..<count]
        }
    }

    @Test func aPortAnswersForFiguresAndHealthAlone() throws {
        let directory = try TemporaryDirectory()
        let configuration = try configuration(directory)
        let port = try #require(configuration.metrics?.port)
        let server = Server()
        try server.start(configuration, handler: Self.handler)
        for path in ["/metrics", "/healthz", "/readyz"] {
            #expect(try ask("GET \(path)", port)?.hasSuffix("answer to GET \(path)\n") == true)
        }
        for request in ["GET /v1/status", "GET /v1/messages", "POST /metrics", "DELETE /v1/messages/1", "GET /"] {
            let answer = try ask(request, port)
            #expect(answer?.contains(" 404 ") == true && answer?.contains("answer to") == false, "\(request)")
        }
        let whole = try Client(socket: directory.socket).answer(to: AdminRequest(method: "GET", path: "/v1/status"))
        #expect(String(decoding: whole, as: UTF8.self) == "answer to GET /v1/status\n")
        server.stop()
        #expect(try ask("GET /metrics", port) == nil)
        #expect(access(directory.socket, F_OK) != 0)
    }

    @Test func aPortThatIsTakenIsToldAndNothingIsServed() throws {
        let (one, two) = (try TemporaryDirectory(), try TemporaryDirectory())
        let first = try configuration(one)
        var second = try configuration(two)
        second.metrics = first.metrics
        let (server, other) = (Server(), Server())
        try server.start(first, handler: Self.handler)
        defer { server.stop() }
        let address = try #require(first.metrics)
        #expect(throws: ServerError.system(call: "bind", path: "\(address)", reason: "Address already in use")) {
            try other.start(second, handler: Self.handler)
        }
        #expect(access(two.socket, F_OK) != 0)
    }

    @Test func theLongAddressOfTheLoopbackServesToo() throws {
        let directory = try TemporaryDirectory()
        let server = Server()
        try server.start(try configuration(directory, host: "::1"), handler: Self.handler)
        server.stop()
    }
}
