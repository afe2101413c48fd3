import Crypto
import Envelope
import Glibc
import Testing

@testable import Platform

struct ListenerTests {
    /// Plays a scene in which somebody is not let in, and gives the reasons for it.
    private func refusals(
        _ count: Int, limits: AdmissionLimits = AdmissionLimits(handshakeTimeout: .seconds(30)),
        _ scene: (Reactor, UInt16) throws -> Void
    ) throws -> [RefusalReason] {
        var reasons: [RefusalReason] = []
        try play { reactor in
            let listener = try reactor.listen(
                limits: limits,
                refused: { reason, remote in
                    #expect(remote?.host == "127.0.0.1")
                    reasons.append(reason)
                    if reasons.count == count { reactor.stop() }
                }
            ) { _ in
                Issue.record("a stranger got in")
                reactor.stop()
            }
            try scene(reactor, listener.port)
        }
        return reasons
    }

    private func isFailedHandshake(_ reason: RefusalReason) -> Bool {
        if case .failed(.handshakeFailed) = reason { return true }
        return false
    }

    @Test func aCertificateOfAnotherAuthorityIsRefusedAtBothEnds() throws {
        let client = Player()
        let server = Player()
        let reasons = try refusals(1) { reactor, port in
            reactor.dial(port, as: Identities.stranger, client)
        }
        #expect(reasons.allSatisfy(isFailedHandshake))

        try play { reactor in
            let listener = try Listener(
                reactor, host: "127.0.0.1", port: 0, context: Identities.stranger, accept: { $0.owner = server },
                refused: { _, _ in })
            client.closed = { _, _ in reactor.stop() }
            client.opened = { _ in Issue.record("took a stranger for the relay") }
            reactor.dial(listener.port, client)
        }
        guard case .handshakeFailed(let text) = client.reasons.last else {
            Issue.record("\(client.reasons)")
            return
        }
        #expect(text.contains("certificate"))
    }

    @Test(arguments: [
        Array("GET / HTTP/1.1\r\nHost: relay\r\n\r\n".utf8), [UInt8](repeating: 0, count: 5000),
        [UInt8](repeating: 0xff, count: 5000), [0x16, 0x03, 0x01, 0xff, 0xff] + [UInt8](repeating: 7, count: 20_000),
        [0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x00],
    ])
    func garbageIsRefused(bytes: [UInt8]) throws {
        var stranger: Stranger?
        let reasons = try refusals(1) { _, port in
            stranger = try Stranger(port: port)
            stranger?.say(bytes)
        }
        #expect(reasons.allSatisfy(isFailedHandshake), "\(reasons)")
        withExtendedLifetime(stranger) {}
    }

    @Test func randomGarbageNeverGetsInNorTraps() throws {
        var strangers: [Stranger] = []
        let limits = AdmissionLimits(
            handshakeTimeout: .milliseconds(200), handshakesPerSource: 1000, connectionsPerSecond: 1e6, burst: 1000)
        let reasons = try refusals(60, limits: limits) { _, port in
            for length in 1...60 {
                let stranger = try Stranger(port: port)
                stranger.say([0x16, 0x03, 0x01] + Entropy.bytes(length * 17))
                strangers.append(stranger)
            }
        }
        #expect(reasons.count == 60)
    }

    @Test func whoSaysNothingOrLittleIsCutOffInTime() throws {
        var strangers: [Stranger] = []
        var start = Instant.zero
        let limits = AdmissionLimits(handshakeTimeout: .milliseconds(100))
        let reasons = try refusals(2, limits: limits) { reactor, port in
            start = Clock.now
            strangers = [try Stranger(port: port), try Stranger(port: port)]
            // A drop at a time does not make the deadline later.
            func drip(_ index: Int) {
                let hello: [UInt8] = [0x16, 0x03, 0x01, 0x01, 0x00, 0x01, 0x00, 0x00, 0xfc, 0x03, 0x03]
                if index < hello.count, send(strangers[1].descriptor, [hello[index]], 1, Int32(MSG_NOSIGNAL)) == 1 {
                    reactor.schedule(after: .milliseconds(15)) { drip(index + 1) }
                }
            }
            drip(0)
        }
        #expect(reasons == [.failed(.handshakeTimedOut), .failed(.handshakeTimedOut)])
        #expect(Clock.now - start >= .milliseconds(100))
    }

    @Test func whoLeavesInTheMiddleIsReported() throws {
        let reasons = try refusals(1) { reactor, port in
            var stranger: Stranger? = try Stranger(port: port)
            stranger?.say([0x16, 0x03, 0x01])
            reactor.schedule(after: .milliseconds(5)) { stranger = nil }
        }
        #expect(reasons.allSatisfy(isFailedHandshake), "\(reasons)")
    }

    @Test func aCrowdIsHeldOffAndThoseWhoWaitedGetIn() throws {
        var strangers: [Stranger] = []
        var refused: [RefusalReason] = []
        try play { reactor in
            let limits = AdmissionLimits(handshakeTimeout: .milliseconds(100), handshakes: 5, handshakesPerSource: 3)
            let player = Player()
            let listener = try reactor.listen(limits: limits, refused: { reason, _ in refused.append(reason) }) {
                $0.owner = player
                reactor.stop()
            }
            strangers = try (0..<8).map { _ in try Stranger(port: listener.port) }
            let late = Player()
            reactor.afterEveryTurn {
                if refused.count == 8, late.reasons.isEmpty, strangers.count == 8 {
                    strangers.removeLast()
                    reactor.dial(listener.port, late)
                }
            }
        }
        #expect(refused.filter { $0 == .tooManyFromSource }.count == 5)
        #expect(refused.filter { $0 == .failed(.handshakeTimedOut) }.count == 3)
    }

    @Test func aChannelNobodyTakesIsClosed() throws {
        try play { reactor in
            let client = Player()
            let listener = try reactor.listen(refused: { reason, _ in #expect(reason == .notTaken) }) { _ in }
            client.closed = { _, _ in reactor.stop() }
            reactor.dial(listener.port, client)
        }
    }

    @Test func closingGivesThePortBackAndKeepsWhatWasHandedOn() throws {
        try play { reactor in
            let server = Player()
            var first: Listener?
            first = try reactor.listen { $0.owner = server }
            let port = try #require(first?.port)
            let client = Player()
            server.readable = { channel in
                if channel.readAll() == Array("still here".utf8) { reactor.stop() }
            }
            client.opened = { channel in
                reactor.schedule(after: .milliseconds(20)) {
                    first?.close()
                    first = nil
                    #expect(throws: Never.self) {
                        try Listener(
                            reactor, host: "127.0.0.1", port: port, context: Identities.relay, accept: { _ in },
                            refused: { _, _ in })
                    }
                    channel.say("still here")
                }
            }
            reactor.dial(port, client)
        }
    }

    @Test func closingEndsHandshakesUnderWay() throws {
        let stranger = try strangerLeftInAHandshake()
        var byte: UInt8 = 0
        #expect(recv(stranger.descriptor, &byte, 1, 0) <= 0)
    }

    private func strangerLeftInAHandshake() throws -> Stranger {
        var stranger: Stranger?
        try play { reactor in
            let listener = try reactor.listen { _ in }
            stranger = try Stranger(port: listener.port)
            reactor.afterEveryTurn {
                if listener.handshakes.count == 1 {
                    listener.close()
                    reactor.stop()
                }
            }
        }
        return try #require(stranger)
    }

    @Test(arguments: ["127.0.0.1", "::1", "localhost", "::", "0.0.0.0"])
    func listensOnAddressesAndNames(host: String) throws {
        try play { reactor in
            let server = Player()
            let listener = try reactor.listen(host: host) { $0.owner = server }
            let target = ["::": "127.0.0.1", "0.0.0.0": "127.0.0.1"][host] ?? listener.address.host
            let client = Player()
            client.opened = { channel in
                #expect(channel.remoteAddress?.host == target)
                reactor.stop()
            }
            client.closed = { _, reason in
                if reason != .shutDown { Issue.record("\(reason)") }
                reactor.stop()
            }
            _ = Dialer(reactor).dial(host: target, port: listener.port, context: Identities.agent, owner: client)
        }
    }

    @Test func aPortInUseAndAForeignAddressAreErrorsWithAdvice() throws {
        try play { reactor in
            let listener = try reactor.listen { _ in }
            for (host, port) in [("127.0.0.1", listener.port), ("192.0.2.1", 0), ("no such host", 1)] {
                #expect(throws: ListenError.self) {
                    try Listener(
                        reactor, host: host, port: port, context: Identities.relay, accept: { _ in },
                        refused: { _, _ in })
                }
            }
            reactor.afterTurn { reactor.stop() }
        }
    }

    /// In a process of its own, since it takes all descriptors away.
    @Test func withoutDescriptorsConnectionsWaitAndTheLoopDoesNotSpin() async {
        await #expect(processExitsWith: .success) { try ListenerTests.starve() }
    }

    private static func starve() throws {
        var turns = 0
        var opened = false
        // A thread that still uses OpenSSL while the process exits would crash it.
        var threads: [ReactorThread] = []
        defer { for thread in threads { thread.stop() } }
        try play { reactor in
            let player = Player()
            let listener = try reactor.listen { channel in
                channel.owner = player
                opened = true
                reactor.stop()
            }
            _ = Identities.agent
            let port = listener.port
            let (dialling, dial) = try ReactorThread.start(name: "dialling") { reactor in
                return reactor.bind { reactor.dial(port, Player()) } as ReactorBound<() -> Channel>
            }
            var taken: [Int32] = []
            // The dialling end needs one for its socket.
            while true {
                let descriptor = open("/dev/null", O_RDONLY)
                if descriptor < 0 { break }
                taken.append(descriptor)
            }
            close(taken.removeLast())
            dial.post { _ = $0() }
            reactor.afterEveryTurn { turns += 1 }
            reactor.schedule(after: .milliseconds(300)) { for descriptor in taken { close(descriptor) } }
            threads.append(dialling)
        }
        try #require(opened)
        try #require(turns < 100)
    }
}
