import Admin
import Envelope
import Glibc
import Node
import Synchronization
import Testing

@Suite struct HostileTests {
    /// Writes bytes to a socket and reads until the other end closes; half-closes its own first.
    private func exchange(_ bytes: [UInt8], with socket: String) throws -> [UInt8] {
        let descriptor = try RawSocket.connect(socket)
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { break }
            rest = rest.dropFirst(count)
        }
        shutdown(descriptor, Int32(SHUT_WR))
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return answer }
            answer += chunk.prefix(count)
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func garbageIsRefusedAndOthersGoOn() throws {
        let running = try RunningServer { _ in .text(status: 200, contentType: "text/plain", "fine") }
        let samples: [[UInt8]] = [
            [], [0], Array(repeating: 0xFF, count: 100_000), Array("\r\n\r\n\r\n".utf8),
            Array("GET".utf8), Array("GET / HTTP/9.9\r\n\r\n".utf8),
            Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n".utf8),
            Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n".utf8),
            Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".utf8),
            Array("GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\nHost: a\r\n\r\n".utf8),
        ]
        for sample in samples {
            let answer = text(try exchange(sample, with: running.directory.socket))
            #expect(!answer.hasPrefix("HTTP/1.1 200"), "\(sample.prefix(40))")
            let good = try running.client.answer(to: AdminRequest(method: "GET", path: "/"))
            #expect(text(good) == "fine")
        }
    }

    @Test func everyPrefixOfARequestIsHarmless() throws {
        let calls = Mutex(0)
        let running = try RunningServer { _ in
            calls.withLock { $0 += 1 }
            return .text(status: 200, contentType: "text/plain", "")
        }
        let request = Array("POST /v1/messages?to=a%2Fb HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".utf8)
        for length in request.indices {
            _ = try exchange(Array(request.prefix(length)), with: running.directory.socket)
        }
        #expect(calls.withLock { $0 } == 0)
        #expect(text(try exchange(request, with: running.directory.socket)).hasPrefix("HTTP/1.1 200"))
        #expect(calls.withLock { $0 } == 1)
    }

    @Test func bodiesUpToTheLimitComeWhole() throws {
        let running = try RunningServer { request in
            .text(status: 200, contentType: "text/plain", "\(request.body.count)")
        }
        for count in [0, 1, Server.Bounds.bodyBytes] {
            let request = AdminRequest(method: "POST", path: "/", body: Array(repeating: 7, count: count))
            #expect(text(try running.client.answer(to: request)) == "\(count)")
        }
    }

    @Test func bodiesOverTheLimitAreRefusedBeforeTheyAreSent() throws {
        let calls = Mutex(0)
        let running = try RunningServer { _ in
            calls.withLock { $0 += 1 }
            return .text(status: 200, contentType: "text/plain", "")
        }
        let body = Array(repeating: UInt8(7), count: Server.Bounds.bodyBytes + 1)
        let problem = Problem(
            error: "the body is larger than 17 MiB",
            hint: "send it in smaller parts, or let the agent collect it as a file")
        #expect(throws: ClientError.refused(status: 413, problem)) {
            try running.client.answer(to: AdminRequest(method: "POST", path: "/", body: body))
        }
        #expect(calls.withLock { $0 } == 0)
    }

    @Test func unannouncedBodiesOverTheLimitAreRefusedToo() throws {
        let calls = Mutex(0)
        let running = try RunningServer { _ in
            calls.withLock { $0 += 1 }
            return .text(status: 200, contentType: "text/plain", "")
        }
        let size = 1 << 20
        let chunk = Array("100000\r\n".utf8) + Array(repeating: 7, count: size) + Array("\r\n".utf8)
        let head = Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        let over = head + (0..<18).flatMap { _ in chunk } + Array("0\r\n\r\n".utf8)
        #expect(text(try exchange(over, with: running.directory.socket)).hasPrefix("HTTP/1.1 413"))
        // One that never ends is cut off instead of read for ever.
        let endless = head + (0..<40).flatMap { _ in chunk }
        #expect(!text(try exchange(endless, with: running.directory.socket)).hasPrefix("HTTP/1.1 200"))
        #expect(calls.withLock { $0 } == 0)
    }
}

enum RawSocket {
    static func address(_ path: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return address
    }

    private static func make() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        return descriptor
    }

    static func connect(_ path: String) throws -> Int32 {
        let descriptor = try make()
        var address = address(path)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        return descriptor
    }

    /// Binds without listening, or listening.
    static func bind(_ path: String, listens: Bool) throws -> Int32 {
        let descriptor = try make()
        var address = address(path)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        if listens { try #require(listen(descriptor, 4) == 0) }
        return descriptor
    }
}
