import Crypto
import Envelope
import Glibc
import Testing

@testable import Platform

struct ChannelTests {
    @Test func bothEndsKnowEachOtherAndTalk() throws {
        var heard: [String] = []
        let agent = try NodeName("plant-a/agent")
        let relay = try NodeName("dmz/relay")
        try play { reactor in
            let server = Player()
            server.readable = { channel in
                let bytes = channel.readAll()
                guard !bytes.isEmpty else { return }
                heard.append(String(decoding: bytes, as: UTF8.self))
                channel.say("welcome")
            }
            let listener = try reactor.listen { channel in
                #expect(channel.peer == agent)
                #expect(channel.peerCertificate == Identities.agent.certificate.der)
                #expect(!channel.isDialled)
                channel.owner = server
            }
            let client = Player()
            client.opened = { channel in
                #expect(channel.peer == relay)
                #expect(channel.peerCertificate == Identities.relay.certificate.der)
                #expect(channel.isDialled && channel.isOpen)
                #expect(channel.remoteAddress == listener.address)
                channel.say("hello")
            }
            client.readable = { channel in
                let bytes = channel.readAll()
                guard !bytes.isEmpty else { return }
                heard.append(String(decoding: bytes, as: UTF8.self))
                channel.close()
            }
            reactor.dial(listener.port, client)
            reactor.afterEveryTurn {
                if !server.reasons.isEmpty, !client.reasons.isEmpty {
                    #expect(server.reasons == [.peerClosed])
                    #expect(client.reasons == [.local])
                    reactor.stop()
                }
            }
        }
        #expect(heard == ["hello", "welcome"])
    }

    @Test func noOwnerHearsOfBytesBeforeTheHandshakeIsDone() throws {
        try play { reactor in
            let server = Player()
            server.readable = { _ in
                Issue.record("bytes of a stranger")
                reactor.stop()
            }
            let listener = try reactor.listen(refused: { reason, _ in
                guard case .failed(.handshakeFailed) = reason else {
                    Issue.record("\(reason)")
                    return
                }
                reactor.afterTurn { reactor.stop() }
            }) { _ in
                Issue.record("a stranger got in")
            }
            let client = Player()
            client.opened = { $0.say("early bytes") }
            reactor.dial(listener.port, as: Identities.stranger, client)
        }
    }

    @Test func aWriterOfSingleBytesIsUnderstood() throws {
        let message = Array("one byte at a time, each a record of its own; ".utf8)
        var heard: [UInt8] = []
        try play { reactor in
            let server = Player()
            server.readable = { channel in
                var byte: UInt8 = 0
                // One byte a call leaves the rest in the TLS layer, of which no event tells.
                let count = withUnsafeMutableBytes(of: &byte) { channel.read(into: $0) }
                if count == 1 { heard.append(byte) }
                if heard.count == message.count * 3 { reactor.stop() }
            }
            let listener = try reactor.listen { $0.owner = server }
            let client = Player()
            client.opened = { channel in
                for byte in message { channel.say(String(UnicodeScalar(byte))) }
                channel.say(String(decoding: message + message, as: UTF8.self))
            }
            reactor.dial(listener.port, client)
        }
        #expect(heard == message + message + message)
    }

    /// Bytes that sit decrypted in the TLS layer raise no event; the end of a transfer must not hang there.
    @Test func aSmallBudgetDoesNotStallOnBytesInTheTLSLayer() throws {
        let total = 300_000
        var heard = 0
        try play { reactor in
            let server = Player()
            server.readable = { channel in
                withUnsafeTemporaryAllocation(byteCount: 1000, alignment: 16) { heard += channel.read(into: $0) }
                if heard == total { reactor.stop() }
            }
            let listener = try reactor.listen { $0.owner = server }
            let client = Pump(total: total)
            reactor.dial(listener.port, client)
        }
        #expect(heard == total)
    }

    @Test func aPausedOwnerIsLeftAloneAndLosesNothing() throws {
        var heard: [UInt8] = []
        try play { reactor in
            let server = Player()
            server.readable = { channel in
                #expect(!channel.isPaused)
                heard += channel.readAll()
                if heard.count == 10 { reactor.stop() }
                channel.isPaused = true
                reactor.schedule(after: .milliseconds(5)) { channel.isPaused = false }
            }
            let listener = try reactor.listen { $0.owner = server }
            let client = Player()
            client.opened = { channel in
                channel.say("01234")
                reactor.schedule(after: .milliseconds(2)) { channel.say("56789") }
            }
            reactor.dial(listener.port, client)
        }
        #expect(heard == Array("0123456789".utf8))
    }

    /// All was taken, some of it lies encrypted where the socket had no room: nobody but the channel can send it.
    @Test(.timeLimit(.minutes(1))) func whatWasTakenArrivesThoughNobodyWritesOn() throws {
        let piece = [UInt8](repeating: 7, count: 40_000)
        var (taken, heard) = (0, 0)
        try play { reactor in
            let server = Player()
            server.readable = { channel in
                heard += channel.readAll().count
                if taken > 0, heard == taken { reactor.stop() }
            }
            let listener = try reactor.listen { channel in
                channel.owner = server
                channel.isPaused = true
                reactor.schedule(after: .milliseconds(20)) { channel.isPaused = false }
            }
            let client = Player()
            client.opened = { channel in
                while channel.connection?.session.hasUnsent == false {
                    taken += piece.withUnsafeBytes { channel.write($0) }
                }
                #expect(channel.isWritable, "nothing was left for the owner")
            }
            reactor.dial(listener.port, client)
        }
        #expect(heard == taken)
    }

    @Test func closingDeliversWhatWasStillToBeSaid() throws {
        let rest = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var heard: [UInt8] = []
        try play { reactor in
            let server = Player()
            server.readable = { heard += $0.readAll() }
            server.closed = { _, reason in
                #expect(reason == .peerClosed)
                reactor.afterTurn { reactor.stop() }
            }
            let listener = try reactor.listen { channel in
                channel.owner = server
                // Unread bytes at the closing end would make the kernel reset the connection.
                channel.say("never read by the other side")
            }
            let client = Player()
            client.opened = { channel in
                channel.isPaused = true
                reactor.schedule(after: .milliseconds(5)) { channel.close(flushing: rest, within: .seconds(30)) }
            }
            reactor.dial(listener.port, client)
        }
        #expect(heard == rest)
    }

    @Test(arguments: [0, 2]) func closingDoesNotWaitForAPeerThatReadsNothing(threads: Int) throws {
        try play(threads: threads) { reactor, carriers in
            let listener = try reactor.listen { channel in
                channel.owner = Player()
                carriers?.carry(channel)
                channel.isPaused = true
            }
            let client = Player()
            client.opened = { channel in
                carriers?.carry(channel)
                channel.close(flushing: [UInt8](repeating: 1, count: 64 << 20), within: .milliseconds(50))
                #expect(channel.write(UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
            }
            client.closed = { _, reason in
                #expect(reason == .local)
                reactor.stop()
            }
            reactor.dial(listener.port, client)
        }
    }

    @Test(arguments: [0, 2]) func anAbortIsHeardOnceByBothEnds(threads: Int) throws {
        let server = Player()
        let client = Player()
        try play(threads: threads) { reactor, carriers in
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers?.carry(channel)
            }
            client.opened = { channel in
                carriers?.carry(channel)
                channel.say("under way")
                channel.abort()
                channel.abort()
                channel.close()
                #expect(client.reasons.isEmpty)
                #expect(!channel.isOpen)
            }
            server.closed = { _, _ in reactor.stop() }
            reactor.dial(listener.port, client)
        }
        #expect(client.reasons == [.local])
        #expect(server.reasons.count == 1)
        guard case .broken = server.reasons.first else {
            Issue.record("\(server.reasons)")
            return
        }
    }
}
