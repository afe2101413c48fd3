import CUV
import Envelope
import Glibc
import Testing

@testable import Platform

/// A proxy for one connection: reads the request, gives its answer, and passes bytes both ways.
final class TestProxy: PollerOwner {
    let port: UInt16
    private(set) var request: [UInt8] = []
    private let reactor: Reactor
    private let answer: String
    private let listening: Int32
    private var poller: Poller?
    private var near: Int32 = -1
    private var far: Int32 = -1
    private var watchers: [Relay] = []

    init(_ reactor: Reactor, answer: String) throws {
        let (descriptor, address) = try ListeningSocket.open(host: "127.0.0.1", port: 0)
        listening = descriptor
        port = address.port
        self.reactor = reactor
        self.answer = answer
        poller = try Poller(reactor, descriptor: descriptor, owner: self)
        poller?.watch(.readable)
    }

    deinit {
        for watcher in watchers { watcher.poller?.close() }
        poller?.close()
        for descriptor in [listening, near, far] where descriptor >= 0 { close(descriptor) }
    }

    func pollerReady(readable: Bool, writable: Bool, failed: Bool) {
        poller?.close()
        near = SocketAddress.withStorage { cuv_accept(listening, $0, $1) }.status
        // The answer goes once a request is there; the test's own messages are small, so plain calls do.
        let watcher = Relay(near) { [unowned self] in takeRequest($0) }
        watchers.append(watcher)
        watcher.start(reactor)
    }

    private func takeRequest(_ bytes: [UInt8]) {
        guard far < 0 else {
            _ = send(far, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            return
        }
        request += bytes
        guard request.suffix(4) == [13, 10, 13, 10], answer.isEmpty || !answer.contains("200") else { return }
        _ = send(near, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
        shutdown(near, Int32(SHUT_WR))
    }

    func connectIfAsked(to port: UInt16) {
        guard far < 0, request.suffix(4) == [13, 10, 13, 10] else { return }
        let text = String(decoding: request, as: UTF8.self)
        #expect(text.hasPrefix("CONNECT 127.0.0.1:\(port) HTTP/1.1\r\n"))
        #expect(text.contains("\r\nProxy-Authorization: Basic dTpw\r\n"))
        guard let stranger = try? Stranger(port: port) else {
            Issue.record("the proxy cannot connect")
            return
        }
        far = dup(stranger.descriptor)
        let watcher = Relay(far) { [unowned self] in _ = send(near, $0, $0.count, Int32(MSG_NOSIGNAL)) }
        watchers.append(watcher)
        watcher.start(reactor)
        _ = send(near, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
    }

    /// Hands on what a descriptor brings.
    private final class Relay: PollerOwner {
        var poller: Poller?
        private let descriptor: Int32
        private let take: ([UInt8]) -> Void

        init(_ descriptor: Int32, _ take: @escaping ([UInt8]) -> Void) {
            self.descriptor = descriptor
            self.take = take
        }

        func start(_ reactor: Reactor) {
            poller = try? Poller(reactor, descriptor: descriptor, owner: self)
            poller?.watch(.readable)
        }

        func pollerReady(readable: Bool, writable: Bool, failed: Bool) {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count > 0 { take(Array(bytes.prefix(count))) } else { poller?.close() }
        }
    }
}
