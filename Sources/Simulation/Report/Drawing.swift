import Envelope

/// A message flow in text: a column for each node that takes part, time downwards, an arrow for what passes from one
/// node to another, a mark for what happens at one.
struct Drawing {
    /// Characters of a column: fewer where there are many.
    private let width: Int
    private static let margin = 20
    private let columns: [Int]
    private let names: [NodeName]
    private var lines: [String] = []

    var text: String { lines.joined(separator: "\n") }

    init(_ entries: [Trace.Entry], _ names: [NodeName]) {
        var isSeen = [Bool](repeating: false, count: names.count)
        for entry in entries where entry.kind != .healed {
            isSeen[Int(entry.node)] = true
            isSeen[Int(entry.peer)] = true
        }
        columns = names.indices.filter { isSeen[$0] }
        self.names = names
        width = max(6, min(14, 168 / max(1, columns.count)))
        addTitles()
        for entry in entries { lines.append(line(entry)) }
    }

    /// Names where there is room for them, and else numbers.
    private mutating func addTitles() {
        let start = Self.padded("step", 9) + Self.padded("time", Self.margin - 9)
        if width == 14 {
            lines.append(start + title { names[$0].zone.description })
            lines.append(Self.padded("", Self.margin) + title { names[$0].local })
        } else {
            for column in columns { lines.append("\(column + 1): \(names[column])") }
            lines.append(start + title { "\($0 + 1)" })
        }
    }

    private func title(_ text: (Int) -> String) -> String {
        columns.map { Self.padded(String(text($0).prefix(width - 2)), width) }.joined()
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func line(_ entry: Trace.Entry) -> String {
        let milliseconds = entry.time / 1_000_000
        let thousandths = "\(1000 + milliseconds % 1000)".dropFirst()
        let start =
            Self.padded("\(entry.step)", 9) + Self.padded("\(milliseconds / 1000).\(thousandths)s", Self.margin - 9)
        if entry.kind == .healed { return start + String(repeating: "=", count: 8) + " all is well again" }
        return start + lanes(entry) + " " + words(entry)
    }

    private func lanes(_ entry: Trace.Entry) -> String {
        guard let to = columns.firstIndex(of: Int(entry.node)), let from = columns.firstIndex(of: Int(entry.peer))
        else { return "" }
        var cells = [Character](repeating: " ", count: columns.count * width)
        for column in columns.indices { cells[column * width] = "|" }
        if from == to {
            cells[to * width] = mark(entry.kind)
        } else {
            let (first, last) = (min(from, to) * width, max(from, to) * width)
            for place in first + 1..<last { cells[place] = shaft(entry.kind) }
            cells[from < to ? last - 1 : first + 1] = head(entry.kind, from < to)
            cells[(first + last) / 2] = mark(entry.kind)
        }
        return String(cells)
    }

    private func shaft(_ kind: Trace.Entry.Kind) -> Character {
        switch kind {
        case .delivered: "-"
        case .connected, .accepted: "="
        default: "."
        }
    }

    private func head(_ kind: Trace.Entry.Kind, _ isRightward: Bool) -> Character {
        switch kind {
        case .delivered, .connected, .accepted, .closed, .blocked, .opened, .lost: isRightward ? ">" : "<"
        default: shaft(kind)
        }
    }

    private func mark(_ kind: Trace.Entry.Kind) -> Character {
        switch kind {
        case .delivered: "-"
        case .connected, .accepted: "="
        case .refused, .timedOut: "?"
        case .closed, .lost: "/"
        case .cut, .blocked, .ended, .lostPower: "X"
        case .opened, .booted, .started, .resumed: "O"
        case .startFailed, .diskFull, .diskSlow, .diskFault, .violated: "!"
        case .paused: "Z"
        case .clockStepped: "~"
        case .noted, .healed: "*"
        }
    }

    private func words(_ entry: Trace.Entry) -> String {
        switch entry.kind {
        case .delivered: "\(entry.a) bytes"
        case .connected: "connected"
        case .accepted: "accepted"
        case .refused: "dial refused"
        case .timedOut: "dial timed out"
        case .closed: "closes"
        case .lost: "sees the connection end"
        case .cut: "connection cut"
        case .blocked: "link blocked"
        case .opened: "link open"
        case .booted: "boot"
        case .started: "start"
        case .startFailed: "start fails"
        case .ended: "process ends"
        case .lostPower: "power lost"
        case .paused: "paused"
        case .resumed: "goes on"
        case .clockStepped: "clock stepped"
        case .diskFull: "disk full"
        case .diskSlow: "disk slow"
        case .diskFault: FaultKind(rawValue: Int(entry.a)).map { "\($0)" } ?? ""
        case .noted: "\(entry.label) \(entry.a) \(entry.b)"
        case .healed: ""
        case .violated: "VIOLATION"
        }
    }
}
