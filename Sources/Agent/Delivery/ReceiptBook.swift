import Envelope

/// Gathers what must be said to sources, as a machine without I/O: the newest mark of each stream, said together
/// after a short while.
struct ReceiptBook {
    /// How long marks are gathered. A receipt costs a signature; this bounds them to some tens a second a source.
    static let delay: Duration = .milliseconds(20)

    private struct Line {
        var source: NodeID
        var entry: Receipt.Entry
    }

    private var lines: [Line] = []
    private var due = Instant.never

    var nextDeadline: Instant { due }

    mutating func note(source: NodeID, stream: StreamID, mark: Sequence, at now: Instant) {
        if due == .never { due = now + Self.delay }
        if let place = lines.firstIndex(where: { $0.entry.stream == stream && $0.source == source }) {
            lines[place].entry.mark = max(lines[place].entry.mark, mark)
        } else {
            lines.append(Line(source: source, entry: Receipt.Entry(stream: stream, mark: mark)))
        }
    }

    /// What is due now, a list a source, each at most ``Limits/receiptEntries`` long.
    mutating func takeDue(at now: Instant) -> [(source: NodeID, entries: [Receipt.Entry])] {
        guard now >= due else { return [] }
        due = .never
        var receipts: [(source: NodeID, entries: [Receipt.Entry])] = []
        for line in lines {
            let place = receipts.lastIndex { $0.source == line.source && $0.entries.count < Limits.receiptEntries }
            if let place {
                receipts[place].entries.append(line.entry)
            } else {
                receipts.append((line.source, [line.entry]))
            }
        }
        lines.removeAll(keepingCapacity: true)
        return receipts
    }
}
