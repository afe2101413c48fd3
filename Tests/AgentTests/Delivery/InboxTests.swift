import Crypto
import Envelope
import Glibc
import Keyring
import Mesh
import Node
import Platform
import Synchronization
import Testing

@testable import Agent
@testable import AgentCore
@testable import Node

@Suite(.timeLimit(.minutes(1))) struct InboxTests {
    private let directory: TemporaryDirectory
    private let keys: InboxKeys
    private let ring: KeyRing
    private let quarantine: Quarantine
    private let outcomes = Collected<DeliveryOutcome>()
    private let stores = [SinkStore(), SinkStore()]
    private let mailbox = SinkStore()

    init() throws {
        directory = try TemporaryDirectory()
        keys = try InboxKeys()
        ring = KeyRing(try keys.pair.destinationKeys())
        quarantine = try Quarantine(
            directory: directory.path("quarantine"), limits: .init(files: 1000, bytes: 1_000_000, damaged: 3),
            log: Sample.log)
    }

    /// An inbox with a sink for each pair of topics and patterns.
    private final class Scene {
        let inbox: Inbox
        let workers: [SinkWorker]

        init(_ inbox: Inbox, _ workers: [SinkWorker]) throws {
            self.inbox = inbox
            self.workers = workers
            try inbox.start()
        }

        func startSinks() throws -> Scene {
            for worker in workers { try worker.start() }
            return self
        }

        /// Until then also what is short goes to the opener's thread.
        func awaitIdleOpener() {
            while !inbox.isIdle { sched_yield() }
        }

        func end() {
            inbox.stop()
            for worker in workers { worker.stop() }
            for worker in workers { #expect(worker.join(within: .seconds(10))) }
        }
    }

    private func worker(_ name: String, _ store: SinkStore) -> SinkWorker {
        SinkWorker(SinkWorker.Settings(name: name), factory: store.factory, log: Sample.log) { [outcomes] in
            outcomes.append($0)
        }
    }

    private func scene(_ sinks: [(topics: [String], from: [String])]) throws -> Scene {
        try quietScene(sinks).startSinks()
    }

    private func quietScene(_ sinks: [(topics: [String], from: [String])]) throws -> Scene {
        let mark = YAMLMark(file: "test.yaml", line: 1, column: 1)
        var taken: [(configuration: SinkConfiguration, worker: SinkWorker)] = []
        for (place, sink) in sinks.enumerated() {
            let configuration = SinkConfiguration(
                name: "sink \(place)", topics: sink.topics, from: sink.from.compactMap { NodePattern($0) },
                onReject: .block, sink: YAMLNode(.mapping([]), mark: mark), sinkPath: "sinks[\(place)].sink")
            taken.append((configuration, worker(configuration.name, stores[place])))
        }
        let mailbox = worker("mailbox", mailbox)
        let names = [NodeID(of: keys.pair.sourceName): keys.pair.sourceName]
        let inbox = Inbox(
            keys: ring, quarantine: quarantine, routes: SinkRoutes(sinks: taken, names: names, mailbox: mailbox),
            log: Sample.log
        ) { [outcomes] in outcomes.append($0) }
        return try Scene(inbox, taken.map(\.worker) + [mailbox])
    }

    private func arrival(_ envelope: [UInt8], _ instance: UInt64) throws -> Arrival {
        Arrival(instance: InstanceID(token: instance), header: try Header(envelope), envelope: envelope)
    }

    // MARK: Routes

    @Test func aSinkThatNamesTheTopicGoesFirst() throws {
        let scene = try scene([(["*"], ["*"]), (["other", "topic"], ["*"])])
        #expect(scene.inbox.add(try arrival(keys.envelope(1, ["a"]), 1)))
        #expect(scene.inbox.add(try arrival(keys.envelope(1, ["b"], topic: "else", stream: 2), 2)))
        #expect(outcomes.wait { Set($0.finished) == [1, 2] })
        scene.end()
        #expect(stores[0].applied(Sample.stream(2)) == [1])
        #expect(stores[0].applied(Sample.stream(1)) == [])
        #expect(stores[1].applied(Sample.stream(1)) == [1])
    }

    /// What comes together is handed on together, sink by sink.
    @Test(arguments: [1, Inbox.atOnceBytes])
    func whatComesAtOnceGoesToItsSinks(bytes: Int) throws {
        let scene = try scene([(["*"], ["*"]), (["other", "topic"], ["*"])])
        scene.awaitIdleOpener()
        let value = String(repeating: "a", count: bytes)
        let arrivals = try (1...6 as ClosedRange<UInt64>).map { number in
            let topic = number % 3 == 0 ? "else" : "topic"
            let stream: UInt64 = number % 3 == 0 ? 2 : 1
            let sequence = number % 3 == 0 ? number / 3 : number - number / 3
            return try arrival(keys.envelope(sequence, [value], topic: topic, stream: stream), number)
        }
        #expect(scene.inbox.add(arrivals))
        #expect(outcomes.wait { Set($0.finished) == Set(1...6) })
        scene.end()
        #expect(stores[1].applied(Sample.stream(1)) == [1, 2, 3, 4] && stores[1].applied(Sample.stream(2)) == [])
        #expect(stores[0].applied(Sample.stream(2)) == [1, 2] && stores[0].applied(Sample.stream(1)) == [])
    }

    @Test func aLittleIsOpenedByWhoBringsIt() throws {
        let scene = try quietScene([(["*"], ["*"])])
        scene.awaitIdleOpener()
        let worker = scene.workers[0]
        #expect(scene.inbox.add(try arrival(keys.envelope(1, ["a"]), 1)))
        let first = worker.bytesQueued.load(ordering: .relaxed)
        #expect(first > 0)
        #expect(scene.inbox.isIdle)
        // What cannot be opened is the thread's, and so is what comes behind it.
        var damaged = try keys.envelope(2, ["b"])
        damaged[damaged.count - 1] ^= 1
        let arrivals = [try keys.envelope(2, ["b"]), damaged, try keys.envelope(3, ["c"])]
        #expect(scene.inbox.add(try arrivals.enumerated().map { try arrival($1, UInt64($0) + 2) }))
        #expect(worker.bytesQueued.load(ordering: .relaxed) > first)
        _ = try scene.startSinks()
        #expect(outcomes.wait { Set($0.finished) == [1, 2, 3, 4] })
        scene.end()
        #expect(stores[0].applied == [1, 2, 3])
        #expect(quarantine.count == 1)
    }

    /// It may take long, and who brings it has other things to do.
    @Test func whatUnpacksToMuchIsTheThreads() throws {
        let scene = try scene([(["*"], ["*"])])
        scene.awaitIdleOpener()
        let batch = try Sample.batch([String(repeating: "a", count: 1 << 20)])
        let envelope = try keys.sealed(batch, 1, keys: keys.pair.sourceKeys(), compression: .zstd)
        #expect(envelope.count < Inbox.atOnceBytes)
        var opener = Opener(ring.current)
        #expect(throws: OpenError.damagedBatch(.declaredTooLong(batch.count))) {
            _ = try opener.open(Header(envelope), envelope.span.bytes, atMost: batch.count - 1)
        }
        #expect(scene.inbox.add(try arrival(envelope, 1)))
        #expect(outcomes.wait { $0.finished == [1] })
        scene.end()
        #expect(stores[0].applied == [1] && quarantine.count == 0)
    }

    @Test(arguments: [("plant-a/*", 0), ("plant-a/agent", 0), ("*", 0), ("plant-c/*", 1), ("plant-a/other", 1)])
    func aSinkTakesFromThoseItNames(pattern: String, taker: Int) throws {
        let scene = try scene([(["topic"], [pattern]), (["*"], ["*"])])
        #expect(scene.inbox.add(try arrival(keys.envelope(1, ["a"]), 1)))
        #expect(outcomes.wait { $0.finished == [1] })
        scene.end()
        #expect(stores[taker].applied == [1])
        #expect(stores[1 - taker].applied == [])
    }

    @Test func whatNoSinkTakesGoesBack() throws {
        let scene = try scene([(["other"], ["*"])])
        #expect(scene.inbox.add(try arrival(keys.envelope(1, ["a"]), 1)))
        #expect(outcomes.wait { $0.count == 1 })
        scene.end()
        guard case .giveBack(let instance, let delay)? = outcomes.all.first else {
            Issue.record("\(outcomes.all)")
            return
        }
        #expect(instance.token == 1)
        #expect(delay == Inbox.unwantedDelay)
        #expect(quarantine.count == 0)
    }

    @Test func messagesGoToTheMailboxUnlessASinkTakesThem() throws {
        let without = try scene([(["other"], ["*"])])
        #expect(without.inbox.add(try arrival(keys.envelope(1, ["a"], topic: MessageTopic.usual), 1)))
        #expect(outcomes.wait { $0.finished == [1] })
        without.end()
        #expect(mailbox.applied == [1])
        let with = try scene([(["*"], ["*"])])
        #expect(with.inbox.add(try arrival(keys.envelope(2, ["a"], topic: MessageTopic.usual, stream: 2), 2)))
        #expect(with.inbox.add(try arrival(keys.envelope(1, ["a"], topic: MessageTopic.usual, stream: 2), 3)))
        #expect(outcomes.wait { $0.finished.sorted() == [1, 2, 3] })
        with.end()
        #expect(mailbox.applied == [1])
        #expect(stores[0].applied == [1, 2])
    }

    @Test func aSinkThatEndedGivesBack() throws {
        let scene = try scene([(["*"], ["*"])])
        scene.workers[0].stop()
        #expect(scene.workers[0].join(within: .seconds(10)))
        #expect(scene.inbox.add(try arrival(keys.envelope(1, ["a"]), 1)))
        #expect(outcomes.wait { $0.givenBack == [1] })
        scene.end()
        #expect(!scene.inbox.add(try arrival(keys.envelope(2, ["a"]), 2)))
    }

    // MARK: What must have no effect

    @Test func aFlippedByteAnywhereHasNoEffect() throws {
        let scene = try scene([(["*"], ["*"])])
        let whole = try keys.envelope(1, ["a value"])
        let header = try Header(whole)
        for place in whole.indices {
            var envelope = whole
            envelope[place] ^= 1
            #expect(
                scene.inbox.add(
                    Arrival(instance: InstanceID(token: UInt64(place) + 1), header: header, envelope: envelope)))
        }
        #expect(outcomes.wait { $0.finished.count == whole.count })
        #expect(quarantine.count == UInt64(whole.count))
        #expect(directory.names("quarantine").count == whole.count)
        #expect(quarantine.entries.allSatisfy { $0.note.kind == .unopened && !$0.note.reason.isEmpty })
        // The stream is none the worse for it.
        #expect(scene.inbox.add(try arrival(whole, 5000)))
        #expect(outcomes.wait { $0.finished.last == 5000 })
        scene.end()
        #expect(stores[0].applied == [1])
        #expect(outcomes.all.marks(of: header.stream) == [1], "and no receipt says otherwise")
    }

    @Test func aCutEnvelopeHasNoEffect() throws {
        let scene = try scene([(["*"], ["*"])])
        let whole = try keys.envelope(1, ["a value"])
        let header = try Header(whole)
        for length in 0..<whole.count {
            let arrival = Arrival(
                instance: InstanceID(token: UInt64(length)), header: header, envelope: Array(whole[..<length]))
            #expect(scene.inbox.add(arrival))
        }
        #expect(outcomes.wait { $0.finished.count == whole.count })
        scene.end()
        #expect(quarantine.count == UInt64(whole.count))
        #expect(stores[0].applied == [])
    }

    @Test func whatTheQuarantineHasNoRoomForStaysWithTheRelay() throws {
        let scene = try scene([(["*"], ["*"])])
        var envelope = try keys.envelope(1, ["a value"])
        envelope[envelope.count - 1] ^= 1
        #expect(rmdir(directory.path("quarantine")) == 0)
        #expect(scene.inbox.add(try arrival(envelope, 1)))
        #expect(outcomes.wait { $0.setAside == [1] })
        scene.end()
        #expect(quarantine.count == 0 && outcomes.all.finished.isEmpty)
    }

    @Test func anEnvelopeOfAnUnknownSourceHasNoEffect() throws {
        let scene = try scene([(["*"], ["*"])])
        let stranger = try Sample.keychain("plant-c/agent", with: [KeyedPair.destination], [keys.pair.records[0]])
        let envelope = try keys.envelope(1, ["a"], keys: stranger, from: "plant-c/agent")
        #expect(scene.inbox.add(try arrival(envelope, 1)))
        #expect(outcomes.wait { $0.finished == [1] })
        scene.end()
        #expect(quarantine.count == 1)
        #expect(stores[0].applied == [])
    }

    @Test func anEnvelopeForAnotherHasNoEffect() throws {
        let scene = try scene([(["*"], ["*"])])
        let source = try Sample.keychain(KeyedPair.source, with: ["plant-b/other"], [keys.pair.records[0]])
        #expect(scene.inbox.add(try arrival(keys.envelope(1, ["a"], keys: source, to: "plant-b/other"), 1)))
        #expect(outcomes.wait { $0.finished == [1] })
        scene.end()
        #expect(quarantine.count == 1)
        #expect(stores[0].applied == [])
    }

    @Test func whatIsNoBatchHasNoEffect() throws {
        let scene = try scene([(["*"], ["*"])])
        let source = try keys.pair.sourceKeys()
        #expect(scene.inbox.add(try arrival(keys.sealed([1, 2, 3], 1, keys: source), 1)))
        #expect(outcomes.wait { $0.finished == [1] })
        scene.end()
        #expect(quarantine.count == 1)
        #expect(stores[0].applied == [])
    }

    @Test func aReplayIsADuplicateWithoutEffect() throws {
        let scene = try scene([(["*"], ["*"])])
        let envelope = try keys.envelope(1, ["a"])
        #expect(scene.inbox.add(try arrival(envelope, 1)))
        #expect(outcomes.wait { $0.finished == [1] })
        for instance: UInt64 in 2...4 { #expect(scene.inbox.add(try arrival(envelope, instance))) }
        #expect(outcomes.wait { $0.finished.sorted() == [1, 2, 3, 4] })
        scene.end()
        #expect(stores[0].applied == [1])
        #expect(scene.workers[0].duplicates == 3)
        #expect(quarantine.count == 0)
    }

    // MARK: Keys

    @Test func aKeyThatComesLaterOpensWhatIsSentAgain() throws {
        let scene = try scene([(["*"], ["*"])])
        let envelope = try keys.envelope(1, ["a"], keys: try keys.pair.sourceKeys(2))
        #expect(scene.inbox.add(try arrival(envelope, 1)))
        #expect(outcomes.wait { $0.finished == [1] })
        #expect(stores[0].applied == [])
        #expect(outcomes.all.marks(of: Sample.stream(1)) == [], "without a receipt the source sends it again")
        ring.replace(with: try keys.pair.destinationKeys(2))
        scene.inbox.keysWereReplaced()
        #expect(scene.inbox.add(try arrival(envelope, 2)))
        #expect(outcomes.wait { $0.finished == [1, 2] })
        scene.end()
        #expect(stores[0].applied == [1])
    }
}

extension Inbox {
    fileprivate func add(_ arrival: Arrival) -> Bool { add([arrival]) }
}
