import Envelope
import Journal
import Testing

@testable import Simulation

struct MachineTests {
    @Test func aProcessThatIsGoneHasNoEffect() throws {
        let scene = Scene()
        try scene.connect()
        let (a, host) = (scene.a, scene.a.host)
        host.fuse.light(2)
        #expect(host.write(scene.id, [1]) == 1)
        let file = try? host.disk.open("/file", .create(permissions: 0o600))
        #expect(file == nil)
        #expect(host.fuse.hasBurnt)
        host.write(scene.id, [2])
        host.after(.zero, token: 5)
        scene.world.settle(host, a)
        #expect(host.program == nil)
        scene.world.run(for: .seconds(10))
        #expect(host.program !== a)
        #expect(scene.b.bytes.isEmpty || scene.b.bytes == [1])
        #expect(a.finished.isEmpty && scene.a.finished.isEmpty)
        #expect(host.disk.contents("/file") == nil)
    }

    @Test func bootsAreNewAndRestartsAreNot() {
        let scene = Scene()
        let host = scene.a.host
        let boot = host.boot
        scene.world.end(host, losesPower: false)
        scene.world.run(for: .seconds(10))
        #expect(host.isRunning && host.boot == boot)
        let before = host.now
        scene.world.end(host, losesPower: true)
        scene.world.run(for: .seconds(70))
        #expect(host.isRunning && host.boot != boot)
        #expect(host.now != before + .seconds(70))
    }

    @Test func whatComesInAPauseComesAfterIt() throws {
        let scene = Scene()
        try scene.connect()
        scene.b.nextDeadline = scene.b.host.now + .seconds(3)
        scene.world.settle(scene.b.host, scene.b)
        scene.b.host.after(.seconds(1), token: 4)
        scene.world.pause(scene.b.host, for: .seconds(3600))
        for number in 1...5 {
            scene.a.host.write(scene.id, [UInt8(number)])
            scene.world.run(for: .seconds(1))
        }
        scene.world.run(for: .seconds(3590))
        #expect(scene.b.bytes.isEmpty && scene.b.times.isEmpty && scene.b.finished.isEmpty)
        scene.world.run(for: .seconds(6))
        #expect(scene.b.bytes == [1, 2, 3, 4, 5])
        #expect(scene.b.times.count == 1 && scene.b.finished == [4])
    }

    @Test func aDeadlineIsKeptByADriftingClock() {
        let scene = Scene {
            $0[.clockDrift] = 1
            $0.drift = 5000
        }
        let host = scene.a.host
        #expect(host.clock.drift != 0)
        let start = scene.world.now
        let deadline = host.now + .seconds(1000)
        scene.a.nextDeadline = deadline
        scene.world.settle(host, scene.a)
        scene.world.run(for: .seconds(1100))
        #expect(scene.a.times.count == 1)
        #expect(scene.a.times[0] >= deadline && scene.a.times[0] < deadline + .microseconds(1))
        #expect(scene.world.now == start + .seconds(1100))
    }

    @Test func aDeadlineThatMovesAwayDoesNotFire() {
        let scene = Scene()
        let host = scene.a.host
        for milliseconds in [50, 4000, 2000] {
            scene.a.nextDeadline = host.now + .milliseconds(milliseconds)
            scene.world.settle(host, scene.a)
        }
        let deadline = scene.a.nextDeadline
        scene.world.run(for: .seconds(10))
        #expect(scene.a.times == [deadline])
    }

    @Test func aMachineWithoutAClockBeginsIn1970() {
        let scene = Scene {
            $0[.noClock] = 1
            $0.clockArrival = .seconds(100)...(.seconds(100))
        }
        #expect(scene.a.host.wall.milliseconds < 3000)
        scene.world.run(for: .seconds(101))
        #expect(scene.a.host.wall == scene.world.wall)
    }

    @Test func aProcessMayEndWhileItStarts() {
        let program = StartingWriter.Log()
        var dials = Dials.quiet
        dials[.powerLossInside] = 0.001
        let world = World(seed: 2, dials: dials, topology: pair) { StartingWriter($0, program) }
        world.run(for: .seconds(600))
        for _ in 0..<40 {
            world.happen(.kill)
            world.run(for: .seconds(120))
        }
        #expect(program.begun > program.done + 3)
        #expect(program.done > 20)
    }

    @Test func healingRightsAll() throws {
        let scene = Scene {
            $0[.writeFault] = 1
            $0[.noClock] = 1
            $0[.clockDrift] = 1
        }
        let world = scene.world
        world.pause(scene.a.host, for: .seconds(5000))
        for direction in world.directions.indices { world.block(direction: direction, for: .seconds(5000)) }
        world.end(world.hosts[1], losesPower: true)
        world.heal()
        world.run(for: .seconds(2))
        #expect(!scene.a.host.isPaused && scene.b.host.isRunning)
        #expect(scene.a.host.wall == world.wall && scene.b.host.wall == world.wall)
        try scene.connect()
        let file = try scene.a.host.disk.open("/file", .create(permissions: 0o600))
        try [UInt8](repeating: 1, count: 100).withUnsafeBytes { try scene.a.host.disk.write(file, $0, at: 0) }
    }
}

/// Has much to write before it runs.
private final class StartingWriter: Recorder {
    final class Log {
        var begun = 0
        var done = 0
    }

    private let log: Log

    init(_ host: Host, _ log: Log) {
        self.log = log
        super.init(host)
    }

    override func start() throws {
        log.begun += 1
        for _ in 0..<60 { _ = try host.disk.attributes(of: "/") }
        log.done += 1
    }
}
