import Crypto
import Envelope
import Glibc
import Testing

@testable import Platform

/// Channels whose connections are on other threads, seen by owners who know nothing of it.
struct CarriersTests {
    @Test func bothEndsKnowEachOtherAndTalk() throws {
        var heard: [String] = []
        let server = Player()
        let client = Player()
        let agent = try NodeName("plant-a/agent")
        try play(carriers: 2) { reactor, carriers in
            server.readable = { channel in
                let bytes = channel.readAll()
                guard !bytes.isEmpty else { return }
                heard.append(String(decoding: bytes, as: UTF8.self))
                channel.say("welcome")
            }
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers.carry(channel)
                #expect(channel.peer == agent)
                #expect(channel.isOpen && channel.isWritable)
            }
            client.opened = { channel in
                carriers.carry(channel)
                #expect(channel.remoteAddress == listener.address)
                channel.say("hello")
            }
            client.readable = { channel in
                let bytes = channel.readAll()
                guard !bytes.isEmpty else { return }
                heard.append(String(decoding: bytes, as: UTF8.self))
                #expect(channel.bytesRead == 7 && channel.bytesWritten == 5)
                #expect(carriers.loads == [1, 1])
                channel.close()
                #expect(!channel.isOpen)
            }
            reactor.dial(listener.port, client)
            reactor.afterEveryTurn { if !server.reasons.isEmpty, !client.reasons.isEmpty { reactor.stop() } }
        }
        #expect(heard == ["hello", "welcome"])
        #expect(server.reasons == [.peerClosed])
        #expect(client.reasons == [.local])
    }

    @Test func eachLinkGoesWhereTheFewestAre() throws {
        try play(carriers: 3) { reactor, carriers in
            let server = Player()
            let client = Player()
            var open: [Channel] = []
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers.carry(channel)
            }
            client.opened = { channel in
                carriers.carry(channel)
                open.append(channel)
                if open.count < 6 { reactor.dial(listener.port, client) }
            }
            reactor.dial(listener.port, client)
            var isEnding = false
            reactor.afterEveryTurn {
                if !isEnding, carriers.loads == [4, 4, 4] {
                    isEnding = true
                    for channel in open { channel.abort() }
                }
                if isEnding, carriers.loads == [0, 0, 0] { reactor.stop() }
            }
        }
    }

    /// Each call makes a parcel of its own, and few may be under way.
    @Test func aWriterOfSingleBytesIsUnderstood() throws {
        let message = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var heard: [UInt8] = []
        var blocked = 0
        try play(carriers: 2) { reactor, carriers in
            let server = Player()
            server.readable = { channel in
                var byte: UInt8 = 0
                let count = withUnsafeMutableBytes(of: &byte) { channel.read(into: $0) }
                if count == 1 { heard.append(byte) }
                if heard.count == message.count { reactor.stop() }
            }
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers.carry(channel)
            }
            let client = Player()
            var sent = 0
            client.writable = { channel in
                while sent < message.count {
                    guard message[sent...sent].withUnsafeBytes({ channel.write($0) }) == 1 else {
                        blocked += 1
                        return
                    }
                    sent += 1
                }
            }
            client.opened = { channel in
                carriers.carry(channel)
                client.writable(channel)
            }
            reactor.dial(listener.port, client)
        }
        #expect(heard == message)
        #expect(blocked > 0)
    }

    /// Pieces that follow one another at once share a parcel, so that many of them may be under way.
    @Test(arguments: [false, true]) func piecesShareAParcel(isClosed: Bool) throws {
        let pieces = 300
        var heard: [UInt8] = []
        try play(carriers: 2) { reactor, carriers in
            let server = Player()
            server.readable = { heard += $0.readAll() }
            server.closed = { _, _ in reactor.stop() }
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers.carry(channel)
            }
            let client = Player()
            client.opened = { channel in
                carriers.carry(channel)
                for piece in 0..<pieces {
                    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: piece), count: 1000)
                    #expect(bytes.withUnsafeBytes { channel.write($0, hasMore: true) } == 1000)
                }
                // The end sends what waits as well as a flush does.
                if !isClosed { channel.flush() }
                channel.close(within: .seconds(30))
            }
            reactor.dial(listener.port, client)
        }
        #expect(heard == (0..<pieces).flatMap { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: 1000) })
    }

    /// A flush alone sends what waits.
    @Test func whatWaitsForMoreIsFlushed() throws {
        var heard: [UInt8] = []
        try play(carriers: 1) { reactor, carriers in
            let server = Player()
            server.readable = { channel in
                heard += channel.readAll()
                if heard.count == 3 { reactor.stop() }
            }
            let listener = try reactor.listen { $0.owner = server }
            let client = Player()
            client.opened = { channel in
                carriers.carry(channel)
                for byte in [UInt8](1...3) {
                    #expect(withUnsafeBytes(of: byte) { channel.write($0, hasMore: true) } == 1)
                }
                channel.flush()
            }
            reactor.dial(listener.port, client)
        }
        #expect(heard == [1, 2, 3])
    }

    /// The memory between a writer and a reader that does not read is bounded, and nothing of it is lost.
    @Test func aReaderThatPausesHoldsTheWriterBack() throws {
        let total = 96 << 20
        let client = Pump(total: total)
        let server = Pump(total: 0, expected: total)
        var held = 0
        try play(carriers: 2) { reactor, carriers in
            var accepted: Channel?
            var dialled: Channel?
            server.finished = { reactor.stop() }
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers.carry(channel)
                channel.isPaused = true
                accepted = channel
            }
            client.opened = { channel in
                carriers.carry(channel)
                dialled = channel
            }
            reactor.dial(listener.port, client)
            var last: UInt64 = 0
            var same = 0
            func look() {
                let now = dialled?.bytesWritten ?? 0
                same = now == last && now > 0 ? same + 1 : 0
                last = now
                guard same == 10 else {
                    reactor.schedule(after: .milliseconds(20), look)
                    return
                }
                held = Int(now)
                #expect(server.received == 0)
                accepted?.isPaused = false
            }
            look()
        }
        // What the kernel holds, a few MiB on a loopback, and what may be under way at either end.
        #expect(held < 24 << 20)
        #expect(server.received == total)
        #expect(server.sum == Pump.sum(of: total))
    }

    @Test func closingDeliversWhatWasStillToBeSaid() throws {
        let message = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var heard: [UInt8] = []
        let client = Player()
        try play(carriers: 2) { reactor, carriers in
            let server = Player()
            server.readable = { channel in heard += channel.readAll() }
            server.closed = { _, reason in
                #expect(reason == .peerClosed)
                reactor.afterTurn { reactor.stop() }
            }
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers.carry(channel)
                channel.say("never read by the other side")
            }
            client.opened = { channel in
                carriers.carry(channel)
                channel.isPaused = true
                let taken = message.withUnsafeBytes { channel.write($0) }
                #expect(taken > 0 && taken < message.count)
                channel.close(flushing: Array(message[taken...]), within: .seconds(30))
                #expect(message.withUnsafeBytes { channel.write($0) } == 0)
            }
            reactor.dial(listener.port, client)
        }
        #expect(heard == message)
        #expect(client.reasons.count <= 1)
    }

    /// The end of the connection is known long before its last bytes are read.
    @Test func whatCameBeforeTheEndIsReadFirst() throws {
        let total = 700_000
        var heard = 0
        let server = Player()
        try play(carriers: 2) { reactor, carriers in
            server.readable = { channel in
                withUnsafeTemporaryAllocation(byteCount: 1000, alignment: 16) { heard += channel.read(into: $0) }
            }
            server.closed = { _, _ in reactor.stop() }
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers.carry(channel)
            }
            let client = Player()
            client.opened = { channel in
                carriers.carry(channel)
                channel.close(flushing: [UInt8](repeating: 3, count: total), within: .seconds(30))
            }
            reactor.dial(listener.port, client)
        }
        #expect(heard == total)
        #expect(server.reasons == [.peerClosed])
    }

    /// It goes while both directions are full.
    @Test func aPeerThatVanishesIsNoticedOnce() throws {
        let server = Player()
        var read = 0
        try play(carriers: 2) { reactor, carriers in
            server.readable = { channel in
                read += channel.readAll().count
                // No room is left at some time; then only the end wakes.
                let bytes = [UInt8](repeating: 9, count: 1 << 20)
                _ = bytes.withUnsafeBytes { channel.write($0) }
            }
            server.closed = { channel, _ in
                #expect(!channel.isOpen)
                #expect([1].withUnsafeBytes { channel.write($0) } == 0)
                reactor.stop()
            }
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers.carry(channel)
            }
            let client = Pump(total: .max)
            client.opened = { channel in
                carriers.carry(channel)
                channel.isPaused = true
                reactor.schedule(after: .milliseconds(30)) { channel.abort() }
            }
            reactor.dial(listener.port, client)
        }
        #expect(server.reasons.count == 1)
        #expect(read > 0)
    }

    /// Both kinds of owner get along: one end is carried, the other is not.
    @Test func aCarriedEndTalksToOneThatIsNot() throws {
        let there = 24 << 20
        let client = Pump(total: there, expected: there, pauseEvery: 3 << 20)
        let server = Pump(total: there, expected: there)
        try play(carriers: 1) { reactor, carriers in
            var left = 2
            for pump in [client, server] {
                pump.finished = {
                    left -= 1
                    if left == 0 { reactor.stop() }
                }
            }
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers.carry(channel)
                server.push(channel)
            }
            reactor.dial(listener.port, client)
        }
        #expect(server.sum == Pump.sum(of: there))
        #expect(client.sum == Pump.sum(of: there))
    }
}
