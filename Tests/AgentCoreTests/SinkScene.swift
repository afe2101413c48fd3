import Envelope
import Mesh
import Testing

@testable import AgentCore

/// A sink machine with a sink behind it that does what a test says, under a time of the test's.
struct SinkScene {
    struct Place: Hashable {
        var stream: StreamID
        var sequence: UInt64
    }

    enum Fault {
        /// Nothing has happened.
        case before
        /// The effect is there, and the answer is lost.
        case after
    }

    var machine: SinkMachine
    var now = Sample.now
    var outcomes: [DeliveryOutcome] = []
    var facts: [SinkMachine.Fact] = []

    // The sink.
    var marks: [StreamID: Sequence] = [:]
    /// What had an effect, in turn, with the number of its records.
    var applied: [(place: Place, records: Int)] = []
    /// Of the coming commits, in turn; nil where it goes well.
    var faults: [Fault?] = []
    /// Of the coming openings and questions.
    var refusals: [ConnectorFailure.Kind] = []
    /// Not taken while they stand here, unless without records.
    var rejected: Set<Place> = []
    /// Not even a batch without records passes.
    var rejectsEmpty = false
    var quarantineHasRoom = true
    var quarantine: [Place] = []
    /// Numbers of each commit asked for.
    var commits: [[UInt64]] = []
    var openings = 0
    var rests: [Duration] = []
    private var isOpen = false
    private var random: UInt64 = 1

    init(_ change: (inout SinkMachine.Settings) -> Void = { _ in }) {
        var settings = SinkMachine.Settings()
        change(&settings)
        machine = SinkMachine(settings)
    }

    static func item(_ stream: StreamID, _ sequence: UInt64, instance: UInt64? = nil, bytes: Int = 1) throws -> SinkItem
    {
        var builder = try RecordBatch.Builder(topic: "topic", limit: 1 << 20)
        try builder.append(
            key: nil, value: [UInt8](repeating: 7, count: bytes), headers: [], at: WallTime(milliseconds: 1))
        return SinkItem(
            instance: InstanceID(token: instance ?? sequence), source: Sample.destination, stream: stream,
            sequence: Sequence(sequence), floor: Sequence(1), batch: builder.finish(), records: 1, envelope: [9])
    }

    mutating func take(_ items: SinkItem...) { machine.take(items) }

    /// Does what the machine says until it waits or rests.
    /// - Returns: until when it rests; nil where it waits.
    @discardableResult mutating func run() -> Instant? {
        for _ in 0..<10_000 {
            let step = machine.next(at: now)
            gather()
            switch step {
            case .wait: return nil
            case .rest(let until):
                isOpen = false
                rests.append(until - now)
                return until
            case .open: open()
            case .askMark(let stream): tellMark(stream)
            case .commit(let items): commit(items)
            case .setAside(let item, _):
                if quarantineHasRoom { quarantine.append(Place(stream: item.stream, sequence: item.sequence.number)) }
                machine.setAside(quarantineHasRoom, at: now)
            }
            gather()
        }
        Issue.record("the machine does not come to rest")
        return nil
    }

    /// The same, and through every rest.
    mutating func runThrough() { while let until = run() { now = until } }

    mutating func leave() {
        machine.leave()
        gather()
    }

    private mutating func gather() {
        outcomes += machine.takeOutcomes()
        facts += machine.takeFacts()
    }

    private mutating func fail(_ kind: ConnectorFailure.Kind, _ reason: String) {
        random = random &* 6_364_136_223_846_793_005 &+ 1
        machine.failed(ConnectorFailure(kind, reason), at: now, random: random)
    }

    private mutating func open() {
        openings += 1
        isOpen = false
        if !refusals.isEmpty { return fail(refusals.removeFirst(), "does not open") }
        isOpen = true
        machine.opened()
    }

    private mutating func tellMark(_ stream: StreamID) {
        #expect(isOpen)
        if !refusals.isEmpty { return fail(refusals.removeFirst(), "tells no mark") }
        machine.marked(stream, marks[stream] ?? .none)
    }

    private mutating func commit(_ items: [SinkItem]) {
        #expect(isOpen)
        commits.append(items.map(\.sequence.number))
        let fault = faults.isEmpty ? nil : faults.removeFirst()
        if fault == .before { return fail(.transient, "no answer") }
        for item in items {
            let isRejected = rejected.contains(Place(stream: item.stream, sequence: item.sequence.number))
            if item.records > 0 ? isRejected : rejectsEmpty { return fail(.rejected, "does not fit") }
        }
        for item in items {
            let next = (marks[item.stream]?.number ?? 0) + 1
            let isNext = item.sequence.number == next || next < item.sequence.number && item.floor == item.sequence
            #expect(isNext, "in order, each once, and nothing left out that its source cares for")
            marks[item.stream] = item.sequence
            applied.append((Place(stream: item.stream, sequence: item.sequence.number), item.records))
        }
        if fault == .after { fail(.transient, "no answer") } else { machine.committed() }
    }

    // MARK: What came of it

    func applied(_ stream: StreamID) -> [UInt64] {
        applied.filter { $0.place.stream == stream }.map(\.place.sequence)
    }

    var finished: [UInt64] { outcomes.compactMap { if case .finished(let id) = $0 { id.token } else { nil } } }

    var givenBack: [UInt64] { outcomes.compactMap { if case .giveBack(let id, _) = $0 { id.token } else { nil } } }

    func delay(_ instance: UInt64) -> Duration? {
        for case .giveBack(let id, let delay) in outcomes where id.token == instance { return delay }
        return nil
    }

    func mark(_ stream: StreamID) -> UInt64? {
        outcomes.compactMap { outcome in
            if case .mark(_, stream, let mark) = outcome { mark.number } else { nil }
        }.last
    }
}
