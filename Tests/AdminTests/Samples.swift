import Envelope
import Glibc
import Node
import Synchronization

enum Samples {
    static let now = WallTime(milliseconds: 1_795_254_759_123)

    static let link = LinkReport(
        from: "plant-a/relay", to: "dmz/relay", state: .half, costForward: 10, costBack: 12,
        roundTripMicroseconds: 800, bytesQueuedForward: 1, envelopesQueuedForward: 2, bytesQueuedBack: 3,
        envelopesQueuedBack: 4, oldestAgeSeconds: 1.5, asOf: now, reason: "no answer to ping")

    static let status = NodeStatus(
        node: "plant-a/agent", role: "agent", version: "0.1.0", pid: 42, started: now, uptimeSeconds: 7, asOf: now,
        links: [link],
        counters: CounterReport(accepted: 10, delivered: 5, queued: 2, inFlight: 1, dropped: ["expired": 2]),
        store: StoreReport(bytes: 1, envelopes: 2, limitBytes: .max),
        memory: MemoryReport(residentBytes: 1, heldBytes: 2, budgetBytes: 3),
        jobs: [JobReport(name: "tags", state: "retrying", lastRun: now, records: 9, lastError: "server is away")],
        sinks: [SinkReport(name: "rows", state: "idle", records: 3)],
        lastReload: ReloadReport(at: now, ok: false, error: "line 3"))

    static let topology = TopologyReport(
        asOf: now, by: "dmz/relay",
        zones: [
            .init(name: "dmz", nodes: [.init(name: "dmz/relay", role: "relay", state: .up, version: "0.1.0")]),
            .init(name: "plant-a", nodes: [.init(name: "plant-a/relay", role: "relay", state: .down)]),
        ], links: [link])
}

/// Lets nobody through until a number of threads have come.
final class Gate: Sendable {
    private let arrived = Mutex(0)
    private let count: Int
    init(count: Int) { self.count = count }

    func arriveAndWait() {
        arrived.withLock { $0 += 1 }
        while arrived.withLock({ $0 < count }) { sched_yield() }
    }
}

/// Blocking work on a thread of its own, so that it needs none of the few that tests share.
final class Background<Value: Sendable>: Sendable {
    private let box: Box
    private let thread: pthread_t

    init(_ work: @escaping @Sendable () throws -> Value) {
        let result = Box()
        self.box = result
        let job = Unmanaged.passRetained(Job { result.value.withLock { $0 = Result(catching: work) } })
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Job>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, job.toOpaque())
        self.thread = thread
    }

    /// Waits for the work's end; call it once.
    func join() throws -> Value {
        pthread_join(thread, nil)
        guard let outcome = box.value.withLock({ $0 }) else { throw CancellationError() }
        return try outcome.get()
    }

    private final class Box: Sendable {
        let value = Mutex<Result<Value, any Error>?>(nil)
    }
}

private final class Job {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}
