import Agent
import Envelope
import Glibc

/// What a discard sink does beside forgetting.
public struct DiscardSettings: Hashable, Sendable {
    /// A JSON file for what it has counted; nil for none.
    public var statistics: String?
    /// Write the statistics at once when so many different records have come.
    public var expected: UInt64?

    public init(statistics: String? = nil, expected: UInt64? = nil) {
        self.statistics = statistics
        self.expected = expected
    }
}

/// Takes records, counts them and forgets them, for measurements.
///
/// Its marks are in memory only: after a restart of the agent the senders' unreceipted envelopes count again.
public final class DiscardSink: Sink {
    private let settings: DiscardSettings
    private let clocks: Clocks
    private var marks: [StreamID: Sequence] = [:]
    private var statistics = DiscardStatistics()
    private var writtenAt = Instant.zero
    private var isWritten = false

    /// How often the statistics are written while records come.
    private static let writingPeriod = Duration.milliseconds(200)

    public convenience init(_ settings: DiscardSettings) { self.init(settings, clocks: .system) }

    init(_ settings: DiscardSettings, clocks: Clocks) {
        self.settings = settings
        self.clocks = clocks
    }

    deinit { if !isWritten { try? writeStatistics() } }

    public func mark(of stream: StreamID) -> Sequence { marks[stream] ?? .none }

    public func apply(_ deliveries: [Delivery]) throws(ConnectorError) {
        // Everything is read before anything is counted: a damaged delivery leaves no trace.
        for delivery in deliveries where settings.statistics == nil { try Self.check(delivery) }
        var counted = statistics
        if settings.statistics != nil {
            let now = clocks.monotonic()
            for delivery in deliveries { try counted.add(delivery, at: now) }
            counted.note(clocks.wall(), at: now)
        }
        for delivery in deliveries { marks[delivery.stream] = delivery.sequence }
        let isReached = settings.expected.map { statistics.distinct < $0 && counted.distinct >= $0 } ?? false
        statistics = counted
        isWritten = false
        let now = clocks.monotonic()
        if isReached || now - writtenAt >= Self.writingPeriod { try writeStatistics() }
    }

    /// Replaces the statistics file; does nothing where none is wanted.
    public func writeStatistics() throws(ConnectorError) {
        guard let path = settings.statistics else { return }
        let fresh = path + ".new"
        let file = try OpenFile(fresh, flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(Array(statistics.json.utf8), at: 0)
        try Directory().rename(fresh, to: path)
        writtenAt = clocks.monotonic()
        isWritten = true
    }

    private static func check(_ delivery: Delivery) throws(ConnectorError) {
        do throws(EnvelopeError) {
            var reader = try RecordBatch.Reader(delivery.batch)
            while try reader.next() != nil {}
        } catch {
            throw ConnectorError(.rejected, "a delivery holds a damaged record: \(error)")
        }
    }
}
