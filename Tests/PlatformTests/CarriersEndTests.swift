import Crypto
import Envelope
import Glibc
import Testing

@testable import Platform

/// Threads that carry end at any moment: what they carried is closed, and its owners are told once.
struct CarriersEndTests {
    /// The threads end while bytes are on all ways: every owner is told once, and then never again.
    @Test func theThreadsEndWhileEverythingIsUnderWay() throws {
        let ends = (0..<8).map { _ in Player() }
        try play(carriers: 3) { reactor, carriers in
            var accepted = 0
            let block = [UInt8](repeating: 5, count: 1 << 20)
            func push(_ channel: Channel) { _ = block.withUnsafeBytes { channel.write($0) } }
            for end in ends {
                end.readable = { channel in
                    _ = channel.readAll()
                    push(channel)
                }
                end.writable = push
            }
            let listener = try reactor.listen { channel in
                channel.owner = ends[4 + accepted]
                accepted += 1
                carriers.carry(channel)
                push(channel)
            }
            for end in ends[..<4] {
                end.opened = { channel in
                    carriers.carry(channel)
                    push(channel)
                }
                reactor.dial(listener.port, end)
            }
            var isStopped = false
            reactor.afterEveryTurn {
                if !isStopped, carriers.loads.reduce(0, +) == 8 {
                    isStopped = true
                    reactor.schedule(after: .milliseconds(20)) { carriers.stop() }
                }
                if ends.allSatisfy({ !$0.reasons.isEmpty }) { reactor.afterTurn { reactor.stop() } }
            }
        }
        // Threads end one after the other, so what one carried may be seen to end by the others.
        for end in ends { #expect(end.reasons.count == 1) }
        #expect(ends.contains { $0.reasons == [.shutDown] })
    }

    /// The home reactor goes first, as in a daemon; the peers are told.
    @Test func theHomeReactorEnds() throws {
        let told = Reply<CloseReason>()
        let (listening, port) = try ReactorThread.start(name: "listening") { reactor in
            let server = Player()
            server.closed = { _, reason in told.fill(reason) }
            return try reactor.listen { $0.owner = server }.port
        }
        let client = Player()
        try play(carriers: 2) { reactor, carriers in
            client.opened = { channel in
                carriers.carry(channel)
                channel.say("hello")
                reactor.afterTurn { reactor.stop() }
            }
            reactor.dial(port, client)
        }
        #expect(client.reasons == [.shutDown])
        #expect(told.wait(within: .seconds(30)) != nil)
        listening.stop()
    }

    /// What was ordered and not begun when a thread ends: the connection is closed, and its owner's side is told.
    @Test func aConnectionThatNobodyTookYetIsClosed() throws {
        var pair: [Int32] = [-1, -1]
        // Not for the processes that other tests start meanwhile: they would hold it open.
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &pair) == 0)
        defer { close(pair[0]) }
        let (orders, reports) = (Chute<Order>(), Chute<Report>())
        let reactor = try Reactor()
        _ = Station(reactor, orders: orders, reports: reports)
        let session = TLSSession(Identities.relay, socket: pair[1], side: .server)
        #expect(orders.put(.adopt(7, MovedConnection(descriptor: pair[1], session: session))))
        reactor.shutDown()
        var ended: [UInt64] = []
        reports.drain { if case .closed(let number, .shutDown) = $0 { ended.append(number) } }
        #expect(ended == [7])
        var byte: UInt8 = 0
        #expect(recv(pair[0], &byte, 1, Int32(MSG_DONTWAIT)) == 0, "the other end sees the end")
        #expect(!orders.put(.abort(7)))
    }

    /// A channel that is given to a thread that has ended ends, too.
    @Test func aThreadThatHasEndedCarriesNothing() throws {
        let client = Player()
        let server = Player()
        try PlatformTests.play { reactor in
            let carrier = try Carrier(reactor, name: "ended")
            carrier.stop()
            let listener = try reactor.listen { $0.owner = server }
            client.opened = { channel in
                carrier.carry(channel)
                #expect(!channel.isOpen)
            }
            reactor.dial(listener.port, client)
            reactor.afterEveryTurn { if !client.reasons.isEmpty, !server.reasons.isEmpty { reactor.stop() } }
        }
        #expect(client.reasons == [.shutDown])
        #expect(server.reasons.count == 1)
    }

    /// Whether a thread that ends has begun with a connection or not, it leaves none open.
    ///
    /// In a process of its own, since other tests open files meanwhile.
    @Test func aThreadThatEndsLeavesNoDescriptorOpen() async {
        await #expect(processExitsWith: .success) {
            var before = 0
            for round in 0..<30 {
                try CarriersEndTests.stopAtOnce()
                if round == 4 { before = openDescriptors() }
            }
            try #require(openDescriptors() <= before, "\(openDescriptors()) and not \(before)")
        }
    }

    private static func stopAtOnce() throws {
        let client = Player()
        let server = Player()
        try PlatformTests.play { reactor in
            let carriers = try Carriers(reactor, count: 1)
            let listener = try reactor.listen { $0.owner = server }
            client.opened = { channel in
                carriers.carry(channel)
                channel.say("hello")
                carriers.stop()
                if channel.isOpen { Issue.record("it is still open") }
            }
            reactor.dial(listener.port, client)
            reactor.afterEveryTurn { if !client.reasons.isEmpty { reactor.stop() } }
        }
        try #require(client.reasons == [.shutDown])
    }
}

private func openDescriptors() -> Int {
    guard let directory = opendir("/proc/self/fd") else { return .max }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return count
}
