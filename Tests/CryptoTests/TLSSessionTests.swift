import COpenSSL
import Envelope
import Testing

@testable import Crypto

@Suite struct TLSSessionTests {
    let mesh: Mesh
    let relay: TLSContext
    let agent: TLSContext

    init() throws {
        mesh = try Mesh()
        relay = try mesh.context("dmz/relay-1")
        agent = try mesh.context("plant-a/agent-1")
    }

    // MARK: Who is there

    @Test func bothEndsLearnWhoIsThere() throws {
        let talk = try Conversation(agent, relay)
        #expect(talk.client.peer == nil)
        #expect(talk.handshake() == (.done, .done))
        #expect(try talk.client.peer == NodeName("dmz/relay-1"))
        #expect(try talk.server.peer == NodeName("plant-a/agent-1"))
        #expect(talk.client.peerCertificate == relay.certificate.der)
        #expect(talk.server.peerCertificate == agent.certificate.der)
        #expect(talk.client.suite == "TLS_AES_256_GCM_SHA384")
        #expect(talk.client.handshake() == .done)
    }

    @Test func aServerOfAnotherMeshIsRefused() throws {
        let stranger = try Mesh().context("dmz/relay-1")
        let outcome = try Conversation(agent, stranger).handshake()
        #expect(outcome.client.failure?.contains("signed by another authority") == true)
        #expect(outcome.server.failure?.contains("trusts another authority") == true)
    }

    @Test func aClientOfAnotherMeshIsRefused() throws {
        // A client that trusts both meshes, so that only its own certificate is wrong.
        let other = try Mesh()
        let key = SigningKey()
        let certificate = try other.authority.issue(
            to: NodeName("plant-a/agent-1"), publicKey: key.verifyingKey, now: Mesh.now, days: 1)
        let stranger = try TLSContext(
            certificate: certificate, key: key,
            authorities: [other.authority.certificate, mesh.authority.certificate])
        let talk = try Conversation(stranger, relay)
        let outcome = talk.handshake()
        #expect(outcome.server.failure?.contains("signed by another authority") == true)
        #expect(talk.server.peer == nil)
        // The client had been done before it was judged; it learns with its first read.
        #expect(talk.client.read(upTo: 100).outcome.failure?.contains("trusts another authority") == true)
    }

    @Test func aClientWithoutCertificateIsRefused() throws {
        let sockets = try SocketPair()
        let server = TLSSession(relay, socket: sockets.second, side: .server, at: Mesh.now)
        let stranger = try Stranger(socket: sockets.first, side: .client)
        #expect(stranger.meet(server).failure?.contains("showed no certificate") == true)
        #expect(server.peer == nil)
    }

    @Test func expiredCertificatesAreRefused() throws {
        let shortLived = try mesh.context("plant-a/agent-2", days: 1)
        let asClient = try Conversation(shortLived, relay, serverTime: Mesh.afterADay).handshake()
        #expect(asClient.server.failure?.contains("expired at") == true)
        let asServer = try Conversation(agent, shortLived, clientTime: Mesh.afterADay).handshake()
        #expect(asServer.client.failure?.contains("expired at") == true)
        #expect(asServer.server.failure?.contains("as expired") == true)
        let early = WallTime(milliseconds: Mesh.now.milliseconds - 7_200_000)
        let tooSoon = try Conversation(agent, shortLived, clientTime: early).handshake()
        #expect(tooSoon.client.failure?.contains("not valid") == true)
    }

    @Test(arguments: [
        nil, "DNS:plant-a", "URI:https://plant-a/x", "URI:gridrelay://PLANT/x",
        "URI:gridrelay://plant-a/x,URI:gridrelay://plant-a/y",
    ])
    func aCertificateWithoutOneNodeNameIsRefused(names: String?) throws {
        let key = SigningKey()
        let certificate = try mesh.authority.issue(
            subject: "plant-a/x", names: names, publicKey: key.verifyingKey, now: Mesh.now, days: 1)
        for side in [TLSSide.client, .server] {
            let sockets = try SocketPair()
            let (context, other) = side == .client ? (agent, TLSSide.server) : (relay, .client)
            let session = TLSSession(context, socket: sockets.second, side: side, at: Mesh.now)
            let stranger = try Stranger(socket: sockets.first, side: other)
            stranger.show(certificate, key)
            #expect(stranger.meet(session).failure?.contains("is no node's") == true)
            #expect(session.peer == nil)
        }
    }

    @Test func aCertificateForOneEndOnlyIsRefused() throws {
        let key = SigningKey()
        let certificate = try mesh.authority.issue(
            subject: "x", names: "URI:gridrelay://plant-a/x", publicKey: key.verifyingKey, now: Mesh.now, days: 1,
            usage: "serverAuth")
        let sockets = try SocketPair()
        let server = TLSSession(relay, socket: sockets.second, side: .server, at: Mesh.now)
        let stranger = try Stranger(socket: sockets.first, side: .client)
        stranger.show(certificate, key)
        #expect(stranger.meet(server).failure?.contains("cannot be trusted") == true)
    }

    // MARK: What is no handshake of ours

    @Test func olderVersionsAreRefused() throws {
        for version in [TLS1_2_VERSION, TLS1_1_VERSION] {
            let sockets = try SocketPair()
            let server = TLSSession(relay, socket: sockets.second, side: .server, at: Mesh.now)
            let stranger = try Stranger(socket: sockets.first, side: .client, version: version)
            #expect(stranger.meet(server).failure?.contains("does not speak TLS 1.3") == true)
        }
        let sockets = try SocketPair()
        let client = TLSSession(agent, socket: sockets.second, side: .client, at: Mesh.now)
        let stranger = try Stranger(socket: sockets.first, side: .server, version: TLS1_2_VERSION)
        #expect(stranger.meet(client).failure?.contains("does not speak TLS 1.3") == true)
    }

    @Test(arguments: [
        (Array("SSH-2.0-OpenSSH_9.2p1\r\n".utf8), "spoke no TLS"),
        (bytes(0x00, 200), "spoke no TLS"),
        (bytes(0xFF, 200), "spoke no TLS"),
        ([0x16, 0x03, 0x01, 0xFF, 0xFF] + bytes(1, 100), "spoke no TLS"),
        (Array("GET / HTTP/1.1\r\nHost: relay\r\n\r\n".utf8), "spoke HTTP"),
        (Array("CONNECT relay:443 HTTP/1.1\r\n\r\n".utf8), "spoke HTTP"),
    ])
    func garbageEndsTheSession(garbage: [UInt8], words: String) throws {
        let sockets = try SocketPair()
        let server = TLSSession(relay, socket: sockets.second, side: .server, at: Mesh.now)
        try transmit(garbage, to: sockets.first)
        let progress = server.handshake()
        #expect(progress.failure?.contains(words) == true, "\(progress)")
        #expect(server.handshake().failure != nil)
        #expect(server.read(upTo: 10).outcome.failure != nil)
        #expect(server.write([1]).failure != nil)
        server.close()
    }

    @Test func aPeerThatGoesDuringTheHandshakeIsNoticed() throws {
        let sockets = try SocketPair()
        let server = TLSSession(relay, socket: sockets.second, side: .server, at: Mesh.now)
        #expect(server.handshake() == .wantsRead)
        sockets.closeFirst()
        #expect(server.handshake().failure?.contains("closed the connection during the handshake") == true)
    }

    @Test func theHandshakeComesByteByByte() throws {
        let near = try SocketPair()
        let far = try SocketPair()
        let client = TLSSession(agent, socket: near.first, side: .client, at: Mesh.now)
        let server = TLSSession(relay, socket: far.first, side: .server, at: Mesh.now)
        var ends: (client: TLSProgress, server: TLSProgress) = (.wantsRead, .wantsRead)
        for _ in 0..<10_000 where ends != (.done, .done) {
            ends = (client.handshake(), server.handshake())
            if let byte = receive(near.second, limit: 1) { try transmit(byte, to: far.second) }
            if let byte = receive(far.second, limit: 1) { try transmit(byte, to: near.second) }
        }
        #expect(ends == (.done, .done))
        #expect(try server.peer == NodeName("plant-a/agent-1"))
    }

    @Test func noFlippedByteOfTheFirstFlightOpensASession() throws {
        let length = try firstFlight(flipping: nil)
        // Byte 2, the record's version, means nothing in TLS 1.3 and is covered by no check (RFC 8446, 5.1).
        for position in 0..<length where position != 2 { _ = try firstFlight(flipping: position) }
    }

    /// Sends a client's first flight on with one byte altered and expects that the server is never done.
    private func firstFlight(flipping position: Int?) throws -> Int {
        let near = try SocketPair()
        let far = try SocketPair()
        let client = TLSSession(agent, socket: near.first, side: .client, at: Mesh.now)
        let server = TLSSession(relay, socket: far.first, side: .server, at: Mesh.now)
        #expect(client.handshake() == .wantsRead)
        var hello = try #require(receive(near.second))
        let length = hello.count
        if let position { hello[position] ^= 0x5A }
        try transmit(hello, to: far.second)
        var isOpen = false
        for _ in 0..<10 {
            isOpen = server.handshake() == .done || isOpen
            if let flight = receive(far.second) { try transmit(flight, to: near.second) }
            _ = client.handshake()
            if let flight = receive(near.second) { try transmit(flight, to: far.second) }
        }
        #expect(isOpen == (position == nil), "byte \(position ?? -1)")
        return length
    }
}
