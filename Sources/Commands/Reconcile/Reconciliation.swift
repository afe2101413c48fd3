import Envelope
import Node

/// Both ends of streams compared: what was read and sent at one, what is receipted, what is delivered at the other.
struct Reconciliation: Encodable, Equatable, Sendable {
    /// The worst of what was found, the worst last.
    enum State: String, Encodable, CaseIterable, Comparable, Sendable {
        case complete
        case underWay
        /// Not all agents that know were asked, or could say.
        case unknown
        case gap

        static func < (left: State, right: State) -> Bool {
            (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
        }

        var words: String { self == .underWay ? "under way" : rawValue }
    }

    /// One stream.
    struct Stream: Encodable, Equatable, Sendable {
        var source: String
        var job: String
        var destination: String
        var stream: String
        var records: UInt64
        var recordsAreAtLeast: Bool
        /// Envelopes.
        var sent: UInt64
        var receipted: UInt64
        /// Left out where the destination was not asked.
        var delivered: UInt64?
        var state: State
        /// When it last changed at its source.
        var last: WallTime
    }

    /// All streams of one job that are within the window.
    struct Job: Encodable, Equatable, Sendable {
        var source: String
        var job: String
        var destination: String
        var streams = 0
        var records: UInt64 = 0
        var recordsAreAtLeast = false
        var sent: UInt64 = 0
        var receipted: UInt64 = 0
        /// Left out where it is not known of all its streams.
        var delivered: UInt64? = 0
        var state = State.complete
    }

    struct Finding: Encodable, Equatable, Sendable {
        enum Kind: String, Encodable, CaseIterable, Sendable {
            /// The source keeps nothing of them any more, and the destination has not delivered them.
            case lost
            /// Kept aside at the destination.
            case quarantined
            /// Lived out their lifetime before they were delivered.
            case expired
            /// Whether they are delivered cannot be told.
            case undetermined
            /// Sent, and not delivered yet.
            case underWay
            /// Delivered, though the source knows nothing of having sent them: it has an older ledger.
            case beyond
        }

        var kind: Kind
        /// Needs a person.
        var isFault: Bool
        var source: String
        /// Left out where the source does not know the stream.
        var job: String?
        var destination: String
        var stream: String
        /// Sequences, both among them.
        var first: UInt64
        var last: UInt64
        var reason: String
    }

    let schema = 1
    /// Agents that were asked.
    var agents: [String]
    var sinceSeconds: Int64
    var jobs: [Job]
    var streams: [Stream]
    /// By kind, the worst first.
    var findings: [Finding]

    private enum CodingKeys: String, CodingKey {
        case schema, agents, sinceSeconds, jobs, streams, findings
    }

    /// How many findings of each kind there are that need a person, in words; nil where none does.
    var faults: String? {
        let words = Finding.Kind.allCases.compactMap { kind -> String? in
            let count = findings.count { $0.kind == kind && $0.isFault }
            return count == 0 ? nil : "\(count) \(kind.rawValue)"
        }
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }
}

extension Reconciliation.Job {
    mutating func add(_ stream: Reconciliation.Stream) {
        streams += 1
        records = Self.sum(records, stream.records)
        recordsAreAtLeast = recordsAreAtLeast || stream.recordsAreAtLeast
        sent = Self.sum(sent, stream.sent)
        receipted = Self.sum(receipted, stream.receipted)
        if let both = delivered, let more = stream.delivered {
            delivered = Self.sum(both, more)
        } else {
            delivered = nil
        }
        state = max(state, stream.state)
    }

    /// A report may say any number.
    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflows) = left.addingReportingOverflow(right)
        return overflows ? .max : sum
    }
}
