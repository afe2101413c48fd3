import AgentCore
import Envelope
import Keyring

/// Takes what a job makes.
protocol SimulatedJobOwner: AnyObject {
    var hasRoom: Bool { get }
    /// More of the job waits for its way than it may read ahead.
    func isAhead(_ job: String) -> Bool
    func submit(_ submission: Submission)
    /// The stream gets no more.
    func close(_ stream: StreamID)
}

/// Drives ``AgentCore/JobMachine`` and ``AgentCore/StreamWriter`` over a source that can be read again: records numbered
/// 0, 1, 2, … up to an end, at a pace. Reading, sealing and tidying up fail at times.
final class SimulatedJob {
    struct Plan: Sendable {
        var name: String
        /// Number of the job among all jobs of the mesh: what its records say they are from.
        var number: Int
        var destination: NodeName
        var lane: Lane
        var compression: Compression
        /// Records the source has.
        var records: UInt64
        var recordsAtOnce: ClosedRange<Int>
        var valueBytes: ClosedRange<Int>
        var pace: ClosedRange<Duration>
        var habits = Habits()
    }

    /// What the daemons take from their configuration or have far larger, and how often the source fails.
    struct Habits: Sendable {
        var linger = Duration.zero
        /// No more than a segment of the smallest stores of relays takes.
        var batchBytes = 48 << 10
        /// Envelopes of a stream before another begins.
        var streamEnvelopes = Limits.streamEnvelopes
        /// Envelopes without receipt.
        var window = StreamWriter.window
        /// The probability that an operation of the source fails.
        var faults = 0.0
        /// What is fresh may overtake what has waited.
        var freshFirst = false
        /// Bytes that may wait for their way before the source waits too.
        var readAhead: Int?

        init() {}

        /// Each is as in the daemons in a good share of all seeds.
        init(_ random: inout SeededRandom) {
            if random.chance(0.4) { linger = random.duration(in: .milliseconds(10) ... .seconds(5)) }
            if random.chance(0.3) { batchBytes = 1 << random.number(in: 8...14) }
            if random.chance(0.3) { streamEnvelopes = UInt64(random.number(in: 1...20)) }
            if random.chance(0.3) { window = UInt64(random.number(in: 1...20)) }
            if random.chance(0.4) { faults = random.chance(0.5) ? 0.02 : 0.2 }
            freshFirst = random.chance(0.3)
            if !freshFirst, random.chance(0.5) { readAhead = 1 << random.number(in: 8...16) }
        }
    }

    /// Until a job looks again whether there is room.
    private static let roomDelay: Duration = .milliseconds(200)

    let plan: Plan
    private let host: Host
    private let ledger: DataLedger
    private let keychain: Keychain
    private unowned let owner: any SimulatedJobOwner
    private var machine: JobMachine
    private var writer: StreamWriter
    private var sealer: Sealer?
    private var batch: RecordBatch.Builder?
    private var begun = 0
    private var floor = Sequence(1)
    /// Records that the source was told it need not keep.
    private var tidied: UInt64 = 0
    private(set) var due: Instant

    /// - Parameters:
    ///   - checkpoint: the first record to read, eight bytes; nil for the beginning.
    ///   - behind: whose receipts, all of them, make everything up to the checkpoint settled.
    init(
        _ plan: Plan, from checkpoint: [UInt8]?, behind: [JobMachine.Place], _ host: Host,
        _ keychain: Keychain, _ ledger: DataLedger, owner: any SimulatedJobOwner
    ) {
        self.plan = plan
        self.host = host
        self.ledger = ledger
        self.keychain = keychain
        self.owner = owner
        machine = JobMachine(.init(linger: plan.habits.linger), from: checkpoint, behind: behind)
        var settings = StreamWriter.Settings(
            job: plan.name, destination: Identity.id(of: plan.destination), lane: plan.lane,
            chain: UInt64(plan.number) + 1)
        settings.envelopes = plan.habits.streamEnvelopes
        settings.window = plan.habits.window
        writer = StreamWriter(settings)
        due = host.now
    }

    /// The first record not handed over yet.
    var next: UInt64 { Self.index(machine.checkpoint) }

    /// All is handed over, and the source knows that all has had its effect.
    var isDone: Bool { next >= plan.records && tidied >= plan.records }

    func receipted(_ stream: StreamID, through sequence: Sequence, floor: Sequence) {
        if writer.stream?.id == stream { self.floor = floor }
        machine.receipted(JobMachine.Place(stream: stream, sequence: sequence))
        due = host.now
    }

    func ended(_ stream: StreamID) {
        machine.ended(stream)
        due = host.now
    }

    func fellBehind(_ stream: StreamID) {
        writer.fellBehind(stream)
        due = host.now
    }

    // MARK: The machine

    /// Does what the machine says until it has to wait.
    func goOn() {
        while true {
            switch machine.next(at: host.now, wall: host.wall) {
            case .open:
                batch = try? RecordBatch.Builder(topic: "simulated", limit: plan.habits.batchBytes)
                if !fails() { machine.opened() }
            case .acknowledge(let checkpoint): tidy(checkpoint)
            case .awaitRoom:
                guard owner.hasRoom, !owner.isAhead(plan.name), writer.hasRoom(floor: floor) else {
                    return wait(until: host.now + Self.roomDelay)
                }
                machine.hasRoom()
            case .read(let place): read(Self.index(place))
            case .askSchedule: machine.fires(in: .seconds(600), at: host.now, wall: host.wall)
            case .handOver(let checkpoint): handOver(checkpoint)
            case .pause(let until), .rest(let until): return wait(until: until)
            }
        }
    }

    private func wait(until time: Instant) {
        due = time
        for fact in machine.takeFacts() {
            switch fact {
            case .failed(let failure, _), .untold(let failure):
                host.trace(failure.kind == .configuration ? "job without a key" : "source failed")
            case .began, .made, .succeeded: break
            }
        }
    }

    private func fails() -> Bool {
        guard host.isFaulty, host.random.chance(plan.habits.faults) else { return false }
        machine.failed(ConnectorFailure(.transient, "a fault"), at: host.now, random: host.random.next())
        return true
    }

    // MARK: The source

    private static func index(_ checkpoint: [UInt8]?) -> UInt64 {
        checkpoint.map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } } ?? 0
    }

    private static func checkpoint(_ index: UInt64) -> [UInt8] {
        withUnsafeBytes(of: index.littleEndian) { Array($0) }
    }

    /// What it fails in it may have done in part: some records, that it may tidy up.
    private func read(_ first: UInt64) {
        let wanted = min(UInt64(host.random.number(in: plan.recordsAtOnce)), plan.records - first)
        var taken: UInt64 = 0
        while taken < wanted, append(first + taken) { taken += 1 }
        if fails() { return }
        let next = first + taken
        let isAtEnd = next == plan.records
        machine.read(
            JobMachine.Reading(
                checkpoint: taken > 0 ? Self.checkpoint(next) : first > 0 ? Self.checkpoint(first) : nil,
                hasMore: taken < wanted || !isAtEnd && host.random.chance(0.1),
                again: isAtEnd ? nil : host.random.duration(in: plan.pace), records: batch?.count ?? 0,
                isFull: batch?.isFull ?? true), at: host.now)
    }

    /// A record's value is the job's number and its own, and some bytes that follow from these.
    private func append(_ index: UInt64) -> Bool {
        let value = DataLedger.value(job: plan.number, index: index, bytes: host.random.number(in: plan.valueBytes))
        return (try? batch?.append(key: nil, value: value, headers: [], at: host.wall)) != nil
    }

    /// A source may delete what it is told of.
    private func tidy(_ checkpoint: [UInt8]) {
        let records = Self.index(checkpoint)
        if records > ledger.applied(of: plan.number) {
            host.fail(
                "the source of job \(plan.number) is told to tidy up \(records) records that had no effect")
        }
        tidied = max(tidied, records)
        if !fails() { machine.acknowledged() }
    }

    // MARK: Sealing

    private func handOver(_ checkpoint: [UInt8]?) {
        if fails() { return }
        guard let stream = prepare(), let batch else {
            let failure = ConnectorFailure(.configuration, "no key")
            return machine.failed(failure, at: host.now, random: host.random.next())
        }
        let sequence = writer.next
        var envelope: [UInt8] = []
        do throws(SealError) {
            try sealer?.seal(
                batch.finish(), sequence: sequence, floor: min(floor, sequence), created: host.wall,
                lifetime: 90 * 86_400, lane: plan.lane, compression: plan.compression, into: &envelope)
        } catch {
            host.fail("a batch cannot be sealed: \(error)")
            let failure = ConnectorFailure(.transient, "not sealed")
            return machine.failed(failure, at: host.now, random: host.random.next())
        }
        writer.advance()
        ledger.sealed(stream.id, sequence, envelope, at: host)
        host.trace("seals", stream.id.value.low & 0xFFFF, sequence.number)
        owner.submit(
            Submission(
                stream: stream, sequence: sequence, envelope: envelope, lifetime: 90 * 86_400, records: batch.count,
                checkpoint: checkpoint, madeAt: host.now))
        self.batch?.removeAll(keepingCapacity: true)
        machine.handedOver(JobMachine.Place(stream: stream.id, sequence: sequence))
    }

    private func prepare() -> OutboxStream? {
        guard let keys = keychain.sealing(for: writer.settings.destination, at: host.wall) else { return nil }
        if let stream = writer.stream, !writer.mustBegin(with: keys.id) { return stream }
        begun += 1
        var id = StreamID(Bytes16(low: host.random.next(), high: host.random.next()))
        #if CANARIES
            if Canary.isPlanted(.streamKeptAcrossRestart) {
                id = StreamID(Bytes16(low: UInt64(plan.number) + 1, high: UInt64(begun)))
            }
        #endif
        let (stream, last) = writer.begin(id, with: keys.id)
        sealer = Sealer(keys, from: Identity.id(of: host.name), to: writer.settings.destination, stream: id)
        floor = Sequence(1)
        host.trace("begins a stream", id.value.low & 0xFFFF, UInt64(begun))
        if let last { owner.close(last) }
        return stream
    }
}
