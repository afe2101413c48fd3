import Envelope

/// Numbers the envelopes of one job, as a machine without I/O: which stream the next one belongs to, its number there,
/// and whether the destination's window has room for it.
///
/// Invariants:
/// - a stream begins with the process and again with every other key, so that no key is ever used with a nonce twice;
///   also where it fell behind and what is fresh may overtake it;
/// - numbers rise from 1 without gap;
/// - a stream that has been followed by another gets no more;
/// - all streams of a writer have one chain: an envelope must not become durable, with its checkpoint, before those of
///   the stream before it, or a crash would leave a checkpoint behind records that are nowhere.
package struct StreamWriter: Sendable {
    package struct Settings: Sendable {
        package var job: String
        package var destination: NodeID
        package var lane: Lane
        /// The journal keeps the envelopes of the job in order by it; unlike that of all other writers of the process,
        /// never 0.
        package var chain: UInt64
        /// Envelopes of a stream, before another begins.
        package var envelopes = Limits.streamEnvelopes
        /// Numbers a stream may be ahead of its lowest without receipt.
        package var window = StreamWriter.window

        package init(job: String, destination: NodeID, lane: Lane, chain: UInt64) {
            self.job = job
            self.destination = destination
            self.lane = lane
            self.chain = chain
        }
    }

    /// The destination's window but for some places, which are kept back for what is on its way.
    package static let window = Limits.window - 1024

    package let settings: Settings
    /// nil before the first.
    package private(set) var stream: OutboxStream?
    private var key: KeyID?
    private var isBehind = false
    /// The number of the next envelope.
    package private(set) var next = Sequence(1)

    package init(_ settings: Settings) { self.settings = settings }

    /// Whether another stream must begin before an envelope is sealed with this key.
    package func mustBegin(with key: KeyID) -> Bool {
        stream == nil || isBehind || self.key != key || next.number > settings.envelopes
    }

    /// Another stream begins.
    /// - Parameter id: 16 random bytes.
    /// - Returns: the stream, and the id of the one before, which gets no more.
    package mutating func begin(_ id: StreamID, with key: KeyID) -> (stream: OutboxStream, last: StreamID?) {
        let last = stream?.id
        let begun = OutboxStream(
            id: id, job: settings.job, destination: settings.destination, lane: settings.lane,
            chain: settings.chain)
        stream = begun
        self.key = key
        isBehind = false
        next = Sequence(1)
        return (begun, last)
    }

    /// What is fresh is to go in another stream than this one.
    package mutating func fellBehind(_ id: StreamID) {
        if stream?.id == id { isBehind = true }
    }

    /// The envelope with the number ``next`` is sealed.
    package mutating func advance() { next = next.next }

    /// Whether the destination's window has room for the next.
    /// - Parameter floor: the lowest number without receipt of the stream.
    package func hasRoom(floor: Sequence) -> Bool {
        stream == nil || isBehind || Self.hasRoom(for: next, floor: floor, window: settings.window)
    }

    package static func hasRoom(for sequence: Sequence, floor: Sequence, window: UInt64 = window) -> Bool {
        sequence.number < floor.number + window
    }
}
