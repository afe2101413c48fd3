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

    var made: RecentTable<StreamID, Outgoing>
    var taken: RecentTable<Origin, Incoming>
    /// Rises with every change, so that an owner sees whether there is something to save.
    package internal(set) var revision: UInt64 = 0

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
}
