import Crypto
import Envelope
import Mesh
import Node
import Platform
import Synchronization
import Testing

@testable import Agent
@testable import AgentCore
@testable import Node

/// What lies in the quarantine comes to a sink after all, once.
@Suite(.timeLimit(.minutes(1))) struct QuarantineDeskTests {
    private let directory: TemporaryDirectory
    private let keys: InboxKeys
    private let ring: KeyRing
    private let quarantine: Quarantine
    private let desk: QuarantineDesk
    private let outcomes = Collected<DeliveryOutcome>()
    private let stores = [SinkStore(), SinkStore()]
    private let workers: [SinkWorker]

    init() throws {
        directory = try TemporaryDirectory()
        keys = try InboxKeys()
        let ring = KeyRing(try keys.pair.destinationKeys())
        self.ring = ring
        let quarantine = try Quarantine(directory: directory.path("quarantine"), log: Sample.log)
        self.quarantine = quarantine
        let desk = QuarantineDesk(quarantine, keys: ring, log: Sample.log)
        self.desk = desk
        let told = outcomes
        workers = stores.enumerated().map { place, store in
            var settings = SinkWorker.Settings(name: "sink \(place)")
            settings.onReject = .quarantine
            settings.quarantine = { item, reason in
                !QuarantineDesk.isTry(item.instance)
                    && quarantine.add(item.envelope, .init(.rejected, reason, topic: "topic", sink: "sink \(place)"))
            }
            return SinkWorker(settings, factory: store.factory, log: Sample.log) {
                told.append(desk.settle($0))
            }
        }
        let mark = YAMLMark(file: "test.yaml", line: 1, column: 1)
        let taken = workers.enumerated().map { place, worker in
            let configuration = SinkConfiguration(
                name: worker.settings.name, topics: [place == 0 ? "topic" : "never"],
                from: [NodePattern("*")].compactMap { $0 },
                onReject: .quarantine, sink: YAMLNode(.mapping([]), mark: mark), sinkPath: "sinks[\(place)].sink")
            return (configuration: configuration, worker: worker)
        }
        let names = [NodeID(of: keys.pair.sourceName): keys.pair.sourceName]
        desk.replace(SinkRoutes(sinks: taken, names: names, mailbox: workers[0]))
        for worker in workers { try worker.start() }
    }

    private func end() {
        for worker in workers { worker.stop() }
        for worker in workers { #expect(worker.join(within: .seconds(10))) }
    }

    private func keep(_ envelope: [UInt8], _ kind: QuarantineEntry.Kind) throws -> String {
        #expect(quarantine.add(envelope, .init(kind, "because", topic: "topic", sink: "sink 0")))
        return try #require(quarantine.entries.last { $0.note.kind == kind }?.id)
    }

    private func retry(_ id: String, sink: String? = nil) -> QuarantineDesk.Answer {
        desk.retry(id, sink: sink, within: .seconds(30))
    }

    private func records(_ store: Int) -> Int { stores[store].state.withLock { $0.records.values.reduce(0, +) } }

    @Test func aRejectedOneHasItsEffectOnceAndLeaves() throws {
        let envelope = try keys.envelope(3, ["a", "b"])
        let id = try keep(envelope, .rejected)
        #expect(retry(id) == .delivered)
        #expect(quarantine.entries.isEmpty && records(0) == 2)
        // A crash came before it was taken out: it lies there again.
        let again = try keep(envelope, .rejected)
        #expect(again == id)
        #expect(retry(id) == .delivered)
        #expect(records(0) == 2 && quarantine.entries.isEmpty)
        end()
        // Neither the relay nor the source hears of it.
        #expect(outcomes.all.isEmpty)
    }

    @Test func whatTheSinkStillRejectsStays() throws {
        stores[0].change { $0.faults = Array(repeating: .before(.rejected), count: 2) }
        let id = try keep(try keys.envelope(3, ["a"]), .rejected)
        #expect(retry(id) == .kept)
        #expect(quarantine.entry(id)?.note.attempt == nil)
        #expect(retry(id) == .kept, "its stream rests for a while")
        #expect(quarantine.entries.count == 1 && records(0) == 0)
        // Another sink takes it meanwhile.
        #expect(retry(id, sink: "sink 1") == .delivered)
        #expect(records(1) == 1 && quarantine.entries.isEmpty)
        end()
        #expect(outcomes.all.isEmpty)
    }

    @Test func whereItsEndIsNotKnownNoOtherSinkGetsIt() throws {
        let id = try keep(try keys.envelope(3, ["a"]), .rejected)
        // As a crash leaves it.
        try quarantine.change(id) { $0.attempt = "sink 0" }
        guard case .refused(let reason, _) = retry(id, sink: "sink 1") else {
            Issue.record("it went to another sink")
            return
        }
        #expect(reason.contains("sink 0"))
        #expect(retry(id) == .delivered)
        #expect(records(0) == 1 && records(1) == 0)
        end()
    }

    /// Its source sends it again, since its stream waits for it: both are one.
    @Test func anUnopenedOneGoesInUnderItsOwnName() throws {
        let envelope = try keys.envelope(1, ["a"], keys: try keys.pair.sourceKeys(2))
        let id = try keep(envelope, .unopened)
        guard case .refused(let reason, let hint) = retry(id) else {
            Issue.record("it was opened without its key")
            return
        }
        #expect(reason.contains("cannot be opened") && hint.contains("key"))
        ring.replace(with: try keys.pair.destinationKeys(2))
        #expect(retry(id) == .delivered)
        let header = try Header(envelope)
        #expect(outcomes.wait { $0.marks(of: header.stream) == [1] }, "its source gets its receipt")
        #expect(stores[0].applied(header.stream) == [1] && quarantine.entries.isEmpty)
        guard case .refused = retry(try keep(envelope, .unopened), sink: "sink 1") else {
            Issue.record("what its stream waits for went elsewhere")
            return
        }
        end()
    }

    @Test func whatCannotBeDoneIsSaid() throws {
        #expect(retry("nothing") == .missing)
        let rejected = try keep(try keys.envelope(3, ["a"]), .rejected)
        let strange = try keep([1, 2, 3], .damaged)
        for (id, sink) in [(strange, nil), (rejected, "no such sink")] as [(String, String?)] {
            guard case .refused(let reason, let hint) = retry(id, sink: sink) else {
                Issue.record("\(id) was tried")
                continue
            }
            #expect(!reason.isEmpty && !hint.isEmpty)
        }
        #expect(quarantine.entries.count == 2)
        end()
    }

    @Test func aSinkThatHasEndedTakesNothing() throws {
        end()
        let id = try keep(try keys.envelope(3, ["a"]), .rejected)
        #expect(retry(id) == .kept)
        #expect(quarantine.entry(id)?.note.attempt == nil)
    }
}
