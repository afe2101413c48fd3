import Envelope
import Node

/// One stream at both its ends.
struct StreamComparison {
    typealias Range = StreamReport.Range
    typealias Finding = Reconciliation.Finding

    let source: String
    let made: StreamReport.Outgoing
    /// nil where the destination was not asked.
    let destination: ReconciledAgent?
    /// Of the streams, those whose sinks are believed more than the destination's ledger.
    let asksSinks: Bool

    private var ledgerMark: UInt64 { destination?.incoming(made.stream, from: source)?.delivered ?? 0 }
    private var marks: StreamMarks? { destination?.marks[made.stream] }
    private var silentSinks: [String] { marks?.sinks.filter { $0.delivered == nil }.map(\.name) ?? [] }

    /// Whether the destination's sinks must be asked: its ledger may be some seconds older than a crash.
    var needsSinks: Bool { destination != nil && (asksSinks || made.receipted > ledgerMark) }

    /// The highest sequence that is delivered; nil where nobody can say.
    var delivered: UInt64? {
        guard destination != nil else { return nil }
        let mark = marks?.sinks.compactMap(\.delivered).max()
        if asksSinks, let mark { return mark }
        return max(ledgerMark, mark ?? 0)
    }

    /// Nobody could say whether what is receipted is delivered.
    private var doubt: String? {
        guard let destination, let delivered, delivered < made.receipted else { return nil }
        if !silentSinks.isEmpty {
            return "\(destination.name) cannot say: no answer from its sink \(silentSinks.joined(separator: ", "))"
        }
        let isKnown = destination.incoming(made.stream, from: source) != nil
        guard !isKnown, delivered == 0, destination.later.forgotten.incoming > 0,
            let oldest = destination.oldestIncoming, made.last < oldest
        else { return nil }
        return "\(destination.name) remembers no stream as old as this"
    }

    // MARK: Findings

    /// - Parameter aside: what the destination's quarantine holds of the stream.
    func findings(aside: [Finding]) -> [Finding] {
        var findings = aside + expired
        guard let destination, let delivered else { return findings }
        let passed = destination.incoming(made.stream, from: source)?.skipped ?? []
        findings += passed.filter { $0.first > 0 }.flatMap { gaps(after: $0.first - 1, through: $0.last) }.map {
            finding(
                .lost, $0, isFault: true,
                "\(destination.name) went on behind them without having had them, \(source) keeps nothing of them")
        }
        let lost = gaps(after: delivered, through: made.receipted)
        if let doubt {
            findings += lost.map { finding(.undetermined, $0, isFault: !silentSinks.isEmpty, doubt) }
        } else {
            findings += lost.map {
                finding(
                    .lost, $0, isFault: true,
                    "\(source) has receipts and keeps nothing of them, \(destination.name) has not delivered them")
            }
        }
        // What sinks set aside or could not open is said already; what the source gave up never comes.
        if !made.hasEnded {
            findings += gaps(after: max(delivered, made.receipted), through: made.sent).map {
                finding(.underWay, $0, isFault: false, "sent, not delivered yet")
            }
        }
        return findings
    }

    private var expired: [Finding] {
        var findings = made.expired.map {
            finding(.expired, $0, isFault: true, "lived out their lifetime at \(source) without a receipt")
        }
        let listed = made.expired.reduce(0.0) { $0 + Double($1.last) - Double($1.first) + 1 }
        if Double(made.expiredEnvelopes) > listed, let first = made.expired.first {
            findings.append(
                finding(
                    .expired, Range(first: 1, last: first.first > 1 ? first.first - 1 : 1), isFault: true,
                    "of these others expired; \(made.expiredEnvelopes) of the stream altogether"))
        }
        return findings
    }

    /// Sequences that have not expired.
    private func gaps(after mark: UInt64, through last: UInt64) -> [Range] {
        guard mark < last else { return [] }
        var gaps: [Range] = []
        var next = mark + 1
        for range in made.expired.sorted(by: { $0.first < $1.first }) where range.last >= next {
            guard range.first <= last else { break }
            if range.first > next { gaps.append(Range(first: next, last: range.first - 1)) }
            guard range.last < last else { return gaps }
            next = range.last + 1
        }
        return gaps + [Range(first: next, last: last)]
    }

    private func finding(_ kind: Finding.Kind, _ range: Range, isFault: Bool, _ reason: String) -> Finding {
        Finding(
            kind: kind, isFault: isFault, source: source, job: made.job, destination: made.destination,
            stream: made.stream, first: range.first, last: range.last, reason: reason)
    }

    // MARK: The row

    func row(_ findings: [Finding]) -> Reconciliation.Stream {
        let kinds = findings.map(\.kind)
        let state: Reconciliation.State =
            if kinds.contains(where: { [.lost, .quarantined, .expired].contains($0) }) {
                .gap
            } else if destination == nil || kinds.contains(.undetermined) {
                .unknown
            } else if kinds.contains(.underWay) {
                .underWay
            } else { .complete }
        return Reconciliation.Stream(
            source: source, job: made.job, destination: made.destination, stream: made.stream, records: made.records,
            recordsAreAtLeast: made.recordsAreAtLeast, sent: made.sent, receipted: made.receipted,
            // What was sent since the source was asked is not in its figures either.
            delivered: delivered.map { min($0, made.sent) }, state: state, last: made.last)
    }

    /// Whether it belongs to a window though nothing has happened in it.
    func isOpen(_ findings: [Finding]) -> Bool {
        findings.contains { $0.kind != .expired } || (destination == nil && !made.isReceipted && !made.hasEnded)
    }
}
