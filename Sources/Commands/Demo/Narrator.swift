/// Tells the demo's story: whole lines, and between them one line of progress that a terminal shows in place.
struct Narrator {
    private let terminal: Terminal
    private let palette: Palette
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var shown = ""
    private var shownAt: ContinuousClock.Instant?
    /// Between two lines of progress where they cannot be shown in place.
    private static let pace = Duration.seconds(2)

    init(_ terminal: Terminal, _ palette: Palette) {
        (self.terminal, self.palette) = (terminal, palette)
        start = clock.now
    }

    mutating func chapter(_ title: String) {
        say(Line())
        let seconds = (clock.now - start) / .seconds(1)
        say(Line(title, .strong) + Line("  \(Quantity.decimal(seconds, places: 0)) s", .dim))
    }

    mutating func say(_ line: Line) {
        // What stands in place is kept above.
        if terminal.isOutputTerminal, !shown.isEmpty { terminal.print("") }
        shown = ""
        shownAt = nil
        terminal.print(palette.paint(line))
    }

    mutating func progress(_ line: Line) {
        let now = clock.now
        guard line.text != shown else { return }
        if terminal.isOutputTerminal {
            terminal.write(Array("\r\u{1B}[K\(palette.paint(line))".utf8))
        } else {
            if let shownAt, now - shownAt < Self.pace { return }
            terminal.print(palette.paint(line))
        }
        (shown, shownAt) = (line.text, now)
    }
}
