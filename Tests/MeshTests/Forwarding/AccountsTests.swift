import Envelope
import Link
import Testing

@testable import Mesh

/// Flows, lanes and sources are counted and bounded each by itself. The toy nodes check after every turn that all
/// accounts balance and add up.
struct AccountsTests {
    private func flow(
        _ name: String, from: String = "plant-a/a", lane: Lane = .live, rate: UInt64? = nil, quota: Quota = .none,
        durability: Durability? = nil
    ) throws -> FlowDeclaration {
        FlowDeclaration(
            name: name, from: [try FlowPattern(from)], to: [.everything], lane: lane, bytesPerSecond: rate,
            quota: quota,
            durability: durability)
    }

    private func policy(_ flows: [FlowDeclaration], _ world: World, knowing: Bool = true) throws -> FlowPolicy {
        let ids = Dictionary(uniqueKeysWithValues: world.nodes.map { ($0.name.description, $0.id) })
        let names = Dictionary(uniqueKeysWithValues: world.nodes.map { ($0.id, $0.name) })
        return FlowPolicy(
            try FlowTable(flows) { ids[$0] ?? NodeID(Bytes16(low: 99, high: 99)) },
            Snapshot(directory: Directory(names: knowing ? names : [:]), directoryVersion: knowing ? 1 : 0))
    }

    /// Whose r1 has these flows and no way on.
    private func dammed(_ flows: [FlowDeclaration]) throws -> (Line, Wire) {
        let line = Line()
        line.r1.exchange.forwarder.setPolicy(try policy(flows, line.world), at: line.world.now)
        let wire = try #require(line.world.wire(line.r1, line.r2))
        line.world.cut(wire)
        return (line, wire)
    }

    private func heal(_ line: Line) {
        line.world.connect(line.r1, line.r2)
        line.world.run(.seconds(8), step: .milliseconds(100))
    }

    private let length = Header.size + 32

    @Test func aFlowIsCountedByItself() throws {
        let (line, _) = try dammed([try flow("first"), try flow("second", lane: .control)])
        for _ in 0..<10 { line.world.send(line.a, line.b) }
        line.world.send(line.a, line.b, lane: .control)
        line.world.run(.seconds(1))
        let held = try #require(line.r1.flowFigures["first"])
        #expect(held.envelopes == 10 && held.bytes == 10 * length && held.counters.delivered == 0)
        #expect(line.r1.flowFigures["second"]?.envelopes == 1)
        #expect(line.r1.figures(of: .live)?.envelopes == 10)
        #expect(line.r1.figures(of: line.a)?.envelopes == 11)
        heal(line)
        let done = try #require(line.r1.flowFigures["first"])
        #expect(done.envelopes == 0 && done.counters.delivered == 10)
        #expect(done.counters.bytesDelivered == UInt64(10 * length))
    }

    // MARK: Quotas

    @Test(arguments: [Quota(envelopes: 4), Quota(bytes: 3 * (Header.size + 32) + 1)])
    func aFullFlowIsRefusedAndNothingOfItIsLost(_ quota: Quota) throws {
        let (line, _) = try dammed([try flow("small", quota: quota), try flow("other", from: "plant-a/r1")])
        for _ in 0..<10 { line.world.send(line.a, line.b) }
        line.world.run(.seconds(1))
        let held = try #require(line.r1.flowFigures["small"])
        #expect(held.envelopes == 4 && held.isFull && held.counters.refused > 0)
        // The source has not let go of what was refused.
        #expect(line.world.ledger.departed.count == 4)
        heal(line)
        #expect(line.world.ledger.deliveries == Array(1...10))
        #expect(line.r1.flowFigures["small"]?.isFull == false)
    }

    @Test func aFlowThatIsFullLeavesOthersTheirRoom() throws {
        let (line, _) = try dammed([try flow("bulk", lane: .bulk, quota: Quota(envelopes: 1)), try flow("live")])
        for _ in 0..<5 { line.world.send(line.a, line.b, lane: .bulk) }
        for _ in 0..<5 { line.world.send(line.a, line.b) }
        line.world.run(.seconds(1))
        #expect(line.r1.flowFigures["bulk"]?.envelopes == 1)
        #expect(line.r1.flowFigures["live"]?.envelopes == 5)
        heal(line)
        #expect(line.world.ledger.deliveries.count == 10)
    }

    @Test func lanesAndSourcesHaveQuotasOfTheirOwn() throws {
        let (line, _) = try dammed([try flow("live")])
        line.r1.exchange.forwarder.setQuotas(lanes: [.bulk: Quota(envelopes: 2)], source: Quota(envelopes: 5))
        for _ in 0..<4 { line.world.send(line.a, line.b, lane: .bulk) }
        for _ in 0..<9 { line.world.send(line.a, line.b) }
        line.world.send(line.a, line.b, lane: .control)
        line.world.run(.seconds(1))
        #expect(line.r1.figures(of: .bulk)?.envelopes == 2)
        #expect(line.r1.figures(of: .bulk)?.counters.refused ?? 0 > 0)
        // Control has room whatever the quotas say; no flow here lets it pass.
        #expect(line.r1.counters.refusedNotPermitted == 1)
        let source = try #require(line.r1.figures(of: line.a))
        #expect(source.envelopes == 5 && source.isFull && source.counters.refused > 0)
        line.r1.exchange.forwarder.setQuotas(lanes: [:], source: .none)
        heal(line)
        #expect(line.world.ledger.deliveries.count == 13)
    }

    @Test func controlPassesWhereTheSourceIsFull() throws {
        let (line, _) = try dammed([try flow("live"), try flow("word", lane: .control)])
        line.r1.exchange.forwarder.setQuotas(lanes: [:], source: Quota(envelopes: 2))
        for _ in 0..<4 { line.world.send(line.a, line.b) }
        line.world.send(line.a, line.b, lane: .control)
        line.world.run(.seconds(1))
        #expect(line.r1.flowFigures["live"]?.envelopes == 2)
        #expect(line.r1.flowFigures["word"]?.envelopes == 1)
    }

    @Test func whatIsTooOldStopsItsFlowUntilItIsGone() throws {
        let (line, _) = try dammed([try flow("old", quota: Quota(age: .seconds(60)))])
        line.world.send(line.a, line.b)
        line.world.run(.seconds(55), step: .seconds(1))
        line.world.send(line.a, line.b)
        line.world.run(.seconds(20), step: .seconds(1))
        #expect(line.r1.flowFigures["old"]?.isFull == true)
        line.world.send(line.a, line.b)
        line.world.run(.seconds(2), step: .seconds(1))
        #expect(line.r1.flowFigures["old"]?.envelopes == 2)
        line.world.connect(line.r1, line.r2)
        line.world.run(.seconds(20), step: .seconds(1))
        #expect(line.world.ledger.deliveries == [1, 2, 3])
    }

    /// A destination may keep one until an earlier one has come, which may stand behind what would be refused meanwhile.
    @Test func whatTheNextHopHasInHandsIsNotTooOld() throws {
        let line = Line()
        line.r1.exchange.forwarder.setPolicy(
            try policy([try flow("old", quota: Quota(age: .seconds(60)))], line.world), at: line.world.now)
        line.b.isSlow = true
        line.r2.isSlow = true
        line.world.send(line.a, line.b)
        line.world.run(.seconds(90), step: .seconds(1))
        #expect(line.r1.flowFigures["old"]?.envelopes == 1)
        #expect(line.r1.flowFigures["old"]?.isFull == false)
    }

    /// A later one taken while an earlier one was refused would wait at the destination for the earlier one, and that
    /// one for the room of the later.
    @Test func nothingOfAStreamOvertakesWhatWasRefused() throws {
        let line = Line()
        line.r1.exchange.forwarder.setPolicy(
            try policy([try flow("small", quota: Quota(envelopes: 2))], line.world), at: line.world.now)
        line.b.isSlow = true
        line.r2.isSlow = true
        let wire = try #require(line.world.wire(line.a, line.r1))
        let end = wire.ends[0].node === line.r1 ? 0 : 1
        for _ in 0..<2 { line.world.send(line.a, line.b) }
        line.world.deliver(wire, end)
        line.world.send(line.a, line.b)
        line.world.deliver(wire, end)
        #expect(line.r1.counters.refusedFull == 1)
        // There is room again before the fourth comes, which was on its way already.
        line.r1.exchange.forwarder.setPolicy(try policy([try flow("small")], line.world), at: line.world.now)
        let fourth = line.world.envelope(from: line.a, to: line.b.id)
        let number = line.r1.exchange.forwarder.link(to: line.a.id)
        fourth.withUnsafeBytes { bytes in
            line.r1.exchange.forwarder.arrived(
                on: number, transmission: 4, hop: HopFields(hopLimit: 9, age: 0), envelope: bytes, at: line.world.now)
        }
        #expect(line.r1.counters.refusedFull == 2)
        #expect(line.r1.counters.accepted == 2)
    }

    @Test func aStreamWaitsForItsEarliestRefusedForSomeTime() throws {
        var table = StreamTable()
        let world = World()
        let node = world.add("plant-a/a", kind: .agent)
        let headers = try (1...4).map { _ in try Header(world.envelope(from: node, to: node.id)) }
        let place = table.place(headers[0].stream, of: node.id)
        let now = world.now
        table[place].noteRefused(headers[2], at: now)
        #expect(!table[place].isBehindRefused(headers[1], at: now))
        #expect(!table[place].isBehindRefused(headers[2], at: now))
        #expect(table[place].isBehindRefused(headers[3], at: now))
        table[place].noteTaken(headers[1].sequence)
        #expect(table[place].isBehindRefused(headers[3], at: now))
        // An earlier one takes its place; a later one does not.
        table[place].noteRefused(headers[1], at: now)
        table[place].noteRefused(headers[3], at: now)
        #expect(table[place].isBehindRefused(headers[2], at: now))
        #expect(!table[place].isBehindRefused(headers[2], at: now + Limits.refusedStream))
        table[place].noteTaken(headers[2].sequence)
        #expect(!table[place].isBehindRefused(headers[3], at: now))
    }

    @Test func aGapHasAsMuchAgain() {
        var account = Account()
        account.bound(by: Quota(envelopes: 8))
        for _ in 0..<8 { account.open(1) }
        #expect(account.isFull && !account.isFull(forGap: true))
        for _ in 0..<8 { account.open(1) }
        #expect(account.isFull(forGap: true))
    }

    // MARK: Rates

    @Test func aFlowSendsNoFasterThanItMay() throws {
        let line = Line()
        // Ten envelopes a second.
        let rate = UInt64(10 * length)
        line.r1.exchange.forwarder.setPolicy(try policy([try flow("slow", rate: rate)], line.world), at: line.world.now)
        for _ in 0..<100 { line.world.send(line.a, line.b) }
        line.world.run(.seconds(5))
        let count = line.world.ledger.deliveries.count
        #expect((50...53).contains(count), "\(count)")
        line.world.run(.seconds(6))
        #expect(line.world.ledger.deliveries == Array(1...100))
    }

    @Test func aPacedFlowLeavesAnotherItsWay() throws {
        let line = Line()
        let flows = [try flow("slow", lane: .bulk, rate: 100), try flow("fast")]
        line.r1.exchange.forwarder.setPolicy(try policy(flows, line.world), at: line.world.now)
        for _ in 0..<5 { line.world.send(line.a, line.b, lane: .bulk) }
        for _ in 0..<50 { line.world.send(line.a, line.b) }
        line.world.flow()
        #expect(line.world.ledger.deliveries.count >= 50)
        #expect(line.r1.flowFigures["fast"]?.envelopes == 0)
        #expect(line.r1.flowFigures["slow"]?.envelopes ?? 0 > 0)
    }

    @Test func thePacerKeepsTimeThatNobodyUsed() {
        var pacer = Pacer(bytesPerSecond: 1000)
        let start = Instant(nanoseconds: 5_000_000_000)
        #expect(pacer.wait(at: start) == nil)
        pacer.pass(100, at: start)
        // A tenth of a second was left over.
        #expect(pacer.wait(at: start) == nil)
        pacer.pass(200, at: start)
        #expect(pacer.wait(at: start) == start + .milliseconds(200))
        #expect(pacer.wait(at: start + .milliseconds(195)) == start + .milliseconds(205))
        #expect(pacer.wait(at: start + .milliseconds(200)) == nil)
    }

    // MARK: Durability

    @Test func aFlowMayGoToTheStoreFirst() throws {
        let line = Line()
        let flows = [try flow("safe", lane: .bulk, durability: .storeFirst), try flow("fast")]
        line.r1.exchange.forwarder.setPolicy(try policy(flows, line.world), at: line.world.now)
        line.r1.isSlow = true
        line.world.send(line.a, line.b)
        line.world.send(line.a, line.b, lane: .bulk)
        line.world.flow()
        #expect(line.world.ledger.deliveries.count == 2)
        // The next hop has it, and still the word waits for the store.
        #expect(line.world.ledger.departed == [1])
        line.r1.isSlow = false
        line.world.flow()
        #expect(line.world.ledger.departed == [1, 2])
        #expect(line.r1.store.writes == 1)
    }

    @Test func aFlowMayCutThroughWhereTheRelayStoresFirst() throws {
        let line = Line { $0.durability = .storeFirst }
        let flows = [try flow("fast", durability: .cutThrough)]
        line.r1.exchange.forwarder.setPolicy(try policy(flows, line.world), at: line.world.now)
        line.world.send(line.a, line.b)
        line.world.flow()
        #expect(line.world.ledger.deliveries == [1])
        #expect(line.r1.store.writes == 0 && line.r2.store.writes == 1)
    }

    // MARK: Changes

    @Test func whatWasFoundInTheStoreIsGivenToItsFlowOnceTheMeshIsKnown() throws {
        let (line, _) = try dammed([try flow("zone", from: "plant-a/*")])
        for _ in 0..<3 { line.world.send(line.a, line.b) }
        line.world.run(.seconds(3))
        line.r1.restart()
        let flows = [try flow("zone", from: "plant-a/*", quota: Quota(envelopes: 3))]
        line.r1.exchange.forwarder.setPolicy(try policy(flows, line.world, knowing: false), at: line.world.now)
        #expect(line.r1.otherFigures.envelopes == 3)
        line.r1.exchange.forwarder.setPolicy(try policy(flows, line.world), at: line.world.now)
        #expect(line.r1.otherFigures.envelopes == 0 && line.r1.otherFigures.counters.accepted == 0)
        #expect(line.r1.flowFigures["zone"]?.envelopes == 3)
        #expect(line.r1.flowFigures["zone"]?.isFull == true)
        line.r1.setRoutes([(line.b, [line.r2]), (line.a, [line.a])])
        line.world.connect(line.a, line.r1)
        heal(line)
        #expect(line.world.ledger.deliveries == [1, 2, 3])
        #expect(line.r1.flowFigures["zone"]?.counters.delivered == 3)
    }

    @Test func whatIsHeldStaysWithItsFlowWhenFlowsChange() throws {
        let (line, _) = try dammed([try flow("kept", lane: .bulk), try flow("gone")])
        line.world.send(line.a, line.b)
        line.world.send(line.a, line.b, lane: .bulk)
        line.world.run(.seconds(1))
        let flows = [try flow("kept", lane: .bulk, quota: Quota(envelopes: 1)), try flow("new")]
        line.r1.exchange.forwarder.setPolicy(try policy(flows, line.world), at: line.world.now)
        #expect(line.r1.flowFigures["gone"]?.envelopes == 1)
        #expect(line.r1.flowFigures["kept"]?.isFull == true)
        line.world.send(line.a, line.b)
        line.world.run(.seconds(1))
        #expect(line.r1.flowFigures["new"]?.envelopes == 1)
        heal(line)
        #expect(line.world.ledger.deliveries.count == 3)
    }

    @Test func manyStreamsAreForgottenOnceNothingOfThemIsHeld() {
        var table = StreamTable()
        let source = NodeID(Bytes16(low: 1, high: 1))
        func stream(_ number: Int) -> StreamID { StreamID(Bytes16(low: UInt64(number), high: 1)) }
        let kept = table.place(stream(0), of: source)
        table.open(kept, 10)
        for number in 1...20_000 {
            let place = table.place(stream(number), of: source)
            table.open(place, 1)
            table.close(place, 1, .delivered)
        }
        #expect(table.count <= Limits.idleStreams)
        #expect(table.find(stream(0), of: source) == kept)
        #expect(table.account(of: kept).envelopes == 1)
    }
}
