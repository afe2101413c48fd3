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
    /// Where the line of a stream is.
    private var places: [StreamID: Int] = [:]
    private var due = Instant.never

    var nextDeadline: Instant { due }

    mutating func note(source: NodeID, stream: StreamID, mark: Sequence, at now: Instant) {
        if due == .never { due = now + Self.delay }
        if let place = places[stream], lines[place].source == source {
            lines[place].entry.mark = max(lines[place].entry.mark, mark)
        } else {
            places[stream] = lines.count
            lines.append(Line(source: source, entry: Receipt.Entry(stream: stream, mark: mark)))
        }
    }

    /// What is due now, a list a source, each at most ``Limits/receiptEntries`` long.
    mutating func takeDue(at now: Instant) -> [(source: NodeID, entries: [Receipt.Entry])] {
        guard now >= due else { return [] }
        due = .never
        var receipts: [(source: NodeID, entries: [Receipt.Entry])] = []
        var current: [NodeID: Int] = [:]
        for line in lines {
            if let place = current[line.source], receipts[place].entries.count < Limits.receiptEntries {
                receipts[place].entries.append(line.entry)
            } else {
                current[line.source] = receipts.count
                receipts.append((line.source, [line.entry]))
            }
        }
        places.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        return receipts
    }
}
