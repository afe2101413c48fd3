import Envelope
import Link
import Testing

@testable import Mesh

/// agent a – relay r1 – relay r2 – agent b.
struct Line {
    let world: World
    let a: ToyNode
    let r1: ToyNode
    let r2: ToyNode
    let b: ToyNode

    init(seed: UInt64 = 1, connected: Bool = true, _ change: (inout Forwarder.Configuration) -> Void = { _ in }) {
        world = World(seed: seed)
        a = world.add("plant-a/a", kind: .agent)
        r1 = world.add("plant-a/r1", change)
        r2 = world.add("plant-b/r2", change)
        b = world.add("plant-b/b", kind: .agent)
        a.setRoutes([(b, [r1])])
        r1.setRoutes([(b, [r2]), (a, [a])])
        r2.setRoutes([(b, [b]), (a, [r1])])
        b.setRoutes([(a, [r2])])
        guard connected else { return }
        world.connect(a, r1)
        world.connect(r1, r2)
        world.connect(r2, b)
        world.flow()
    }
}

struct ForwarderTests {
    @Test func deliversInOrderWithoutTheDisk() {
        let line = Line()
        for _ in 0..<500 { line.world.send(line.a, line.b) }
        line.world.flow()
        #expect(line.world.ledger.deliveries == Array(1...500))
        #expect(line.world.ledger.departed.count == 500)
        #expect(line.r1.store.writes == 0 && line.r2.store.writes == 0)
        #expect(line.world.isDrained)
        line.world.run(.seconds(3))
        #expect(line.r1.store.writes == 0 && line.r2.store.writes == 0)
        #expect(line.r1.exchange.forwarder.holdings.memoryBytes == 0)
    }
}
