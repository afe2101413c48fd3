import Envelope
import Journal
import Testing

@testable import Simulation

struct FaultTests {
    private func star(_ seed: UInt64, _ change: (inout Dials) -> Void = { _ in }) -> World {
        var dials = Dials.quiet
        change(&dials)
        let world = World(seed: seed, dials: dials, topology: .random(seed: seed, relays: 6, agents: 6)) {
            Recorder($0)
        }
        world.run(for: .seconds(2))
        return world
    }

    @Test func aSwizzleOpensLinksInAnotherOrderThanItClogsThem() {
        var isReordered = false
        for seed in 1...10 as ClosedRange<UInt64> {
            let world = star(seed)
            var clogged: [Int] = []
            var opened: [Int] = []
            world.everyStep = {
                for direction in world.directions.indices {
                    if world.isBlocked(direction) {
                        if !clogged.contains(direction) { clogged.append(direction) }
                    } else if clogged.contains(direction), !opened.contains(direction) {
                        opened.append(direction)
                    }
                }
            }
            world.happen(.swizzle)
            world.run(for: .seconds(20))
            #expect(clogged.sorted() == opened.sorted())
            if clogged.count > 3, clogged != opened { isReordered = true }
        }
        #expect(isReordered)
    }

    @Test func bytesWaitOutAClog() throws {
        let scene = Scene { $0.clogTime = .seconds(3)...(.seconds(3)) }
        try scene.connect()
        let index = try #require(scene.world.ways[0].first)
        scene.world.block(direction: index, for: .seconds(3))
        for number in 1...3 { scene.a.host.write(scene.id, [UInt8(number)]) }
        scene.world.run(for: .milliseconds(2900))
        #expect(scene.b.bytes.isEmpty)
        // Longer than the first: the later end counts.
        scene.world.block(direction: index, for: .seconds(2))
        scene.world.run(for: .seconds(1))
        #expect(scene.b.bytes.isEmpty)
        scene.world.run(for: .milliseconds(1200))
        #expect(scene.b.bytes == [1, 2, 3])
        #expect(scene.a.closings == 0 && scene.b.closings == 0)
    }

    @Test func anIsolatedNodeReachesNobodyUntilItHeals() {
        let world = star(4) { $0.partitionTime = .seconds(100)...(.seconds(100)) }
        world.happen(.isolation)
        let alone = world.hosts.indices.filter { index in
            world.ways[index].allSatisfy { world.isBlocked($0) && world.isBlocked($0 ^ 1) }
        }
        #expect(!alone.isEmpty)
        world.heal()
        #expect(world.directions.indices.allSatisfy { !world.isBlocked($0) })
    }

    @Test func damageHitsOnlyWhomItMay() throws {
        let world = star(7) { $0.bootTime = .seconds(1)...(.seconds(2)) }
        for host in world.hosts { _ = try host.disk.make("/file", [UInt8](repeating: 5, count: 5000)) }
        world.mayHit = { host, kind in host.kind == .relay || !kind.destroysDurableData }
        for _ in 0..<30 {
            for kind in [FaultKind.bitRot, .wiped, .rolledBack] { world.happen(kind) }
            world.run(for: .seconds(5))
        }
        for host in world.hosts where host.kind == .agent {
            #expect(host.disk.damageLog.isEmpty && host.disk.durable("/file")?.count == 5000)
        }
        let logged = Set(world.hosts.flatMap { $0.disk.damageLog.map(\.kind) })
        #expect(logged == [.bitRot, .wiped, .rolledBack])
        #expect(world.faults[.wiped] == world.hosts.reduce(0) { $0 + $1.disk.damageLog.count { $0.kind == .wiped } })
    }

    @Test func aFullDiskIsFreedAndASlowOneSpedUp() throws {
        let world = star(3) {
            $0.fullDiskBytes = 0...0
            $0.fullDiskTime = .seconds(5)...(.seconds(5))
            $0.slowDiskTime = .seconds(5)...(.seconds(5))
            $0.slowDiskFactor = 50
        }
        world.happen(.diskFull)
        world.happen(.slowDisk)
        let full = try #require(world.hosts.first { $0.disk.freeBytes == 0 })
        let slow = try #require(world.hosts.first { $0.disk.costs.factor == 50 })
        #expect(throws: FileError.self) { _ = try full.disk.make("/file", [1]) }
        world.run(for: .seconds(6))
        #expect(slow.disk.costs.factor == 1)
        _ = try full.disk.make("/file", [1])
    }
}
