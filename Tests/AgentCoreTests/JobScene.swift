import Envelope
import Testing

@testable import AgentCore

/// A job machine with a source behind it that does what a test says, under a time of the test's. A checkpoint is the
/// number of records read, in one byte; a record is its number.
struct JobScene {
    var machine: JobMachine
    var now = Sample.now
    var wall = WallTime(milliseconds: 1_700_000_000_000)
    var facts: [JobMachine.Fact] = []

    // The source.
    var records = 0
    var atOnce = 1
    var again: Duration?
    /// Says there is no more though there is.
    var hidesMore = false
    /// Until the schedule's next time.
    var fires: Duration = .seconds(3600)
    /// How long a reading takes.
    var readTime = Duration.zero
    /// Of the coming openings, readings, hand-overs and tidyings, in turn; nil where it goes well. What fails has done
    /// its work in part.
    var faults: [ConnectorFailure.Kind?] = []
    private(set) var openings = 0
    /// Where each reading began.
    private(set) var reads: [Int] = []
    private(set) var tidied: [Int] = []
    private(set) var rests: [Duration] = []

    /// Bytes of a checkpoint; those behind the first say nothing.
    var checkpointLength = 1

    // The batch and what was handed over.
    var batchRecords = 10
    private var batch: [Int] = []
    private(set) var handedOver: [(records: [Int], checkpoint: Int)] = []
    var hasRoom = true
    var stream = Sample.stream(1)
    var sequence = Sequence(1)
    private var random: UInt64 = 1

    init(linger: Duration = .zero, from checkpoint: Int? = nil, behind: [JobMachine.Place] = []) {
        machine = JobMachine(.init(linger: linger), from: checkpoint.map { [UInt8($0)] }, behind: behind)
    }

    /// Does what the machine says until it has to wait.
    @discardableResult mutating func run() -> JobMachine.Step {
        for _ in 0..<10_000 {
            let step = machine.next(at: now, wall: wall)
            facts += machine.takeFacts()
            switch step {
            case .open: open()
            case .acknowledge(let place): if !fails() { tidy(place) }
            case .awaitRoom:
                guard hasRoom else { return step }
                machine.hasRoom()
            case .read(let place): read(Int(place?.first ?? 0))
            case .askSchedule: machine.fires(in: fires, at: now, wall: wall)
            case .handOver(let place): if !fails() { handOver(Int(place?.first ?? 0)) }
            case .pause: return step
            case .rest(let until):
                rests.append(until - now)
                return step
            }
            facts += machine.takeFacts()
        }
        Issue.record("the machine does not come to rest")
        return .awaitRoom
    }

    /// Time passes by both clocks.
    mutating func pass(_ time: Duration) {
        now = now + time
        wall = WallTime(milliseconds: wall.milliseconds + time.wholeMilliseconds)
    }

    /// The same, and through rests until it pauses.
    mutating func runThroughRests() {
        while case .rest(let until) = run() { pass(until - now + .milliseconds(1)) }
    }

    mutating func receipted(_ sequence: UInt64, of stream: StreamID? = nil) {
        machine.receipted(.init(stream: stream ?? self.stream, sequence: Sequence(sequence)))
    }

    private mutating func fails() -> Bool {
        guard let kind = faults.isEmpty ? nil : faults.removeFirst() else { return false }
        random = random &* 6_364_136_223_846_793_005 &+ 1
        machine.failed(ConnectorFailure(kind, "a fault"), at: now, random: random)
        return true
    }

    private mutating func open() {
        openings += 1
        batch = []
        if !fails() { machine.opened() }
    }

    private mutating func read(_ start: Int) {
        reads.append(start)
        pass(readTime)
        let end = max(start, min(records, start + min(atOnce, batchRecords - batch.count)))
        batch += Array(start..<end)
        if fails() { return }
        machine.read(
            JobMachine.Reading(
                checkpoint: end > 0 ? [UInt8(end)] + Array(repeating: 0, count: checkpointLength - 1) : nil,
                hasMore: end < records && !hidesMore, again: again,
                records: batch.count, isFull: batch.count == batchRecords), at: now)
    }

    private mutating func handOver(_ checkpoint: Int) {
        handedOver.append((batch, checkpoint))
        batch = []
        machine.handedOver(.init(stream: stream, sequence: sequence))
        sequence = sequence.next
    }

    private mutating func tidy(_ place: [UInt8]) {
        tidied.append(Int(place.first ?? 0))
        machine.acknowledged()
    }
}
