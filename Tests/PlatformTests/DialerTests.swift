import Crypto
import Envelope
import Glibc
import Testing

@testable import Platform

struct DialerTests {
    /// Dials and gives the reason why it came to nothing.
    private func failure(
        host: String = "127.0.0.1", port: UInt16, timeout: Duration = .seconds(30), via proxy: ProxyAddress? = nil,
        handshakeTimeout: Duration = .seconds(30)
    ) throws -> CloseReason? {
        let player = Player()
        try play { reactor in
            player.opened = { _ in Issue.record("opened") }
            player.closed = { _, _ in reactor.stop() }
            _ = Dialer(reactor).dial(
                host: host, port: port, context: Identities.agent, timeout: timeout,
                handshakeTimeout: handshakeTimeout, via: proxy, owner: player)
            // Never from within the call that dialled.
            #expect(player.reasons.isEmpty)
        }
        #expect(player.reasons.count == 1)
        return player.reasons.first
    }

    /// A port on which nobody listens, as far as anyone can know.
    private func freePort() throws -> UInt16 {
        let (descriptor, address) = try ListeningSocket.open(host: "127.0.0.1", port: 0)
        close(descriptor)
        return address.port
    }

    @Test func aPortNobodyListensOnIsUnreachable() throws {
        let port = try freePort()
        #expect(try failure(port: port) == .unreachable("127.0.0.1:\(port): Connection refused"))
    }

    @Test(arguments: ["no.such.host.invalid", "not a name", ""])
    func aNameWithoutAddressIsUnresolved(host: String) throws {
        let reason = try failure(host: host, port: 1)
        switch reason {
        case .unresolved(let text): #expect(text.hasPrefix(host))
        // An empty name stands for this machine.
        case .unreachable where host.isEmpty: break
        default: Issue.record("\(String(describing: reason))")
        }
    }

    @Test func aListenerThatNeverAnswersTimesOutInTheHandshake() throws {
        let (descriptor, address) = try ListeningSocket.open(host: "127.0.0.1", port: 0)
        defer { close(descriptor) }
        #expect(try failure(port: address.port, handshakeTimeout: .milliseconds(50)) == .handshakeTimedOut)
    }

    @Test func aProxyThatNeverAnswersTimesOut() throws {
        let (descriptor, address) = try ListeningSocket.open(host: "127.0.0.1", port: 0)
        defer { close(descriptor) }
        let proxy = ProxyAddress(host: "127.0.0.1", port: address.port)
        #expect(try failure(host: "far", port: 1, timeout: .milliseconds(50), via: proxy) == .dialTimedOut)
    }

    @Test func closingCancelsAtAnyStage() throws {
        try play { reactor in
            let listener = try reactor.listen { _ in }
            let player = Player()
            var channels: [Channel] = []
            for host in ["localhost", "127.0.0.1", "no.such.host.invalid"] {
                for _ in 0..<5 {
                    channels.append(
                        Dialer(reactor).dial(
                            host: host, port: listener.port, context: Identities.agent, owner: player))
                }
            }
            player.closed = { _, _ in if player.reasons.count == channels.count { reactor.stop() } }
            channels[0].close()
            var next = 1
            reactor.afterEveryTurn {
                guard next < channels.count else { return }
                channels[next].close()
                next += 1
                reactor.afterTurn {}
            }
            reactor.afterTurn {}
        }
    }

    @Test func comesThroughAProxy() throws {
        var heard = ""
        try play { reactor in
            let server = Player()
            server.readable = { channel in
                heard = String(decoding: channel.readAll(), as: UTF8.self)
                reactor.stop()
            }
            let listener = try reactor.listen { $0.owner = server }
            let proxy = try TestProxy(reactor, answer: "HTTP/1.1 200 Connection established\r\n\r\n")
            let client = Player()
            client.opened = { $0.say("through the proxy") }
            client.closed = { _, reason in if reason != .shutDown { Issue.record("\(reason)") } }
            _ = Dialer(reactor).dial(
                host: "127.0.0.1", port: listener.port, context: Identities.agent,
                via: ProxyAddress(host: "localhost", port: proxy.port, credentials: .init(user: "u", password: "p")),
                owner: client)
            reactor.afterEveryTurn { proxy.connectIfAsked(to: listener.port) }
        }
        #expect(heard == "through the proxy")
    }

    @Test(arguments: [
        ("HTTP/1.1 407 Who are you\r\n\r\n", "it asks for a user and a password (407)"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "status 403"), ("nonsense\r\n\r\n", "its answer is no HTTP answer"),
        ("", "it closed the connection"),
    ])
    func aProxyThatRefusesIsReported(answer: String, text: String) throws {
        let player = Player()
        try play { reactor in
            let proxy = try TestProxy(reactor, answer: answer)
            player.closed = { _, _ in
                withExtendedLifetime(proxy) {}
                reactor.stop()
            }
            _ = Dialer(reactor).dial(
                host: "relay.example", port: 4433, context: Identities.agent,
                via: ProxyAddress(host: "127.0.0.1", port: proxy.port), owner: player)
        }
        #expect(player.reasons == [.proxyRefused(text)])
    }

    @Test func reconnectsUntilItHolds() throws {
        var sessions = 0
        try play { reactor in
            let server = Player()
            let listener = try reactor.listen(
                limits: AdmissionLimits(handshakeTimeout: .seconds(30), handshakesPerSource: 100)
            ) { channel in
                channel.owner = server
                sessions += 1
                if sessions < 30 { sessions.isMultiple(of: 2) ? channel.abort() : channel.close() }
            }
            var backoff = Backoff(shortest: .milliseconds(1), longest: .milliseconds(2))
            let client = Player()
            client.closed = { _, _ in
                let delay = backoff.next(random: Entropy.word())
                reactor.schedule(after: delay) { reactor.dial(listener.port, client) }
                // The closed channel's owner hears nothing more of it.
            }
            client.readable = { channel in
                _ = channel.readAll()
                if sessions == 30, channel.isOpen { reactor.stop() }
            }
            reactor.dial(listener.port, client)
        }
        #expect(sessions == 30)
    }
}
