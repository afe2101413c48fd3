/// Turns tones into escape sequences, or leaves them out.
struct Palette: Sendable {
    var isColoured: Bool

    /// - Parameter choice: `always`, `never`, or `auto` and nil for a terminal that has not asked for none
    ///   (NO_COLOR, TERM=dumb).
    init(choice: String?, _ terminal: Terminal) {
        switch choice ?? terminal.environment["RELAY_COLOR"] ?? "auto" {
        case "always": isColoured = true
        case "never": isColoured = false
        default:
            let refuses = terminal.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
            isColoured = terminal.isOutputTerminal && !refuses && terminal.environment["TERM"] != "dumb"
        }
    }

    /// For a command line that may not have been understood.
    init(words: [String], _ terminal: Terminal) {
        let choice = words.first { $0.hasPrefix("--color=") || $0.hasPrefix("--colour=") }
        self.init(choice: choice.map { String($0.drop { $0 != "=" }.dropFirst()) }, terminal)
    }

    func paint(_ text: String, _ tone: Tone) -> String {
        let code =
            switch tone {
            case .plain: ""
            case .strong: "1"
            case .dim: "2"
            case .good: "32"
            case .warning: "33"
            case .bad: "1;31"
            }
        return isColoured && !code.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    func paint(_ line: Line) -> String { line.spans.map { paint($0.text, $0.tone) }.joined() }
}
