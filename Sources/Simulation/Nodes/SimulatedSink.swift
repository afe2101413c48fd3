import AgentCore
import Envelope
import Keyring
import Mesh

/// Opens what arrives and drives ``AgentCore/SinkMachine`` over a sink that takes time, fails, rejects, and outlives the
/// process: its effects and marks are the ledger's, and so is what lies in the quarantine.
final class SimulatedSink {
    /// Probabilities, each of one operation.
    struct Faults: Sendable {
        /// A commit fails, with or without having had its effect.
        var commits = 0.0
        /// The sink cannot be opened, or does not tell a mark.
        var questions = 0.0
        /// From now on for some time a batch of the commit is not taken.
        var rejections = 0.0
        /// Rejected batches go to the quarantine, which may have no room for them.
        var quarantines = false

        init() {}

        /// Each is off in a good share of all seeds.
        init(_ random: inout SeededRandom) {
            if random.chance(0.3) { commits = 0.05 }
            if random.chance(0.3) { questions = 0.1 }
            if random.chance(0.4) { rejections = random.chance(0.5) ? 0.02 : 0.2 }
            quarantines = random.chance(0.5)
        }
    }

    /// What the sink is busy with.
    private enum Operation {
        case open
        case askMark(StreamID)
        case commit([SinkItem])
        /// The effect is there, and the word of it under way.
        case tell
        case setAside(SinkItem)
        case rest
        #if CANARIES
            /// Half of the commit is durable.
            case finishCommit([SinkItem])
        #endif
    }

    private struct Place: Hashable {
        var stream: StreamID
        var sequence: Sequence
    }

    private static let token: UInt64 = 2
    /// Bytes that may wait before the machine, and as many again that may wait in it.
    private static let memoryBytes = 1 << 20

    private let host: Host
    private let ledger: DataLedger
    private let faults: Faults
    private var opener: Opener
    private var machine: SinkMachine
    private var operation: Operation?
    /// Opened, and not taken by the machine yet.
    private var queue: [SinkItem] = []
    private var bytesQueued = 0
    private var outcomes: [DeliveryOutcome] = []
    /// Until when the sink does not take these.
    private var rejected: [Place: Instant] = [:]

    init(_ host: Host, _ keychain: Keychain, _ ledger: DataLedger, faults: Faults) {
        self.host = host
        self.ledger = ledger
        self.faults = faults
        opener = Opener(keychain)
        var settings = SinkMachine.Settings()
        settings.memoryBytes = Self.memoryBytes
        settings.commitBytes = 64 << 10
        settings.quarantines = faults.quarantines
        settings.rejectionDelay = .seconds(5)
        machine = SinkMachine(settings)
    }

    func takeOutcomes() -> [DeliveryOutcome] {
        defer { outcomes = [] }
        return outcomes
    }

    func take(_ arrival: Arrival) {
        let batch: [UInt8]
        do throws(OpenError) { batch = try opener.open(arrival.envelope) } catch {
            return host.fail("what arrived does not open: \(error)")
        }
        guard bytesQueued < Self.memoryBytes else {
            return outcomes.append(.giveBack(arrival.instance, machine.settings.giveBackDelay))
        }
        let item = SinkItem(
            instance: arrival.instance, source: arrival.header.source, stream: arrival.header.stream,
            sequence: arrival.header.sequence, floor: arrival.header.floor, batch: batch,
            records: (try? RecordBatch.Reader(batch))?.count ?? 0)
        queue.append(item)
        bytesQueued += item.bytes
        goOn()
    }

    // MARK: The machine

    /// Begins what the machine says next, unless something is under way.
    private func goOn() {
        while operation == nil {
            if machine.takesMore { takeQueue() }
            let step = machine.next(at: host.now)
            if case .wait = step, queue.isEmpty { break }
            begin(step)
        }
        outcomes += machine.takeOutcomes()
        for fact in machine.takeFacts() { note(fact) }
    }

    private func takeQueue() {
        guard !queue.isEmpty else { return }
        machine.take(queue)
        queue = []
        bytesQueued = 0
    }

    private func begin(_ step: SinkMachine.Step) {
        switch step {
        case .wait: takeQueue()
        case .open: begin(.open, .microseconds(50) ... .milliseconds(1))
        case .askMark(let stream): begin(.askMark(stream), .microseconds(20) ... .microseconds(500))
        case .commit(let items): begin(.commit(items), .microseconds(100) ... .milliseconds(5))
        case .setAside(let item, _): begin(.setAside(item), .microseconds(100) ... .milliseconds(5))
        case .rest(let until):
            operation = .rest
            host.after(until - host.now, token: Self.token)
        }
    }

    private func begin(_ operation: Operation, _ time: ClosedRange<Duration>) {
        self.operation = operation
        host.after(host.random.duration(in: time), token: Self.token)
    }

    private func note(_ fact: SinkMachine.Fact) {
        switch fact {
        case .committed: break
        case .failed: host.trace("sink failed")
        case .blocked(let stream, let sequence, _):
            host.trace("sink rejects", stream.value.low & 0xFFFF, sequence.number)
        }
    }

    // MARK: The sink

    /// The sink's time has passed.
    func operationFinished(_ token: UInt64) -> [DeliveryOutcome] {
        guard token == Self.token, let finished = operation else { return [] }
        operation = nil
        switch finished {
        case .open: answer(fails: faults.questions) { $0.opened() }
        case .askMark(let stream):
            let mark = ledger.mark(of: stream, at: host)
            answer(fails: faults.questions) { $0.marked(stream, mark) }
        case .commit(let items): commit(items)
        case .tell: machine.committed()
        case .setAside(let item): setAside(item)
        case .rest: break
        #if CANARIES
            case .finishCommit(let items):
                commitHalf(of: items, effects: Canary.isPlanted(.markBeforeEffect))
                begin(.tell, .microseconds(50) ... .microseconds(50))
        #endif
        }
        goOn()
        return takeOutcomes()
    }

    private func answer(fails: Double, _ answer: (inout SinkMachine) -> Void) {
        if host.isFaulty, host.random.chance(fails) { fail() } else { answer(&machine) }
    }

    /// A person must change something, or it passes by itself: for the data it is the same.
    private func fail() {
        let failure = ConnectorFailure(host.random.chance(0.2) ? .configuration : .transient, "a fault")
        machine.failed(failure, at: host.now, random: host.random.next())
    }

    /// First comes the effect, a moment later the word about it.
    private func commit(_ items: [SinkItem]) {
        if rejects(items) {
            return machine.failed(ConnectorFailure(.rejected, "not now"), at: host.now, random: host.random.next())
        }
        #if CANARIES
            if Canary.isPlanted(.markBeforeEffect) || Canary.isPlanted(.effectBeforeMark) {
                commitHalf(of: items, effects: Canary.isPlanted(.effectBeforeMark))
                return begin(.finishCommit(items), .microseconds(50) ... .milliseconds(5))
            }
        #endif
        let fails = host.isFaulty && host.random.chance(faults.commits)
        if !fails || host.random.chance(0.5) {
            for item in items { ledger.apply(item.batch, item.stream, item.sequence, at: host) }
        }
        if fails { fail() } else { begin(.tell, .microseconds(50) ... .microseconds(50)) }
    }

    #if CANARIES
        private func commitHalf(of items: [SinkItem], effects: Bool) {
            for item in items {
                if effects {
                    ledger.takeEffect(of: item.batch, item.stream, item.sequence, at: host)
                } else {
                    ledger.raiseMark(of: item.stream, to: item.sequence, at: host)
                }
            }
        }
    #endif

    private func rejects(_ items: [SinkItem]) -> Bool {
        if host.isFaulty, host.random.chance(faults.rejections) {
            let item = items[host.random.below(items.count)]
            // What should lift the mark past a batch in the quarantine may be refused, too.
            if item.records == 0 { return true }
            rejected[Place(stream: item.stream, sequence: item.sequence)] =
                host.now + host.random.duration(in: .seconds(1) ... .seconds(30))
        }
        return items.contains { item in
            guard item.records > 0, !rejected.isEmpty else { return false }
            return (rejected[Place(stream: item.stream, sequence: item.sequence)] ?? .zero) > host.now
        }
    }

    private func setAside(_ item: SinkItem) {
        let isKept = host.random.chance(0.7)
        if isKept { ledger.keep(item.batch, item.stream, item.sequence, at: host) }
        machine.setAside(isKept, at: host.now)
    }
}

extension Host {
    /// Faults happen still.
    var isFaulty: Bool { world.phase == .safety }
}
