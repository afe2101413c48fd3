import Envelope
import Link
import Testing

@testable import Journal
@testable import Mesh
@testable import RelayCore

/// A relay's machine with a neighbour that has a session: what is taken over, and what is told of the mesh.
struct RelayMachineMeshTests {
    private let scene: RelayScene
    private let neighbour: RelayNeighbour

    init() throws {
        scene = try RelayScene("dmz/relay-1", flows: [Self.flow()], durability: .storeFirst)
        // Nobody dials there; its name is known because a link to it stands in the configuration.
        try scene.linkUp("plant-b/agent-1", .agent)
        neighbour = try RelayNeighbour("plant-a/agent-1", .agent, of: scene)
        neighbour.connect()
        // Ways are computed a little after something has changed.
        advance(.seconds(1))
        _ = scene.facts()
    }

    private static func flow() throws -> FlowDeclaration {
        FlowDeclaration(name: "rows", from: [try FlowPattern("plant-a/*")], to: [try FlowPattern("plant-b/*")])
    }

    private func envelope(_ sequence: UInt64 = 1, stream: UInt64 = 1, lifetime: UInt32 = 3600) -> [UInt8] {
        let header = Header(
            kind: .data, lane: .live, source: RelayScene.id("plant-a/agent-1"),
            destination: RelayScene.id("plant-b/agent-1"), stream: StreamID(Bytes16(low: stream, high: 1)),
            sequence: Sequence(sequence), floor: Sequence(1), created: WallTime(milliseconds: 0), lifetime: lifetime,
            key: KeyID(Bytes16(low: 1, high: 1)), bodyLength: 20)
        return header.encoded + [UInt8](repeating: 6, count: 20)
    }

    private var appended: [UInt64] {
        scene.batch.operations.compactMap { if case .append(_, let token, _, _, _, _) = $0 { token } else { nil } }
    }

    private func advance(_ time: Duration) {
        scene.now = scene.now + time
        scene.exchange.timeReached(scene.now)
        neighbour.exchange.timeReached(scene.now)
        scene.machine.timeReached(scene.now, wall: WallTime(milliseconds: 0), usage: LogUsage(), &scene.exchange)
        neighbour.turn()
    }

    // MARK: The store

    @Test func anArrivalWithoutAWayOnIsTakenOverOnceItIsStored() throws {
        neighbour.answer = { _ in [] }
        neighbour.send(envelope())
        #expect(appended.count == 1)
        #expect(neighbour.handedOver == 0)
        // With its age in front of it, as a start will read it.
        let stored = scene.written.withUnsafeBytes { StoredEnvelope($0) }
        #expect(stored?.boot == scene.machineBoot && stored?.hop.hopLimit == Limits.hops - 1)
        #expect(Array(scene.written.dropFirst(StoredEnvelope.prefixBytes)) == envelope())
        let token = try #require(appended.first)
        scene.batch.removeAll()
        scene.complete([JournalCompletion(token: token, lsn: LSN(9), outcome: .durable)])
        neighbour.turn()
        #expect(neighbour.handedOver == 1)
        #expect(scene.parked == 1)
    }

    @Test func whatTheJournalRefusesStaysWithTheNeighbour() throws {
        neighbour.answer = { _ in [] }
        neighbour.send(envelope())
        let token = try #require(appended.first)
        scene.batch.removeAll()
        let full = JournalError.full(bytesInUse: 9, maxBytes: 9)
        scene.complete([JournalCompletion(token: token, lsn: .none, outcome: .refused(full))])
        neighbour.turn()
        #expect(neighbour.handedOver == 0 && !scene.takesWrites)
        let told = scene.facts().contains { if case .storeRefused(full) = $0 { true } else { false } }
        #expect(told)
    }

    @Test func aBatchWithoutRoomIsARefusalToo() {
        neighbour.answer = { _ in [] }
        let ballast = [UInt8](repeating: 0, count: JournalBatch.byteLimit)
        let isTaken = ballast.withUnsafeBytes { scene.batch.append(RecordKind(9), token: 1, $0) }
        #expect(isTaken)
        neighbour.send(envelope())
        #expect(appended.count == 1)
        #expect(neighbour.handedOver == 0 && !scene.takesWrites)
    }

    @Test func whatIsAskedForAnInstanceThatIsGoneIsNotDone() {
        scene.perform([.store(InstanceID(token: 0xFFFF_FFFF_0000)), .departed(owner: 3)])
        #expect(scene.batch.isEmpty)
        #expect(scene.takesWrites)
    }

    @Test func aStoredEnvelopeIsReleasedWhenItsLifeIsOver() {
        neighbour.send(envelope(lifetime: 10))
        #expect(neighbour.handedOver == 1)
        advance(.seconds(11))
        let told = scene.facts().contains { fact in
            if case .expired(let destination, .live, _) = fact {
                destination == RelayScene.id("plant-b/agent-1")
            } else {
                false
            }
        }
        #expect(told)
        let released = scene.batch.operations.contains { if case .release = $0 { true } else { false } }
        #expect(released)
    }

    /// Whose life is over is told to its source, a run of numbers at a time, and once.
    @Test func aSourceIsToldWhatExpiredHere() {
        for number in [1, 2, 3, 5] as [UInt64] {
            neighbour.send(envelope(number, lifetime: 10))
            if number == 2 { neighbour.send(envelope(9, stream: 3, lifetime: 10)) }
        }
        neighbour.send(envelope(6))
        advance(.seconds(11))
        let stream = { StreamID(Bytes16(low: $0, high: 1)) }
        #expect(neighbour.arrived.map(\.stream) == [stream(1), stream(3), stream(1)])
        #expect(neighbour.arrived.map(\.floor) == [Sequence(1), Sequence(9), Sequence(5)])
        #expect(neighbour.arrived.map(\.sequence) == [Sequence(3), Sequence(9), Sequence(5)])
        #expect(neighbour.arrived.allSatisfy { $0.kind == .expiry && $0.lane == .control })
        #expect(neighbour.arrived.allSatisfy { $0.source == RelayScene.id("dmz/relay-1") })
        advance(.seconds(60))
        #expect(neighbour.arrived.count == 3)
    }

    /// While their source is away notices wait, up to a bound, and not for ever.
    @Test func noticesThatCannotGoAreBounded() {
        for number in 1...20 as ClosedRange<UInt64> { neighbour.send(envelope(number * 2, lifetime: 10)) }
        neighbour.disconnect()
        advance(.seconds(11))
        let waiting = scene.machine.notices.waiting
        #expect(waiting == 20)
        advance(.seconds(Int64(ExpiryNotices.lifetime) + 11))
        let left = scene.machine.notices.waiting
        #expect(left == 0)
        var notices = ExpiryNotices()
        for number in 1...UInt64(ExpiryNotices.limit) + 5 { notices.add(dropped(number * 2)) }
        notices.add(dropped(2 * UInt64(ExpiryNotices.limit) + 1))
        let told = notices.take()
        #expect(told.count == ExpiryNotices.limit && told.last?.last.number == 2 * UInt64(ExpiryNotices.limit) + 1)
        notices.add(dropped(1))
        #expect(notices.take() == [])
        notices.left()
        notices.add(dropped(1))
        #expect(notices.take().count == 1)
    }

    private func dropped(_ sequence: UInt64) -> Effect.Dropped {
        Effect.Dropped(
            source: RelayScene.id("plant-a/agent-1"), stream: StreamID(Bytes16(low: 1, high: 1)),
            sequence: Sequence(sequence), destination: RelayScene.id("plant-b/agent-1"), lane: .live, bytes: 10,
            owner: 0)
    }

    @Test func aStallAndItsEndAreTold() {
        let error = JournalError.file(FileError(.synchronize, path: "/j", kind: .other, reason: "input/output error"))
        scene.complete([
            JournalCompletion(token: 0, lsn: .none, outcome: .stalled(error)),
            JournalCompletion(token: 0, lsn: .none, outcome: .resumed),
            JournalCompletion(token: 0, lsn: LSN(3), outcome: .released),
        ])
        let words = scene.facts().map { fact in
            switch fact {
            case .storeStalled: "stalled"
            case .storeResumed: "resumed"
            default: "more"
            }
        }
        #expect(words == ["stalled", "resumed"])
    }

    @Test func bytesThatAreNoEnvelopeAreToldAndTakenOff() {
        neighbour.send([UInt8](repeating: 3, count: 200))
        let told = scene.facts().contains { if case .damagedArrival = $0 { true } else { false } }
        #expect(told)
        #expect(scene.damaged == 1 && scene.batch.isEmpty && neighbour.handedOver == 1)
    }

    @Test func aJournalIsOpenedForItsRecordsAlone() {
        let options = RelayMachine<ChecksumTrust>.logOptions(segmentBytes: 1 << 20, maxBytes: 1 << 24, entropy: 7)
        #expect(options.kinds == [StoredEnvelope.recordKind])
        #expect(options.replayPrefix == StoredEnvelope.prefixBytes + Header.size)
    }

    // MARK: Flows and routes

    @Test func otherFlowsHoldFromNowOn() throws {
        scene.machine.setFlows(
            try FlowTable([], identify: { RelayScene.id($0) }), &scene.exchange, at: scene.now)
        // And outlive a change of the mesh, which makes the policy anew.
        try scene.linkUp("plant-c/agent-1", .agent)
        advance(.seconds(1))
        neighbour.send(envelope())
        #expect(neighbour.handedOver == 0 && scene.refusedNotPermitted == 1)
        scene.machine.setFlows(
            try FlowTable([Self.flow()], identify: { RelayScene.id($0) }), &scene.exchange, at: scene.now)
        advance(.seconds(120))
        #expect(neighbour.handedOver == 1)
    }

    @Test func aLinkThatEndsIsNoWayAnyMore() throws {
        let id = RelayScene.id("plant-a/agent-1")
        let before = scene.machine.router.route(to: id)
        #expect(before == .nextHops([id]))
        neighbour.disconnect()
        advance(.seconds(1))
        let after = scene.machine.router.route(to: id)
        #expect(after != before)
    }

    @Test func aNodeThatNobodyKnowsIsShownByItsNumber() {
        let id = NodeID(Bytes16(low: 1, high: 2))
        #expect(scene.machine.name(of: id) == id.description)
    }

    // MARK: The mesh

    @Test func aRelayTellsOfItselfAndOfItsStore() throws {
        let other = try RelayNeighbour("plant-a/relay-1", .relay, of: scene)
        other.connect()
        scene.machine.describeSelf(softwareVersion: "1.2.3", listenPorts: [7400], &scene.exchange, at: scene.now)
        var usage = LogUsage()
        usage.records = 7
        usage.liveBytes = 1234
        scene.now = scene.now + .seconds(60)
        scene.machine.timeReached(scene.now, wall: WallTime(milliseconds: 0), usage: usage, &scene.exchange)
        other.turn()
        #expect(!other.heard.isEmpty)
        var router = Router(
            local: other.name, boot: 1, trust: ChecksumTrust(), wall: WallTime(milliseconds: 0), at: scene.now,
            identify: { RelayScene.id($0) })
        var sink = Silence()
        router.linkUp(
            peer: scene.name, kind: .relay, cost: 1, dialledByUs: true, at: scene.now, into: &sink)
        for message in other.heard { try router.receive(message, from: scene.name, at: scene.now, into: &sink) }
        let report = router.topology(at: scene.now).relays.first { $0.name == scene.name }?.report
        #expect(report?.softwareVersion == "1.2.3")
        #expect(report?.holdings.storedEnvelopes == 7 && report?.holdings.storedBytes == 1234)
        #expect(scene.machine.nextDeadline > scene.now)
    }

    @Test func whatTheMeshAlarmsOfIsTold() throws {
        let name = try NodeName("plant-z/relay-1")
        var liar = Router(
            local: name, boot: 1, trust: WrongTrust(), wall: WallTime(milliseconds: 0), at: scene.now,
            identify: { RelayScene.id($0) })
        var sink = Silence()
        liar.linkUp(peer: scene.name, kind: .relay, cost: 1, dialledByUs: true, at: scene.now, into: &sink)
        let other = try RelayNeighbour(name.description, .relay, of: scene)
        other.connect()
        for message in sink.sent { scene.machine.receive(message, from: name, &scene.exchange, at: scene.now) }
        let told = scene.facts().contains { if case .alarm(.badSignature) = $0 { true } else { false } }
        #expect(told)
    }
}

extension RelayScene {
    // Copies, since an expectation cannot look into what is not copyable.
    fileprivate var takesWrites: Bool { exchange.forwarder.storeTakesWrites }
    fileprivate var damaged: UInt64 { exchange.forwarder.counters.damaged }
    fileprivate var refusedNotPermitted: UInt64 { exchange.forwarder.counters.refusedNotPermitted }
    fileprivate var parked: Int { exchange.forwarder.holdings.parked }
}

private struct Silence: RouterSink {
    var sent: [[UInt8]] = []
    mutating func send(_ message: [UInt8], to peer: NodeName) { sent.append(message) }
    mutating func routesChanged() {}
    mutating func alarm(_ alarm: RouterAlarm) {}
}

/// Signs what nobody believes.
private struct WrongTrust: AdvertisementTrust {
    func sign(_ bytes: [UInt8]) -> (signature: [UInt8], certificate: [UInt8]) {
        ([UInt8](repeating: 0xEE, count: 64), [1])
    }

    func verify(_ bytes: [UInt8], signature: [UInt8], certificate: [UInt8], origin: NodeName) -> Bool { true }
}
