import Envelope
import Link
import TestSupport
import Testing

@testable import Mesh

/// Anything may happen in any order; nothing accepted may be lost, and once all is well again everything arrives.
struct RandomRunTests {
    @Test func nothingIsLostInALine() {
        for seed in Seeds.range(1...25) {
            var run = RandomRun(seed: seed)
            run.play(steps: 400)
            guard run.ends() else {
                Issue.record("seed \(seed) of a line")
                return
            }
        }
    }

    @Test func nothingIsLostWhereWaysChange() {
        for seed in Seeds.range(1...25) {
            var run = RandomRun(seed: seed, isDiamond: true)
            run.play(steps: 400)
            guard run.ends() else {
                Issue.record("seed \(seed) of a diamond")
                return
            }
        }
    }

    @Test func nothingIsLostUnderStoreFirst() {
        for seed in Seeds.range(1...20) {
            var run = RandomRun(seed: seed, isDiamond: true, durability: .storeFirst)
            run.play(steps: 400)
            guard run.ends() else {
                Issue.record("seed \(seed) under storeFirst")
                return
            }
        }
    }
}

struct RandomRun {
    let world: World
    let a: ToyNode
    let b: ToyNode
    let relays: [ToyNode]
    private var random: SeededGenerator
    /// Pairs that may have a wire.
    private let edges: [(ToyNode, ToyNode)]
    private let hasExpiry: Bool

    init(seed: UInt64, isDiamond: Bool = false, durability: Durability = .cutThrough) {
        random = SeededGenerator(seed: seed)
        let world = World(seed: seed)
        self.world = world
        let memory = [4 << 10, 64 << 10, 8 << 20].randomElement(using: &random) ?? 0
        hasExpiry = seed % 5 == 0
        a = world.add("plant-a/a", kind: .agent) { $0.memoryBytes = 1 << 20 }
        b = world.add("plant-b/b", kind: .agent) { $0.memoryBytes = 1 << 20 }
        relays = (0..<(isDiamond ? 4 : 2)).map { index in
            world.add("dmz/r\(index)") {
                $0.memoryBytes = memory
                $0.durability = durability
            }
        }
        let (first, last) = (relays[0], relays[relays.count - 1])
        edges =
            isDiamond
            ? [(a, first), (first, relays[1]), (first, relays[2]), (relays[1], last), (relays[2], last), (last, b)]
            : [(a, first), (first, last), (last, b)]
        a.setRoutes([(b, [first])])
        b.setRoutes([(a, [last])])
        setRoutes(mixed: false)
        for (left, right) in edges { world.connect(left, right) }
        world.wireBytes = [2000, 50_000, 4 << 20].randomElement(using: &random) ?? 0
    }

    /// - Parameter mixed: ways that may lead round in a circle.
    private func setRoutes(mixed: Bool) {
        let (first, last) = (relays[0], relays[relays.count - 1])
        first.setRoutes([(b, relays.count == 4 ? [relays[1], relays[2]] : [last]), (a, [a])])
        last.setRoutes([(b, [b]), (a, relays.count == 4 ? [relays[2], relays[1]] : [first])])
        for middle in relays.dropFirst().dropLast() {
            middle.setRoutes(mixed ? [(b, [first, last]), (a, [last, first])] : [(b, [last]), (a, [first])])
        }
    }

    mutating func play(steps: Int) {
        for _ in 0..<steps { step() }
    }

    private mutating func step() {
        let wire = world.wires.randomElement(using: &random)
        let node = world.nodes.randomElement(using: &random) ?? a
        let end = Int.random(in: 0...1, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<25: send()
        case 25..<55:
            if let wire, !wire.isCut { world.deliver(wire, end, limit: .random(in: 1...20_000, using: &random)) }
        case 55..<60:
            if let wire, !wire.isCut { world.deliver(wire, end) }
        case 60..<70: _ = node.completeStore()
        case 70..<78: _ = node.finishDelivery()
        case 78..<86: world.advance(.milliseconds(.random(in: 0...60, using: &random)))
        case 86..<89: if let wire, !wire.isCut { world.cut(wire) }
        case 89: if let wire, !wire.isCut { world.cut(wire, ends: [end]) }
        case 90..<94: if let (left, right) = edges.randomElement(using: &random) { world.connect(left, right) }
        case 94: if node.kind == .relay { node.restart() }
        case 95: if node.kind == .relay { node.store.isFailing.toggle() }
        case 96: if node.kind == .relay { node.store.limit = Bool.random(using: &random) ? 3 : .max }
        case 97: b.isBusy.toggle()
        case 98: if relays.count == 4 { setRoutes(mixed: Bool.random(using: &random)) }
        default: world.flow(rounds: 20)
        }
    }

    private mutating func send() {
        let lane = Lane.allCases.randomElement(using: &random) ?? .live
        let body = [10, 1000, 10_000, 300_000].randomElement(using: &random) ?? 0
        let lifetime: UInt32 = hasExpiry && Int.random(in: 0..<10, using: &random) == 0 ? 1 : 1_000_000
        if body > 100_000, Int.random(in: 0..<4, using: &random) > 0 { return }
        for _ in 0..<(body > 100_000 ? 1 : Int.random(in: 1...5, using: &random)) {
            if Bool.random(using: &random) || body > 100_000 {
                world.send(a, b, lane: lane, body: body, lifetime: lifetime)
            } else {
                world.send(b, a, lane: lane, body: body, lifetime: lifetime)
            }
        }
    }

    /// Everything is well again; everything must arrive.
    mutating func ends() -> Bool {
        b.isBusy = false
        for relay in relays {
            relay.store.isFailing = false
            relay.store.limit = .max
        }
        setRoutes(mixed: false)
        for wire in world.wires where !wire.isCut { world.cut(wire) }
        for wire in world.wires { for end in [0, 1] { world.close(wire, end) } }
        world.wires = []
        for (left, right) in edges { world.connect(left, right) }
        world.run(.seconds(3))
        // Parked envelopes get another try when routes change.
        setRoutes(mixed: false)
        world.run(.seconds(30), step: .milliseconds(500))
        let missing = world.ledger.atSource.keys.filter {
            world.ledger.delivered[$0] == nil && !world.ledger.expired.contains($0)
        }
        #expect(missing.isEmpty, "not delivered: \(missing.sorted())")
        #expect(world.isDrained, "something is still somewhere")
        let lost = world.nodes.map { $0.exchange.forwarder.counters.lost }.reduce(0, +)
        #expect(lost == 0)
        for node in world.nodes {
            let figures = node.exchange.forwarder.holdings
            #expect(figures.memoryBytes == 0, "\(node.name) still holds \(figures.memoryBytes) bytes")
            let bad = node.endings.filter { if case .left = $0 { false } else { $0 != .silent && $0 != .helloTooLate } }
            #expect(bad.isEmpty, "\(node.name): \(bad)")
        }
        return missing.isEmpty && world.isDrained
    }
}
