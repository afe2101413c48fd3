import Envelope
import Glibc
import Testing

@testable import Platform

/// Sends a known run of bytes as fast as the channel takes it, and checksums what comes the other way.
final class Pump: ChannelOwner {
    var opened: (Channel) -> Void = { _ in }
    var finished: () -> Void = {}
    private(set) var sum: UInt32 = 0
    private(set) var received = 0
    private(set) var blocked = 0
    private(set) var paused = 0
    private let total: Int
    private let expected: Int
    private var sent = 0
    private var nextPause: Int
    private let pauseEvery: Int

    /// 1 MiB that repeats; its length has no factor in common with record or read sizes.
    static let block: [UInt8] = Entropy.bytes((1 << 20) - 3)
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)

    init(total: Int, expected: Int = 0, pauseEvery: Int = .max) {
        self.total = total
        self.expected = expected
        self.pauseEvery = pauseEvery
        nextPause = pauseEvery
    }

    deinit { buffer.deallocate() }

    func channelOpened(_ channel: Channel) {
        opened(channel)
        push(channel)
    }
    func channelWritable(_ channel: Channel) { push(channel) }
    func channelReadable(_ channel: Channel) { pull(channel) }
    func channelClosed(_ channel: Channel, reason: CloseReason) {}

    func push(_ channel: Channel) {
        while sent < total {
            let at = sent % Self.block.count
            let count = min(Self.block.count - at, total - sent)
            let taken = Self.block.withUnsafeBytes {
                channel.write(UnsafeRawBufferPointer(rebasing: $0[at..<at + count]))
            }
            sent += taken
            if taken < count {
                blocked += 1
                return
            }
        }
    }

    private func pull(_ channel: Channel) {
        for _ in 0..<4 {
            let count = channel.read(into: buffer)
            if count == 0 { break }
            received += count
            sum = CRC32C.extend(sum, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        if received == expected { return finished() }
        guard received >= nextPause else { return }
        nextPause += pauseEvery
        paused += 1
        channel.isPaused = true
        channel.reactor.schedule(after: .milliseconds(1)) { channel.isPaused = false }
    }

    static func sum(of total: Int) -> UInt32 {
        var sum: UInt32 = 0
        var done = 0
        while done < total {
            let count = min(block.count, total - done)
            sum = block.withUnsafeBytes { CRC32C.extend(sum, UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            done += count
        }
        return sum
    }
}

struct ChannelThroughputTests {
    /// - Parameter threads: that carry the channels of both ends; 0 for none.
    @Test(arguments: [0, 1, 2])
    func hundredsOfMegabytesBothWaysUnderBackPressureArriveUnchanged(threads: Int) throws {
        let there = 160 << 20
        let back = 120 << 20 + 12_345
        let client = Pump(total: there, expected: back, pauseEvery: 3 << 20)
        let server = Pump(total: back, expected: there, pauseEvery: 5 << 20)
        var carriers: Carriers?
        defer { carriers?.stop() }
        try play(within: .seconds(300)) { reactor in
            carriers = threads > 0 ? try Carriers(reactor, count: threads) : nil
            var left = 2
            for pump in [client, server] {
                pump.finished = {
                    left -= 1
                    if left == 0 { reactor.stop() }
                }
            }
            let listener = try reactor.listen { channel in
                channel.owner = server
                carriers?.carry(channel)
                server.push(channel)
            }
            client.opened = { carriers?.carry($0) }
            reactor.dial(listener.port, client)
        }
        #expect(server.received == there)
        #expect(client.received == back)
        #expect(server.sum == Pump.sum(of: there))
        #expect(client.sum == Pump.sum(of: back))
        #expect(client.blocked > 10 && server.blocked > 10)
        #expect(client.paused > 10 && server.paused > 10)
    }

    /// Each end on a loop of its own, as in a node.
    @Test func twoReactorsExchangeAcrossThreads() throws {
        let total = 24 << 20
        let done = Reply<UInt32>()
        let (listening, port) = try ReactorThread.start(name: "listening") { reactor in
            let pump = Pump(total: 0, expected: total)
            pump.finished = { done.fill(pump.sum) }
            return try reactor.listen { channel in
                channel.owner = pump
            }.port
        }
        let (dialling, _) = try ReactorThread.start(name: "dialling") { reactor in
            let pump = Pump(total: total)
            _ = reactor.dial(port, pump)
        }
        #expect(done.wait(within: .seconds(60)) == Pump.sum(of: total))
        dialling.stop()
        listening.stop()
    }

    /// In a process of its own, since other tests take memory meanwhile.
    @Test func anIdleChannelIsSmall() async {
        await #expect(processExitsWith: .success) {
            let each = try ChannelThroughputTests.bytesOfAnIdleChannel(among: 200)
            try #require(each < 64 << 10, "\(each) bytes")
        }
    }

    private static func bytesOfAnIdleChannel(among count: Int) throws -> Int {
        var before = 0
        var each = Int.max
        var channels = 0
        try play { reactor in
            let limits = AdmissionLimits(
                handshakeTimeout: .seconds(60), handshakes: 1000, handshakesPerSource: 1000,
                connectionsPerSecond: 10_000, burst: 1000)
            let player = Player()
            let listener = try reactor.listen(limits: limits) { $0.owner = player }
            player.opened = { _ in
                channels += 1
                if channels == 20 { before = Process.residentBytes }
                if channels < 20 + count {
                    reactor.dial(listener.port, player)
                } else {
                    // Each connection has both its ends in this process.
                    each = (Process.residentBytes - before) / (2 * count)
                    reactor.stop()
                }
            }
            reactor.dial(listener.port, player)
        }
        return each
    }
}
