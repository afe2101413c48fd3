import Envelope
import Link

/// What an agent knows of the streams it makes and of those it delivers, for comparing both ends of a stream: a value
/// without I/O.
///
/// Invariants:
/// - numbers only rise, so an old copy of a ledger, as a crash or a backup leaves it, is a lower bound of the truth, and
///   what is raised above it is true;
/// - of each side there are at most ``capacity`` streams: the one least recently touched goes first, and is counted.
///
/// It decides nothing: what is sent again, receipted or kept out as a copy is not looked up here.
package struct StreamLedger: Sendable {
    /// Streams of each side. A process makes one a job and key, so this is weeks of a busy agent.
    package static let streams = 4096
    /// Ranges of expired or skipped sequences remembered of a stream, the highest.
    package static let ranges = 256

    /// A stream that this agent makes or made.
    package struct Outgoing: Equatable, Sendable {
        package var stream: StreamID
        package var job: String
        package var destination: NodeID
        /// Records in the envelopes that became durable here.
        package var records: UInt64 = 0
        /// Some envelopes became durable without their records being counted: the process was killed meanwhile.
        package var recordsAreAtLeast = false
        /// All up to here have been durable here.
        package var sent = Sequence.none
        /// All up to here have a receipt, or have expired: nothing of them is kept here.
        package var receipted = Sequence.none
        /// Lived out their lifetime without a receipt; the highest of them.
        package var expired = RangeSet()
        /// Of all that expired.
        package var expiredCount: UInt64 = 0
        /// When something of it was made first.
        package var first: WallTime
        /// When something of it was made, receipted or given up last.
        package var last: WallTime
        /// It gets no more, and all of it is receipted or expired.
        package var hasEnded = false

        package init(stream: StreamID, job: String, destination: NodeID, at wall: WallTime) {
            (self.stream, self.job, self.destination) = (stream, job, destination)
            (first, last) = (wall, wall)
        }
    }

    /// A stream that this agent delivers.
    package struct Incoming: Equatable, Sendable {
        package var source: NodeID
        package var stream: StreamID
        /// The sink's durable mark: all up to here have had their effect, or were set aside or given up for good.
        package var delivered: Sequence
        /// Of these, those that never came: their source cared for them no more. The highest of them.
        package var skipped = RangeSet()
        /// When its mark was told first and last.
        package var first: WallTime
        package var last: WallTime
    }

    struct Origin: Hashable {
        var source: NodeID
        var stream: StreamID
    }

    private(set) var made: RecentTable<StreamID, Outgoing>
    private(set) var taken: RecentTable<Origin, Incoming>
    /// Rises with every change, so that an owner sees whether there is something to save.
    package private(set) var revision: UInt64 = 0

    /// - Parameter capacity: streams of each side.
    package init(capacity: Int = streams) { self.init(capacity: capacity, forgotten: (0, 0)) }

    init(capacity: Int, forgotten: (outgoing: UInt64, incoming: UInt64)) {
        made = RecentTable(capacity: capacity, forgotten: forgotten.outgoing)
        taken = RecentTable(capacity: capacity, forgotten: forgotten.incoming)
    }

    /// The least recently touched first.
    package var outgoing: [Outgoing] { made.entries }
    package var incoming: [Incoming] { taken.entries }
    /// Streams that had to go, over all processes that have kept this ledger.
    package var forgotten: (outgoing: UInt64, incoming: UInt64) { (made.forgotten, taken.forgotten) }

    // MARK: As it was read back

    mutating func restore(_ entry: Outgoing) { made.put(entry.stream, entry) }
    mutating func restore(_ entry: Incoming) { taken.put(Origin(source: entry.source, stream: entry.stream), entry) }

    // MARK: What is made here

    private mutating func change(
        _ stream: StreamID, job: String, destination: NodeID, at wall: WallTime, _ body: (inout Outgoing) -> Void
    ) {
        revision += 1
        if made.change(stream, body) { return }
        var entry = Outgoing(stream: stream, job: job, destination: destination, at: wall)
        body(&entry)
        made.put(stream, entry)
    }

    /// An envelope is durable here.
    package mutating func stored(_ stream: OutboxStream, _ sequence: Sequence, records: Int, at wall: WallTime) {
        change(stream.id, job: stream.job, destination: stream.destination, at: wall) { entry in
            // One that is not new was counted already. A number read back may be anything, and must not trap.
            if sequence > entry.sent { entry.records &+= UInt64(max(0, records)) }
            entry.sent = max(entry.sent, sequence)
            entry.last = max(entry.last, wall)
        }
    }

    /// The outbox's journal holds an envelope of a process before this one.
    package mutating func recovered(
        _ stream: StreamID, _ sequence: Sequence, job: String, destination: NodeID, at wall: WallTime
    ) {
        change(stream, job: job, destination: destination, at: wall) { entry in
            guard sequence > entry.sent else { return }
            entry.sent = sequence
            entry.recordsAreAtLeast = true
        }
    }

    /// Everything in the outbox's journal was shown. What is not in there has its receipt or has expired, whatever a
    /// copy of the ledger from before says.
    /// - Parameter floor: the lowest sequence of a stream that the outbox keeps; nil for a stream it does not know.
    package mutating func recovered(floor: (StreamID) -> Sequence?) {
        revision += 1
        made.changeAll { entry in
            guard !entry.hasEnded else { return }
            let kept = floor(entry.stream)
            entry.hasEnded = kept == nil
            let through = kept.map { Sequence($0.number > 0 ? $0.number - 1 : 0) } ?? entry.sent
            entry.receipted = max(entry.receipted, min(through, entry.sent))
        }
    }

    /// The destination's receipt for all up to here.
    package mutating func receipted(_ stream: StreamID, through mark: Sequence, at wall: WallTime) {
        let isKnown = made.change(stream) { entry in
            entry.receipted = max(entry.receipted, min(mark, entry.sent))
            entry.last = max(entry.last, wall)
        }
        if isKnown { revision += 1 }
    }

    /// One lived out its lifetime.
    package mutating func expired(_ stream: StreamID, _ sequence: Sequence, at wall: WallTime) {
        let isKnown = made.change(stream) { entry in
            entry.last = max(entry.last, wall)
            guard !entry.expired.contains(sequence.number) else { return }
            entry.expired.insert(sequence.number)
            entry.expired.keepHighest(Self.ranges)
            entry.expiredCount &+= 1
        }
        if isKnown { revision += 1 }
    }

    /// A stream gets no more, and nothing of it is kept.
    package mutating func ended(_ stream: StreamID) {
        if made.change(stream, { $0.hasEnded = true }) { revision += 1 }
    }

    // MARK: What is delivered here

    private mutating func change(
        _ source: NodeID, _ stream: StreamID, at wall: WallTime, _ body: (inout Incoming) -> Void
    ) {
        revision += 1
        let origin = Origin(source: source, stream: stream)
        let isKnown = taken.change(origin) { entry in
            body(&entry)
            entry.last = max(entry.last, wall)
        }
        guard !isKnown else { return }
        var entry = Incoming(source: source, stream: stream, delivered: .none, first: wall, last: wall)
        body(&entry)
        taken.put(origin, entry)
    }

    /// The effect of all up to the mark is durable.
    package mutating func delivered(_ source: NodeID, _ stream: StreamID, through mark: Sequence, at wall: WallTime) {
        change(source, stream, at: wall) { $0.delivered = max($0.delivered, mark) }
    }

    /// A sink goes on behind these, which it never had. What was delivered before, such as by another sink, is no gap.
    package mutating func skipped(
        _ source: NodeID, _ stream: StreamID, _ gap: ClosedRange<UInt64>, at wall: WallTime
    ) {
        change(source, stream, at: wall) { entry in
            let first = max(gap.lowerBound, entry.delivered.next.number)
            guard first <= gap.upperBound else { return }
            entry.skipped.insert(first...gap.upperBound)
            entry.skipped.keepHighest(Self.ranges)
        }
    }
}
