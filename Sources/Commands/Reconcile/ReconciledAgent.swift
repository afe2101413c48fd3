import Crypto
import Envelope
import Node

/// What one agent has answered.
///
/// Data flows while agents are asked. So all are asked twice: a receipt that was there the first time must have its
/// effect the second time, and what was delivered the first time must have been sent the second time.
struct ReconciledAgent: Sendable {
    /// A stream of a source.
    struct Origin: Hashable, Sendable {
        var source: String
        var stream: String
    }

    let name: String
    let earlier: StreamReport
    let later: StreamReport
    let quarantine: [QuarantineReport.Entry]
    private let delivered: [Origin: StreamReport.Incoming]
    private let sentLater: [String: UInt64]
    /// What sinks said, by stream.
    var marks: [String: StreamMarks] = [:]

    init(_ earlier: StreamReport, _ later: StreamReport, _ quarantine: QuarantineReport) {
        name = earlier.node
        self.earlier = earlier
        self.later = later
        self.quarantine = quarantine.envelopes
        delivered = Dictionary(
            later.incoming.map { (Origin(source: Self.key($0.source), stream: $0.stream), $0) },
            uniquingKeysWith: { first, _ in first })
        sentLater = Dictionary(later.outgoing.map { ($0.stream, $0.sent) }, uniquingKeysWith: max)
    }

    /// The same for a node's name and for its identifier: an agent that does not know a name says the identifier.
    static func key(_ node: String) -> String { (try? NodeName(node)).map { NodeID(of: $0).description } ?? node }

    var key: String { Self.key(name) }

    func incoming(_ stream: String, from source: String) -> StreamReport.Incoming? {
        delivered[Origin(source: Self.key(source), stream: stream)]
    }

    /// nil where the agent knows no such stream of its own.
    func sent(_ stream: String) -> UInt64? { sentLater[stream] }

    /// When the stream that it remembers longest had its mark told last.
    var oldestIncoming: WallTime? { later.incoming.map(\.last).min() }
}
