import Envelope

/// What a collecting job does with its source, as a machine without I/O: when it reads, when what was read is handed
/// over or waits for more, where it goes on after a failure, and what the source may tidy up behind.
///
/// The owner asks ``next(at:wall:)`` what to do, does it, says what came of it, and asks again. It keeps the batch
/// being filled; the machine knows only how full it is.
///
/// Invariants:
/// - the checkpoint handed over with an envelope is the place just behind its last record, so that whatever is killed
///   when, the source is read on from the right place;
/// - after a failure everything read and not handed over is read again, from the place where what was handed over
///   ends;
/// - the source is told of a checkpoint only once everything up to it is receipted.
package struct JobMachine {
    package struct Settings: Sendable {
        /// How long a batch that is not full waits for more.
        package var linger: Duration
        /// Between attempts after a failure.
        package var pauses = Backoff(shortest: .milliseconds(200), longest: .seconds(30))

        package init(linger: Duration) { self.linger = linger }
    }

    /// A number of a stream.
    package struct Place: Equatable, Sendable {
        package var stream: StreamID
        package var sequence: Sequence

        package init(stream: StreamID, sequence: Sequence) {
            self.stream = stream
            self.sequence = sequence
        }
    }

    /// What one reading came to.
    package struct Reading: Equatable, Sendable {
        /// The place just behind the last record read.
        package var checkpoint: [UInt8]?
        /// The source has more to give right now.
        package var hasMore: Bool
        /// Where not nil, the source should be asked again after so long, schedule or not.
        package var again: Duration?
        /// Of the batch being filled, with what was read before.
        package var records: Int
        package var isFull: Bool

        package init(checkpoint: [UInt8]?, hasMore: Bool, again: Duration? = nil, records: Int, isFull: Bool) {
            self.checkpoint = checkpoint
            self.hasMore = hasMore
            self.again = again
            self.records = records
            self.isFull = isFull
        }
    }

    /// What the owner should do now.
    package enum Step: Equatable, Sendable {
        /// Empty the batch and open the source, anew where it is open: ``opened()`` or ``failed(_:at:random:)``.
        case open
        /// Tell the source that everything up to here has had its effect: ``acknowledged()`` or
        /// ``failed(_:at:random:)``.
        case acknowledge([UInt8])
        /// Wait until the outbox takes one more: ``hasRoom()``.
        case awaitRoom
        /// Read records that follow this place (nil: from the beginning) into the batch: ``read(_:at:)`` or
        /// ``failed(_:at:random:)``.
        case read(after: [UInt8]?)
        /// Seal the batch, give it to the outbox with this place behind it, and empty it: ``handedOver(_:)`` or
        /// ``failed(_:at:random:)``.
        case handOver(checkpoint: [UInt8]?)
        /// Ask the schedule how long it is until its next time: ``fires(in:at:wall:)``.
        case askSchedule
        /// Ask again then, and after every receipt.
        case pause(until: Instant)
        /// The same after a failure: let go of the source.
        case rest(until: Instant)
    }

    /// What people should know.
    package enum Fact: Equatable, Sendable {
        case began
        case made(records: Int)
        case succeeded
        /// - isNew: another reason than that of the failure before.
        case failed(ConnectorFailure, isNew: Bool)
        /// The source could not be told what it may tidy up. It is told later.
        case untold(ConnectorFailure)
    }

    private enum Stage {
        /// A run begins.
        case beginning
        case reading
        /// As before; the outbox has room.
        case ready
        /// Read, and the schedule is not asked yet.
        case asking(Reading)
        /// What was read is handed over; then the source is read on, or there is a pause.
        case handingOver(Reading, pause: Duration?)
        case pausing(Pause)
        case resting(until: Instant)
    }

    private struct Pause {
        var until: Instant
        /// When it began, by both clocks.
        var since: Instant
        var wall: WallTime
    }

    /// The longest pause at a time: the wall clock may be set, and a schedule goes by it.
    package static let longestLook: Duration = .seconds(60)
    /// The wall clock was set where it has gone so much another way than time.
    static let clockTolerance: Duration = .seconds(5)

    private let settings: Settings
    private var stage = Stage.beginning
    private var isOpen = false
    /// Where what was handed over ends.
    package private(set) var checkpoint: [UInt8]?
    /// Where what was read ends.
    private var readTo: [UInt8]?
    /// Records read and not handed over, and when the first of them was read.
    private var records = 0
    private var firstReadAt = Instant.zero
    private var settling: Settling
    /// When the source is told again what it could not be told.
    private var tellsAgain = Instant.zero
    private var failures: Backoff
    private var lastReason = ""
    private var facts: [Fact] = []

    /// - Parameters:
    ///   - checkpoint: where the source goes on; nil for its beginning.
    ///   - behind: whose receipts, all of them, make everything up to the checkpoint settled; empty where it is so
    ///     already.
    package init(_ settings: Settings, from checkpoint: [UInt8]?, behind: [Place]) {
        self.settings = settings
        self.checkpoint = checkpoint
        readTo = checkpoint
        failures = settings.pauses
        settling = Settling(checkpoint, behind: behind)
    }

    package mutating func takeFacts() -> [Fact] {
        if facts.isEmpty { return [] }
        defer { facts = [] }
        return facts
    }

    // MARK: What to do

    package mutating func next(at now: Instant, wall: WallTime) -> Step {
        while true {
            switch stage {
            case .beginning:
                facts.append(.began)
                stage = .reading
            case .reading:
                guard isOpen else { return .open }
                return settling.settled.map { .acknowledge($0) } ?? .awaitRoom
            case .ready: return .read(after: readTo)
            case .asking: return .askSchedule
            case .handingOver(let reading, let pause):
                if records > 0 { return .handOver(checkpoint: readTo) }
                passOn(reading, pause, at: now, wall: wall)
            case .pausing(let pause):
                if isOpen, now >= tellsAgain, let settled = settling.settled { return .acknowledge(settled) }
                guard now >= pause.until || wasSet(wall, since: pause, at: now) else {
                    return .pause(until: min(pause.until, now + Self.longestLook))
                }
                stage = .beginning
            case .resting(let until):
                if now < until { return .rest(until: until) }
                stage = .beginning
            }
        }
    }

    /// What was read is on its way, or was nothing.
    private mutating func passOn(_ reading: Reading, _ pause: Duration?, at now: Instant, wall: WallTime) {
        checkpoint = readTo
        if let pause { finish(pause, at: now, wall: wall) } else { stage = .reading }
    }

    /// A run has come to its end.
    private mutating func finish(_ pause: Duration, at now: Instant, wall: WallTime) {
        failures.reset()
        lastReason = ""
        facts.append(.succeeded)
        stage = .pausing(Pause(until: now + pause, since: now, wall: wall))
    }

    /// Whether the wall clock has gone another way than time since the pause began: then the schedule is asked anew.
    private func wasSet(_ wall: WallTime, since pause: Pause, at now: Instant) -> Bool {
        let passed = (now - pause.since).wholeMilliseconds
        return abs(wall.milliseconds - pause.wall.milliseconds - passed) > Self.clockTolerance.wholeMilliseconds
    }

    // MARK: What came of it

    package mutating func opened() {
        isOpen = true
        records = 0
    }

    package mutating func hasRoom() {
        if case .reading = stage, isOpen { stage = .ready }
    }

    package mutating func read(_ reading: Reading, at now: Instant) {
        guard case .ready = stage else { return }
        readTo = reading.checkpoint
        if records == 0 { firstReadAt = now }
        records = reading.records
        stage = reading.hasMore ? .handingOver(reading, pause: nil) : .asking(reading)
    }

    /// - Parameter time: until the schedule's next time.
    package mutating func fires(in time: Duration, at now: Instant, wall: WallTime) {
        guard case .asking(let reading) = stage else { return }
        let pause = min(reading.again ?? time, time)
        let rest = settings.linger - (now - firstReadAt)
        // It waits for more only where the source is asked again in time.
        if records > 0, !reading.isFull, rest > .zero, pause <= rest {
            finish(pause, at: now, wall: wall)
        } else {
            stage = .handingOver(reading, pause: pause)
        }
    }

    /// The batch is on its way, under this number.
    package mutating func handedOver(_ place: Place) {
        facts.append(.made(records: records))
        if let readTo { settling.note(place, readTo) }
        records = 0
    }

    /// - Parameter random: a uniformly random word.
    package mutating func failed(_ failure: ConnectorFailure, at now: Instant, random: UInt64) {
        if case .pausing = stage {
            tellsAgain = now + Self.longestLook
            return facts.append(.untold(failure))
        }
        facts.append(.failed(failure, isNew: failure.reason != lastReason))
        lastReason = failure.reason
        isOpen = false
        readTo = checkpoint
        stage = .resting(until: now + failures.next(random: random))
    }

    // MARK: Receipts

    /// Of checkpoints whose receipts are waited for: 1 MiB and the newest at most, or two that are longer.
    package var checkpointBytes: Int { settling.bytes }

    /// Receipts of a stream of the job have come up to here.
    package mutating func receipted(_ place: Place) {
        settling.receipted(place)
        tellsAgain = .zero
    }

    /// Nothing of the stream is waited for any more: what has no receipt was given up.
    package mutating func ended(_ stream: StreamID) {
        settling.ended(stream)
        tellsAgain = .zero
    }

    package mutating func acknowledged() { settling.settled = nil }
}

/// Checkpoints on their way to the source's ear.
///
/// Invariants:
/// - what is settled has a receipt, and everything made before it has one too, or was given up;
/// - however much waits for receipts, what is kept of it is bounded, since the checkpoint of a source of many files is
///   long: one that would be too much is left out, and the source hears of it with the one behind it.
private struct Settling {
    /// Bytes of checkpoints that are kept, but for the newest; one is, however long.
    private static let enough = 1 << 20

    private struct Entry {
        var place: JobMachine.Place
        /// Nil where more that was made before the same checkpoint follows, and where it is left out.
        var checkpoint: [UInt8]?
        var isDone = false
        var isReceipted = false
    }

    /// Behind envelopes that are not settled yet, in the order of their making.
    private var behind: [Entry] = []
    /// A receipted checkpoint the source has not been told of.
    var settled: [UInt8]?
    /// The newest receipts heard of; one may come before its envelope is noted. Of few streams.
    private var marks: [JobMachine.Place] = []
    /// Of the checkpoints in `behind`.
    private(set) var bytes = 0
    private var kept = 0

    init(_ checkpoint: [UInt8]?, behind places: [JobMachine.Place]) {
        guard let checkpoint, let last = places.last else {
            settled = checkpoint
            return
        }
        behind = places.dropLast().map { Entry(place: $0) } + [Entry(place: last, checkpoint: checkpoint)]
        count(checkpoint, 1)
    }

    mutating func note(_ place: JobMachine.Place, _ checkpoint: [UInt8]) {
        let isReceipted = marks.contains { $0.stream == place.stream && place.sequence <= $0.sequence }
        // The oldest stays, so that the source hears of something while more and more comes.
        if kept > 1, bytes + checkpoint.count > Self.enough, let last = behind.indices.last {
            count(behind[last].checkpoint, -1)
            behind[last].checkpoint = nil
        }
        count(checkpoint, 1)
        behind.append(Entry(place: place, checkpoint: checkpoint, isDone: isReceipted, isReceipted: isReceipted))
        update()
    }

    mutating func receipted(_ mark: JobMachine.Place) {
        marks.removeAll { $0.stream == mark.stream }
        marks.append(mark)
        for index in behind.indices where behind[index].place.stream == mark.stream {
            guard behind[index].place.sequence <= mark.sequence else { break }
            (behind[index].isDone, behind[index].isReceipted) = (true, true)
        }
        update()
    }

    mutating func ended(_ stream: StreamID) {
        marks.removeAll { $0.stream == stream }
        for index in behind.indices where behind[index].place.stream == stream { behind[index].isDone = true }
        update()
    }

    private mutating func update() {
        let end = behind.firstIndex { !$0.isDone } ?? behind.count
        // What was given up is told with the next that has its receipt.
        guard let last = behind[..<end].lastIndex(where: \.isReceipted) else { return }
        for entry in behind[...last] {
            settled = entry.checkpoint ?? settled
            count(entry.checkpoint, -1)
        }
        behind.removeFirst(last + 1)
    }

    private mutating func count(_ checkpoint: [UInt8]?, _ sign: Int) {
        guard let checkpoint else { return }
        bytes += sign * checkpoint.count
        kept += sign
    }
}
