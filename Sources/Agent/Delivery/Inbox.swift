import AgentCore
import Envelope
import Keyring
import Mesh
import Node
import Platform
import Synchronization

/// Opens what arrives, on a thread of its own, and hands it to the sink that takes its topic. A little that comes while
/// that thread has nothing to do is opened by who brings it: waking a thread takes longer.
///
/// What cannot be opened has no effect: it goes to the quarantine, or back to the relay where that is full. What no sink
/// takes goes back to the relay, which keeps it until there is one.
final class Inbox: Sendable {
    /// How long a relay should keep what no sink takes before it tries again.
    static let unwantedDelay: Duration = .seconds(5)
    /// How long it should keep what cannot be opened while the quarantine has no room.
    static let unkeptDelay: Duration = .seconds(60)

    /// Bytes of envelopes that are opened by who brings them, at most, and of what each may hold when it is unpacked.
    static let atOnceBytes = 8 << 10

    /// Bytes after which opened batches go on to their sink, which works beside the opener.
    static let runBytes = 256 << 10

    private let queue = WorkQueue<Arrival>()
    private let keys: KeyRing
    private let quarantine: Quarantine
    private let log: Log
    private let report: @Sendable ([DeliveryOutcome]) -> Void
    private let routes: Mutex<SinkRoutes>
    private let thread = Mutex<Threads.Handle?>(nil)
    private let opener: Mutex<Opener>
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
        opener = Mutex(Opener(keys.current))
    }

    func start() throws(ThreadError) {
        let handle = try Threads.start(name: "opener") { [self] in run() }
        thread.withLock { $0 = handle }
    }

    /// Whether the opener's thread has nothing to do, until something is added.
    var isIdle: Bool { queue.isIdle }

    /// Called by one thread at a time.
    /// - Returns: false once the inbox is closed; the arrivals are to be given back then.
    func add(_ arrivals: [Arrival]) -> Bool {
        guard arrivals.reduce(0, { $0 + $1.envelope.count }) <= Self.atOnceBytes, isIdle else {
            return queue.add(arrivals)
        }
        let left = openAtOnce(arrivals)
        return left.isEmpty || queue.add(Array(left))
    }

    func replace(_ routes: SinkRoutes) { self.routes.withLock { $0 = routes } }
    func keysWereReplaced() { keysChanged.store(true, ordering: .releasing) }

    func stop() {
        queue.close()
        thread.withLock { $0 }?.join()
    }

    /// What no sink gets is left to the opener's thread, which may write to the quarantine and the log.
    /// - Returns: the arrivals from the first of these.
    private func openAtOnce(_ arrivals: [Arrival]) -> ArraySlice<Arrival> {
        withOpener { opener, routes, outcomes in
            var opened = Opened()
            defer { opened.hand(&outcomes) }
            for (index, arrival) in arrivals.enumerated() {
                do throws(Unfit) {
                    let (item, worker) = try open(arrival, &opener, routes, atMost: Self.atOnceBytes)
                    opened.add(item, for: worker, &outcomes)
                } catch {
                    return arrivals[index...]
                }
            }
            return []
        }
    }

    private func withOpener<Value>(
        _ body: (inout Opener, SinkRoutes, inout [DeliveryOutcome]) -> sending Value
    ) -> Value {
        var outcomes: [DeliveryOutcome] = []
        let routes = routes.withLock { $0 }
        let value = opener.withLock { opener in
            if keysChanged.exchange(false, ordering: .acquiring) { opener.use(keys.current) }
            return body(&opener, routes, &outcomes)
        }
        if !outcomes.isEmpty { report(outcomes) }
        return value
    }

    // MARK: On the opener's thread

    private func run() {
        while let arrivals = queue.takeAll() {
            withOpener { opener, routes, outcomes in
                var opened = Opened()
                for arrival in arrivals {
                    do throws(Unfit) {
                        let (item, worker) = try open(arrival, &opener, routes)
                        opened.add(item, for: worker, &outcomes)
                    } catch {
                        outcomes.append(refuse(arrival, error, routes))
                    }
                }
                opened.hand(&outcomes)
            }
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

    /// Why an arrival goes to no sink.
    private enum Unfit: Error {
        /// It cannot be opened, or holds no batch.
        case unreadable(reason: String)
        case unwanted(topic: String)
    }

    private func open(
        _ arrival: Arrival, _ opener: inout Opener, _ routes: SinkRoutes, atMost bytes: Int = Limits.batchBytes
    ) throws(Unfit) -> (item: SinkItem, worker: SinkWorker) {
        let header = arrival.header
        let batch = try unsealed(arrival, &opener, atMost: bytes)
        let reader: RecordBatch.Reader
        do throws(EnvelopeError) { reader = try RecordBatch.Reader(batch) } catch {
            throw .unreadable(reason: error.description)
        }
        guard let worker = routes.worker(topic: reader.topic, source: header.source) else {
            throw .unwanted(topic: reader.topic)
        }
        let item = SinkItem(
            instance: arrival.instance, source: header.source, stream: header.stream, sequence: header.sequence,
            floor: header.floor, batch: batch, records: reader.count,
            envelope: worker.keepsEnvelopes ? arrival.envelope : [])
        return (item, worker)
    }

    private func unsealed(
        _ arrival: Arrival, _ opener: inout Opener, atMost bytes: Int
    ) throws(Unfit) -> [UInt8] {
        do throws(OpenError) {
            return try opener.open(arrival.header, arrival.envelope.span.bytes, atMost: bytes)
        } catch {
            throw .unreadable(reason: error.description)
        }
    }

    private func refuse(_ arrival: Arrival, _ unfit: Unfit, _ routes: SinkRoutes) -> DeliveryOutcome {
        switch unfit {
        case .unreadable(let reason):
            // It must not have an effect. Where it cannot be kept here either, it stays with the relay.
            let isKept = quarantine.add(arrival.envelope, .init(.unopened, reason))
            return isKept ? .finished(arrival.instance) : .giveBack(arrival.instance, Self.unkeptDelay)
        case .unwanted(let topic):
            log.warning(
                "sink.none", "no sink takes this topic; the relay keeps it until there is one",
                ["topic": topic, "source": routes.name(of: arrival.header.source)])
            return .giveBack(arrival.instance, Self.unwantedDelay)
        }
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
