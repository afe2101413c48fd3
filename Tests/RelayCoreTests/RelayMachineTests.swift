import Envelope
import Link
import Mesh
import Testing

@testable import Journal
@testable import RelayCore

struct RelayMachineTests {
    @Test func whatTheJournalKeptGoesOnWhenThereIsAWay() throws {
        let scene = try RelayScene("dmz/relay-1")
        #expect(scene.recover(scene.record(RelayScene.header(to: "plant-b/agent-1"))))
        #expect(scene.parked == 1)
        try scene.linkUp("plant-b/agent-1", .agent)
        scene.now = scene.now + .milliseconds(100)
        scene.machine.timeReached(scene.now, wall: WallTime(milliseconds: 0), usage: LogUsage(), &scene.exchange)
        // Its name is known now; without a session nothing can leave yet.
        #expect(scene.machine.name(of: RelayScene.id("plant-b/agent-1")) == "plant-b/agent-1")
        #expect(scene.counters.accepted == 1 && scene.parked == 1)
    }

    @Test func aRecordThatIsNoEnvelopeIsKeptAndTold() throws {
        let scene = try RelayScene("dmz/relay-1")
        #expect(!scene.recover([UInt8](repeating: 9, count: 200), lsn: 17))
        #expect(!scene.recover([], lsn: 18))
        let told = scene.facts().compactMap { fact in
            if case .unreadableRecord(let lsn) = fact { lsn.number } else { nil }
        }
        #expect(told == [17, 18])
        #expect(scene.batch.isEmpty)
    }

    @Test func ageGoesOnWithinABootOfTheMachineAlone() throws {
        for (boot, expired) in [(Bytes16(low: 5, high: 6), true), (Bytes16(low: 1, high: 1), false)] {
            let scene = try RelayScene("dmz/relay-1")
            scene.now = Instant(nanoseconds: 2 * 86_400 * 1_000_000_000)
            #expect(scene.recover(scene.record(RelayScene.header(to: "plant-b/agent-1"), boot: boot)))
            scene.exchange.timeReached(scene.now + .seconds(11))
            scene.perform(scene.exchange.takeEffects())
            #expect(scene.counters.expired == (expired ? 1 : 0))
            #expect(scene.batch.isEmpty == !expired)
        }
    }

    @Test func aRecordThatCannotBeReadBackIsLostHereAndItsPlaceReleased() throws {
        let scene = try RelayScene("dmz/relay-1")
        #expect(scene.recover(scene.record(RelayScene.header(to: "dmz/relay-1")), lsn: 4))
        scene.perform(scene.exchange.takeEffects())
        let token = try #require(scene.readToken)
        scene.complete([JournalCompletion(token: token, lsn: LSN(4), outcome: .refused(.notFound(LSN(4))))])
        scene.perform(scene.exchange.takeEffects())
        #expect(scene.counters.lost == 1)
        let failed = scene.facts().contains { if case .readFailed(LSN(4), _) = $0 { true } else { false } }
        #expect(failed)
        let released = scene.batch.operations.contains { if case .release(LSN(4), _) = $0 { true } else { false } }
        #expect(released)
    }

    @Test func aReadThatTheDiskFailedIsTriedAgain() throws {
        let scene = try RelayScene("dmz/relay-1")
        #expect(scene.recover(scene.record(RelayScene.header(to: "dmz/relay-1")), lsn: 4))
        scene.perform(scene.exchange.takeEffects())
        let token = try #require(scene.readToken)
        let error = FileError(.read, path: "journal", kind: .other, reason: "input/output error")
        scene.complete([JournalCompletion(token: token, lsn: LSN(4), outcome: .refused(.file(error)))])
        scene.perform(scene.exchange.takeEffects())
        #expect(scene.counters.lost == 0)
        scene.batch.removeAll()
        scene.now = scene.now + .seconds(2)
        scene.exchange.timeReached(scene.now)
        scene.perform(scene.exchange.takeEffects())
        #expect(scene.readToken == token)
        #expect(!scene.batch.operations.contains { if case .release = $0 { true } else { false } })
    }

    @Test func aMessageThatIsNoneIsToldAndChangesNothing() throws {
        let scene = try RelayScene("dmz/relay-1")
        try scene.linkUp("plant-a/relay-1")
        let before = scene.machine.router.topology(at: scene.now)
        scene.machine.receive([1, 2, 3], from: try NodeName("plant-a/relay-1"), &scene.exchange, at: scene.now)
        let told = scene.facts().contains { if case .badMessage = $0 { true } else { false } }
        #expect(told)
        #expect(scene.machine.router.topology(at: scene.now) == before)
    }

    @Test func theMeshsWordOfALaterStartIsToBeStored() throws {
        let elder = try RelayScene("dmz/relay-1")
        var router = Router(
            local: try NodeName("dmz/relay-1"), boot: 41, trust: ChecksumTrust(), wall: WallTime(milliseconds: 0),
            at: elder.now, identify: { RelayScene.id($0) })
        var sink = Messages()
        router.linkUp(
            peer: try NodeName("plant-a/relay-1"), kind: .relay, cost: 1, dialledByUs: true, at: elder.now, into: &sink)
        try elder.linkUp("plant-a/relay-1")
        for message in sink.sent {
            elder.machine.receive(message, from: try NodeName("plant-a/relay-1"), &elder.exchange, at: elder.now)
        }
        let raised = elder.facts().compactMap { fact in if case .bootRaised(let boot) = fact { boot } else { nil } }
        #expect(raised == [41])
    }

    @Test func whatIsAddressedToARelayStaysWithItsSender() throws {
        let scene = try RelayScene("dmz/relay-1")
        #expect(scene.recover(scene.record(RelayScene.header(to: "dmz/relay-1"))))
        scene.perform(scene.exchange.takeEffects())
        let token = try #require(scene.readToken)
        let record = scene.record(RelayScene.header(to: "dmz/relay-1"))
        scene.complete([JournalCompletion(token: token, lsn: LSN(4), outcome: .bytes(RecordKind(1), record))])
        scene.perform(scene.exchange.takeEffects())
        // Nobody else keeps it: it is neither delivered nor released, and offered again later.
        #expect(scene.counters.delivered == 0)
        #expect(!scene.batch.operations.contains { if case .release = $0 { true } else { false } })
        #expect(scene.deadline <= scene.now + .seconds(60))
    }
}

extension RelayScene {
    /// Of the first record that the batch asks to be read.
    fileprivate var readToken: UInt64? {
        batch.operations.lazy.compactMap { if case .read(_, let token) = $0 { token } else { nil } }.first
    }

    // Copies, since an expectation cannot look into what is not copyable.
    fileprivate var counters: Counters { exchange.forwarder.counters }
    fileprivate var parked: Int { exchange.forwarder.holdings.parked }
    fileprivate var deadline: Instant { exchange.nextDeadline }
}

private struct Messages: RouterSink {
    var sent: [[UInt8]] = []
    mutating func send(_ message: [UInt8], to peer: NodeName) { sent.append(message) }
    mutating func routesChanged() {}
    mutating func alarm(_ alarm: RouterAlarm) {}
}
