/// How a piece of text stands out. Never the only sign of anything: the words say it too.
enum Tone: Sendable {
    case plain, strong, dim, good, warning, bad
}

/// Text with tones, on one line.
struct Line: Sendable, ExpressibleByStringLiteral {
    private(set) var spans: [(text: String, tone: Tone)] = []

    init(_ text: String = "", _ tone: Tone = .plain) {
        if !text.isEmpty { spans = [(Sanitised.line(text), tone)] }
    }

    init(stringLiteral text: String) { self.init(text) }

    static func + (left: Line, right: Line) -> Line {
        var sum = left
        sum.spans += right.spans
        return sum
    }

    static func += (left: inout Line, right: Line) { left = left + right }

    var isEmpty: Bool { spans.isEmpty }
    /// Columns on a terminal, for the letters that names and figures have.
    var width: Int { spans.reduce(0) { $0 + $1.text.count } }
    var text: String { spans.map(\.text).joined() }
}

/// Text that came from elsewhere must not steer the terminal.
enum Sanitised {
    static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var clean = ""
        for scalar in text.unicodeScalars { clean.unicodeScalars.append(isControl(scalar) ? "\u{FFFD}" : scalar) }
        return clean
    }

    /// Controls, and what turns the direction of writing or hides.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
