import Crypto
import Envelope
import Testing

@Suite struct TLSTransferTests {
    let mesh: Mesh
    let relay: TLSContext
    let agent: TLSContext

    init() throws {
        mesh = try Mesh()
        relay = try mesh.context("dmz/relay-1")
        agent = try mesh.context("plant-a/agent-1")
    }

    private func opened() throws -> Conversation {
        let talk = try Conversation(agent, relay)
        try #require(talk.handshake() == (.done, .done))
        return talk
    }

    /// A session whose bytes pass through the test's hands: the server's end, and the wire towards it.
    private func tapped() throws -> (client: TLSSession, server: TLSSession, near: SocketPair, far: SocketPair) {
        let near = try SocketPair()
        let far = try SocketPair()
        let client = TLSSession(agent, socket: near.first, side: .client, at: Mesh.now)
        let server = TLSSession(relay, socket: far.first, side: .server, at: Mesh.now)
        var ends: (client: TLSProgress, server: TLSProgress) = (.wantsRead, .wantsRead)
        for _ in 0..<20 where ends != (.done, .done) {
            ends = (client.handshake(), server.handshake())
            if let flight = receive(near.second) { try transmit(flight, to: far.second) }
            if let flight = receive(far.second) { try transmit(flight, to: near.second) }
        }
        try #require(ends == (.done, .done))
        return (client, server, near, far)
    }

    private func drain(_ session: TLSSession, upTo count: Int) throws -> [UInt8] {
        var received: [UInt8] = []
        while true {
            let (outcome, bytes) = session.read(upTo: count)
            received += bytes
            guard case .bytes = outcome else {
                #expect(outcome == .wantsRead)
                return received
            }
        }
    }

    @Test func smallPiecesArriveInOrder() throws {
        let talk = try opened()
        let message = (0...255).map { UInt8($0) }
        for byte in message { #expect(talk.client.write([byte]) == .bytes(1)) }
        #expect(try drain(talk.server, upTo: 7) == message)
        #expect(try drain(talk.server, upTo: 7) == [])
        #expect(talk.client.write([]) == .bytes(0))
        #expect(talk.client.read(upTo: 0).outcome == .bytes(0))
    }

    @Test func bigPiecesArriveInOrderBothWays() throws {
        let talk = try opened()
        let message = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 12) }
        for (sender, receiver) in [(talk.client, talk.server), (talk.server, talk.client)] {
            var sent = 0
            var waits = 0
            var received: [UInt8] = []
            while received.count < message.count {
                // A new slice each time: the bytes move between tries.
                let outcome = sent < message.count ? sender.write(Array(message[sent...])[...]) : .wantsRead
                switch outcome {
                case .bytes(let count): sent += count
                case .wantsWrite: waits += 1
                default: try #require(sent == message.count)
                }
                if outcome == .wantsWrite || sent == message.count {
                    #expect(sender.flush().failure == nil)
                    received += try drain(receiver, upTo: 65_536)
                }
            }
            #expect(received == message)
            #expect(waits > 0, "the socket was never full, so that nothing was tried again")
            #expect(!sender.hasUnsent)
        }
    }

    @Test func recordsOfALongWriteGoTogether() throws {
        let (client, server, near, far) = try tapped()
        let message = bytes(7, 40_000)
        var sent = 0
        while sent < message.count {
            guard case .bytes(let count) = client.write(message[sent...]) else { break }
            sent += count
            #expect(receive(near.second) == nil && client.hasUnsent)
        }
        #expect(sent == message.count)
        #expect(client.flush() == .bytes(0))
        #expect(!client.hasUnsent)
        #expect(client.flush() == .bytes(0), "nothing is left to do")
        let records = try #require(receive(near.second))
        #expect(records.count > message.count && receive(near.second) == nil)
        try transmit(records, to: far.second)
        #expect(try drain(server, upTo: 65_536) == message)
        // A short one goes at once.
        #expect(client.write([1]) == .bytes(1))
        #expect(!client.hasUnsent && receive(near.second) != nil)
    }

    @Test func whatTheSocketDoesNotTakeStaysUnsent() throws {
        let talk = try opened()
        var sent = 0
        while case .bytes(let count) = talk.client.write(bytes(9, 100_000)[...]) { sent += count }
        #expect(talk.client.flush() == .wantsWrite)
        #expect(talk.client.hasUnsent)
        var received = try drain(talk.server, upTo: 65_536).count
        for _ in 0..<100 where talk.client.hasUnsent {
            #expect(talk.client.flush().failure == nil)
            received += try drain(talk.server, upTo: 65_536).count
        }
        // The record that was begun is the caller's to give again; all whole ones are there.
        #expect(received == sent)
    }

    @Test func flushingToAPeerThatIsGoneFails() throws {
        let talk = try opened()
        #expect(talk.client.write(bytes(1, 40_000)[...]) == .bytes(16_384))
        talk.sockets.closeSecond()
        #expect(talk.client.flush().failure?.contains("connection failed") == true)
        #expect(talk.client.write([1]).failure != nil)
    }

    @Test func pendingBytesAreTold() throws {
        let talk = try opened()
        #expect(!talk.server.hasPending)
        #expect(talk.client.write(bytes(1, 100)[...]) == .bytes(100))
        #expect(talk.client.write(bytes(2, 100)[...]) == .bytes(100))
        #expect(talk.server.read(upTo: 60).bytes == bytes(1, 60))
        #expect(talk.server.hasPending)
        #expect(talk.server.read(upTo: 60).bytes == bytes(1, 40))
        // Read ahead from the socket, which is empty: a poller would sleep over it.
        #expect(talk.server.hasPending)
        #expect(talk.server.read(upTo: 100).bytes == bytes(2, 100))
        #expect(talk.server.read(upTo: 100).outcome == .wantsRead)
        #expect(!talk.server.hasPending)
    }

    @Test func aPartOfARecordIsNotPending() throws {
        let (client, server, near, far) = try tapped()
        #expect(client.write(bytes(1, 100)[...]) == .bytes(100))
        let record = try #require(receive(near.second))
        for byte in record.dropLast() {
            try transmit([byte], to: far.second)
            #expect(server.read(upTo: 200).outcome == .wantsRead)
            #expect(!server.hasPending, "a reactor would come back for ever")
        }
        try transmit([record[record.count - 1]], to: far.second)
        #expect(server.read(upTo: 200).bytes == bytes(1, 100))
    }

    @Test func anAlteredRecordEndsTheSession() throws {
        let (client, server, near, far) = try tapped()
        #expect(client.write(bytes(1, 100)[...]) == .bytes(100))
        var record = try #require(receive(near.second))
        record[50] ^= 1
        try transmit(record, to: far.second)
        #expect(server.read(upTo: 200).outcome.failure?.contains("altered on the way") == true)
        #expect(server.read(upTo: 200).outcome.failure != nil)
    }

    @Test func aRepeatedRecordEndsTheSession() throws {
        let (client, server, near, far) = try tapped()
        #expect(client.write(bytes(1, 100)[...]) == .bytes(100))
        let record = try #require(receive(near.second))
        try transmit(record + record, to: far.second)
        #expect(server.read(upTo: 200).bytes == bytes(1, 100))
        #expect(server.read(upTo: 200).outcome.failure?.contains("altered on the way") == true)
    }

    @Test func closingIsTold() throws {
        let talk = try opened()
        #expect(talk.client.write([1, 2, 3]) == .bytes(3))
        talk.client.close()
        #expect(talk.server.read(upTo: 10).bytes == [1, 2, 3])
        #expect(talk.server.read(upTo: 10).outcome == .closed)
        #expect(talk.client.write([4]).failure != nil)
        talk.client.close()
    }

    @Test func goingAwayIsNoClosing() throws {
        let talk = try opened()
        #expect(talk.client.write([1, 2, 3]) == .bytes(3))
        talk.sockets.closeFirst()
        #expect(talk.server.read(upTo: 10).bytes == [1, 2, 3])
        #expect(talk.server.read(upTo: 10).outcome.failure?.contains("without a goodbye") == true)
    }

    @Test func writingToAPeerThatIsGoneFails() throws {
        let talk = try opened()
        talk.sockets.closeFirst()
        #expect(talk.server.write([1]).failure?.contains("connection failed") == true)
    }

    @Test func nothingIsReadOrWrittenBeforeTheHandshakeIsDone() throws {
        let talk = try Conversation(agent, relay)
        #expect(talk.client.read(upTo: 10).outcome.failure != nil)
        #expect(talk.client.write([1]).failure != nil)
        #expect(!talk.client.hasPending)
        #expect(talk.handshake() == (.done, .done))
    }

    @Test func everySessionIsAFullHandshake() throws {
        // No ticket travels: after the handshake the server has sent nothing of its own accord.
        let talk = try opened()
        #expect(receive(talk.sockets.first) == nil)
    }
}
