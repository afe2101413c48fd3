import Envelope
import Testing

@testable import Simulation

struct NetworkTests {
    @Test func bytesStayInOrderWhateverTheCuts() throws {
        let scene = Scene {
            $0[.cutBytes] = 0.7
            $0.windowBytes = 3000
            $0.jitter = .milliseconds(5)
        }
        try scene.connect()
        var random = SeededRandom(seed: 4)
        var sent: [UInt8] = []
        for _ in 0..<400 {
            let piece = (0..<random.number(in: 1...900)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            sent += piece.prefix(scene.a.host.write(scene.id, piece))
            scene.world.run(for: .microseconds(Int64(random.below(3000))))
        }
        scene.world.run(for: .seconds(5))
        #expect(sent.count > 50_000)
        #expect(scene.b.bytes == sent)
        #expect(scene.world.faults[.cutBytes] > 50)
        #expect(scene.b.closings == 0)
    }

    @Test func aFullWindowTakesNoMoreAndSaysWhenItHasRoom() throws {
        let scene = Scene { $0.windowBytes = 4096 }
        try scene.connect()
        let taken = scene.a.host.write(scene.id, [UInt8](repeating: 7, count: 5000))
        #expect(taken == 4096)
        #expect(scene.a.host.write(scene.id, [1]) == 0)
        scene.world.run(for: .seconds(1))
        #expect(scene.a.writableCalls == 1)
        #expect(scene.a.host.write(scene.id, [1]) == 1)
    }

    @Test func closingBringsTheLastBytesAndThenTheEnd() throws {
        let scene = Scene()
        try scene.connect()
        scene.a.host.write(scene.id, [1, 2])
        scene.a.host.close(scene.id, flushing: [3])
        #expect(scene.a.host.write(scene.id, [9]) == 1)
        scene.world.run(for: .seconds(1))
        #expect(scene.b.bytes == [1, 2, 3])
        #expect(scene.b.closings == 1 && scene.a.closings == 0)
        #expect(scene.world.liveSlots.isEmpty)
    }

    @Test func aLostConnectionLosesWhatIsOnTheWay() throws {
        let scene = Scene()
        try scene.connect()
        scene.a.host.write(scene.id, [1, 2, 3])
        scene.world.cut(slot: 0, .both)
        scene.world.run(for: .seconds(1))
        #expect(scene.b.bytes.isEmpty)
        #expect(scene.a.closings == 1 && scene.b.closings == 1)
        #expect(scene.world.liveSlots.isEmpty)
    }

    @Test func oneEndOfAHalfOpenConnectionNoticesLate() throws {
        let scene = Scene { $0.lateNotice = .seconds(20)...(.seconds(20)) }
        try scene.connect()
        scene.world.cut(slot: 0, .oneLate)
        scene.world.run(for: .seconds(19))
        #expect(scene.a.closings + scene.b.closings == 1)
        scene.world.run(for: .seconds(2))
        #expect(scene.a.closings == 1 && scene.b.closings == 1)
    }

    @Test func aSilentLossIsNoticedOnlyByWhoWritesOnceAllIsWell() throws {
        let scene = Scene()
        try scene.connect()
        scene.world.cut(slot: 0, .neither)
        scene.a.host.write(scene.id, [1])
        scene.world.run(for: .seconds(1000))
        #expect(scene.a.closings == 0 && scene.b.closings == 0)
        scene.world.heal()
        scene.world.run(for: .seconds(5))
        #expect(scene.a.closings == 1 && scene.b.closings == 0)
        #expect(scene.b.bytes.isEmpty)
    }

    @Test func aOneWayPartitionStopsOneWay() throws {
        let scene = Scene { $0.windowBytes = 100 }
        try scene.connect()
        let toB = try #require(scene.world.ways[0].first)
        scene.world.block(direction: toB, for: .seconds(10))
        scene.a.host.write(scene.id, [1])
        scene.b.host.write(scene.id, [2])
        scene.world.run(for: .seconds(9))
        #expect(scene.a.bytes == [2] && scene.b.bytes.isEmpty)
        // What arrives there is not acknowledged, so the window does not move.
        #expect(scene.b.host.write(scene.id, [UInt8](repeating: 3, count: 200)) == 99)
        scene.world.run(for: .milliseconds(500))
        #expect(scene.a.bytes.count == 100 && scene.b.host.write(scene.id, [4]) == 0)
        scene.world.run(for: .seconds(2))
        #expect(scene.b.bytes == [1] && scene.b.writableCalls == 1)
        #expect(scene.b.host.write(scene.id, [4]) == 1)
    }

    @Test func dialsFailAsTheNetworkDoes() {
        let scene = Scene { $0.dialTimeout = .seconds(4) }
        // The firewall lets nothing in from the other side.
        scene.b.host.dial(scene.a.host.name)
        scene.world.run(for: .seconds(3))
        #expect(scene.b.failures.isEmpty)
        scene.world.run(for: .seconds(2))
        #expect(scene.b.failures == [.timedOut])
        scene.world.block(direction: scene.world.ways[0][0] ^ 1, for: .seconds(1))
        scene.a.host.dial(scene.b.host.name)
        scene.world.run(for: .seconds(5))
        #expect(scene.a.failures == [.timedOut])
        scene.world.end(scene.world.hosts[1], losesPower: false)
        scene.a.host.dial(node("b/two"))
        scene.world.run(for: .milliseconds(50))
        #expect(scene.a.failures == [.timedOut, .refused])
    }

    @Test func aKilledPeerIsNoticedAndOneWithoutPowerIsNot() throws {
        let scene = Scene { $0.bootTime = .seconds(30)...(.seconds(30)) }
        try scene.connect()
        scene.world.end(scene.world.hosts[1], losesPower: false)
        scene.world.run(for: .seconds(10))
        #expect(scene.a.closings == 1)
        scene.a.host.dial(node("b/two"))
        scene.world.run(for: .seconds(1))
        let second = try #require(scene.a.ids.last)
        scene.world.end(scene.world.hosts[1], losesPower: true)
        scene.world.run(for: .seconds(20))
        #expect(scene.a.closings == 1)
        scene.a.host.write(second, [1])
        scene.world.run(for: .seconds(5))
        #expect(scene.a.closings == 1)
        // The machine is back and knows nothing of it.
        scene.world.run(for: .seconds(10))
        #expect(scene.a.closings == 2)
    }

    @Test func aSlowLinkTakesItsTime() throws {
        let scene = Scene { $0.bandwidth = 1000...1000 }
        try scene.connect()
        scene.a.host.write(scene.id, [UInt8](repeating: 1, count: 5000))
        scene.world.run(for: .milliseconds(4900))
        #expect(scene.b.bytes.isEmpty)
        scene.world.run(for: .milliseconds(200))
        #expect(scene.b.bytes.count == 5000)
    }
}
