import AgentCore
import Envelope
import Keyring
import Mesh
import Node
import Platform
import Synchronization

/// Opens what arrives, on a thread of its own, and hands it to the sink that takes its topic.
///
/// What cannot be opened has no effect: it goes to the quarantine, or back to the relay where that is full. What no sink takes goes back to the relay, which
/// keeps it until there is one.
final class Inbox: Sendable {
    /// How long a relay should keep what no sink takes before it tries again.
    static let unwantedDelay: Duration = .seconds(5)
    /// How long it should keep what cannot be opened while the quarantine has no room.
    static let unkeptDelay: Duration = .seconds(60)

    /// Bytes after which opened batches go on to their sink, which works beside the opener.
    static let runBytes = 256 << 10

    private let queue = WorkQueue<Arrival>()
    private let keys: KeyRing
    private let quarantine: Quarantine
    private let log: Log
    private let report: @Sendable ([DeliveryOutcome]) -> Void
    private let routes: Mutex<SinkRoutes>
    private let thread = Mutex<Threads.Handle?>(nil)
    private let keysChanged = Atomic<Bool>(false)

    init(
        keys: KeyRing, quarantine: Quarantine, routes: SinkRoutes, log: Log,
        report: @escaping @Sendable ([DeliveryOutcome]) -> Void
    ) {
        self.keys = keys
        self.quarantine = quarantine
        self.routes = Mutex(routes)
        self.log = log
        self.report = report
    }

    func start() throws(ThreadError) {
        let handle = try Threads.start(name: "opener") { [self] in run() }
        thread.withLock { $0 = handle }
    }

    /// - Returns: false once the inbox is closed; the arrivals are to be given back then.
    func add(_ arrivals: [Arrival]) -> Bool { queue.add(arrivals) }

    func replace(_ routes: SinkRoutes) { self.routes.withLock { $0 = routes } }
    func keysWereReplaced() { keysChanged.store(true, ordering: .releasing) }

    func stop() {
        queue.close()
        thread.withLock { $0 }?.join()
    }

    // MARK: On the opener's thread

    private func run() {
        var opener = Opener(keys.current)
        while let arrivals = queue.takeAll() {
            if keysChanged.exchange(false, ordering: .acquiring) { opener.use(keys.current) }
            let routes = routes.withLock { $0 }
            var outcomes: [DeliveryOutcome] = []
            var opened = Opened()
            for arrival in arrivals { open(arrival, &opener, routes, &opened, &outcomes) }
            opened.hand(&outcomes)
            if !outcomes.isEmpty { report(outcomes) }
        }
    }

    /// A run of items for one sink: many are handed over with one look at its queue.
    private struct Opened {
        var worker: SinkWorker?
        var items: [SinkItem] = []
        /// Of the items.
        var bytes = 0

        mutating func add(_ item: SinkItem, for worker: SinkWorker, _ outcomes: inout [DeliveryOutcome]) {
            if self.worker !== worker || bytes >= Inbox.runBytes { hand(&outcomes) }
            self.worker = worker
            items.append(item)
            bytes += item.bytes
        }

        mutating func hand(_ outcomes: inout [DeliveryOutcome]) {
            guard let worker, !items.isEmpty else { return }
            if !worker.add(items) {
                for item in items { outcomes.append(.giveBack(item.instance, SinkWorker.giveBackDelay)) }
            }
            items.removeAll(keepingCapacity: true)
            bytes = 0
        }
    }

    private func open(
        _ arrival: Arrival, _ opener: inout Opener, _ routes: SinkRoutes, _ opened: inout Opened,
        _ outcomes: inout [DeliveryOutcome]
    ) {
        let batch: [UInt8]
        do throws(OpenError) { batch = try opener.open(arrival.header, arrival.envelope.span.bytes) } catch {
            return setAside(arrival, error.description, &outcomes)
        }
        let reader: RecordBatch.Reader
        do throws(EnvelopeError) { reader = try RecordBatch.Reader(batch) } catch {
            return setAside(arrival, error.description, &outcomes)
        }
        guard let worker = routes.worker(topic: reader.topic, source: arrival.header.source) else {
            log.warning(
                "sink.none", "no sink takes this topic; the relay keeps it until there is one",
                ["topic": reader.topic, "source": routes.name(of: arrival.header.source)])
            outcomes.append(.giveBack(arrival.instance, Self.unwantedDelay))
            return
        }
        let item = SinkItem(
            instance: arrival.instance, source: arrival.header.source, stream: arrival.header.stream,
            sequence: arrival.header.sequence, floor: arrival.header.floor, batch: batch, records: reader.count,
            envelope: worker.keepsEnvelopes ? arrival.envelope : [])
        opened.add(item, for: worker, &outcomes)
    }

    /// It must not have an effect. Where it cannot be kept here either, it stays with the relay.
    private func setAside(_ arrival: Arrival, _ reason: String, _ outcomes: inout [DeliveryOutcome]) {
        let isKept = quarantine.add(arrival.envelope, .init(.unopened, reason))
        outcomes.append(
            isKept ? .finished(arrival.instance) : .giveBack(arrival.instance, Self.unkeptDelay))
    }
}

/// Which sink takes what: a sink that names the topic goes before one that takes all.
struct SinkRoutes: Sendable {
    let sinks: [(configuration: SinkConfiguration, worker: SinkWorker)]
    /// Names of the nodes this agent shares keys with, by id.
    let names: [NodeID: NodeName]
    /// Takes messages sent by hand where no configured sink takes their topic.
    let mailbox: SinkWorker

    func worker(topic: String, source: NodeID) -> SinkWorker? {
        guard let name = names[source] else { return nil }
        let taker =
            sinks.first { $0.configuration.topics.contains(topic) && $0.configuration.takes(from: name) }
            ?? sinks.first {
                $0.configuration.topics.contains(SinkConfiguration.everyTopic) && $0.configuration.takes(from: name)
            }
        return taker?.worker ?? (topic == MessageTopic.usual ? mailbox : nil)
    }

    func worker(named name: String) -> SinkWorker? {
        sinks.first { $0.configuration.name == name }?.worker
    }

    func name(of node: NodeID) -> String { names[node]?.description ?? node.description }
}

/// The topic of messages sent by hand.
enum MessageTopic {
    static let usual = "message"
}
