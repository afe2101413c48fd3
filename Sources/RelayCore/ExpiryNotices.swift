import Envelope
import Mesh

/// What sources are told of their envelopes that lived out their lifetimes here, as a machine without I/O: a notice for
/// each run of numbers of a stream.
///
/// A notice is news and nothing else: its source has a copy of what expired until it expires there too, or knows that it
/// had its effect. So there is a bound to them, past which what expires is counted and logged here alone.
struct ExpiryNotices {
    struct Run: Equatable {
        var source: NodeID
        var stream: StreamID
        var first: Sequence
        var last: Sequence
    }

    private struct Key: Hashable {
        var source: NodeID
        var stream: StreamID
    }

    /// Notices that wait here for their way at most.
    static let limit = 4096
    /// What the forwarder knows them by; an envelope of somebody else has the owner 0.
    static let owner: UInt64 = .max
    /// Seconds: as long as a source waits through a weekend.
    static let lifetime: UInt32 = 3 * 86_400

    private var runs: [Run] = []
    /// The newest run of each stream.
    private var places: [Key: Int] = [:]
    private(set) var waiting = 0

    /// - Precondition: an envelope of data; a stream's come in rising order.
    mutating func add(_ dropped: Effect.Dropped) {
        let key = Key(source: dropped.source, stream: dropped.stream)
        if let place = places[key], runs[place].last.next == dropped.sequence {
            runs[place].last = dropped.sequence
            return
        }
        guard waiting + runs.count < Self.limit else { return }
        places[key] = runs.count
        runs.append(
            Run(source: dropped.source, stream: dropped.stream, first: dropped.sequence, last: dropped.sequence))
    }

    /// What is to be told now.
    mutating func take() -> [Run] {
        if runs.isEmpty { return [] }
        waiting += runs.count
        places.removeAll(keepingCapacity: true)
        defer { runs.removeAll(keepingCapacity: true) }
        return runs
    }

    /// One was handed on or has expired itself.
    mutating func left() { waiting -= 1 }
}
