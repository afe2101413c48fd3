import FoundationEssentials

/// Writes what every command has to show.
struct Renderer: Sendable {
    enum Layout: String {
        case table, wide, json, yaml, dot
    }

    var layout: Layout
    var headers: Bool
    var palette: Palette
    /// Seconds between two looks; nil: one look.
    var period: Duration?
    var terminal: Terminal

    init(_ invocation: Invocation, _ terminal: Terminal) throws(Failure) {
        layout = invocation.text(.output).flatMap(Layout.init) ?? .table
        headers = !invocation.has(.noHeaders)
        palette = Palette(choice: invocation.text(.colour), terminal)
        period = try invocation.seconds(.watch, in: 0.1...86_400)
        self.terminal = terminal
    }

    /// Shows what `look` finds; with `--watch` again and again, and then a failed look does not end it.
    func show(_ look: () throws(Failure) -> Presentation) throws(Failure) {
        guard let period else {
            let presentation = try look()
            terminal.write(Array(try text(of: presentation).utf8))
            if isTable, let remark = presentation.remark { terminal.talk(remark) }
            return
        }
        var isFirst = true
        repeat {
            let frame: String
            do throws(Failure) {
                let presentation = try look()
                let remark = isTable ? presentation.remark.map { $0 + "\n" } : nil
                frame = try text(of: presentation) + (remark ?? "")
            } catch {
                if !isTable {
                    error.lines.forEach(terminal.talk)
                    continue
                }
                frame = (error.lines + [error.hint].compactMap { $0 }).map { Sanitised.line($0) + "\n" }.joined()
            }
            terminal.write(Array((opening(isFirst) + frame).utf8))
            isFirst = false
        } while terminal.pause(period)
    }

    private var isTable: Bool { layout == .table || layout == .wide }

    /// What stands before a frame: on a terminal the screen is cleared, elsewhere frames are set apart.
    private func opening(_ isFirst: Bool) -> String {
        switch layout {
        case .json: return ""
        case .yaml: return "---\n"
        case .table, .wide, .dot:
            guard terminal.isOutputTerminal else { return isFirst ? "" : "\n" }
            return "\u{1B}[H\u{1B}[2J"
        }
    }

    func text(of presentation: Presentation) throws(Failure) -> String {
        switch layout {
        case .table, .wide:
            return presentation.sections.flatMap(lines).map { palette.paint($0) + "\n" }.joined()
        case .json:
            // One line a look, so that a program can read it line by line.
            return try Self.json(presentation.value, pretty: period == nil)
        case .yaml:
            guard let value = try? JSONValue(presentation.value) else {
                throw Failure("the answer cannot be written as YAML")
            }
            return YAMLText.write(value)
        case .dot:
            guard let dot = presentation.dot else { throw .usage("this command has no layout 'dot'") }
            return dot
        }
    }

    private func lines(of section: Presentation.Section) -> [Line] {
        switch section {
        case .lines(let lines): lines
        case .table(let table): table.lines(wide: layout == .wide, headers: headers)
        }
    }

    static func json(_ value: any Encodable, pretty: Bool) throws(Failure) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        guard let data = try? encoder.encode(value) else { throw Failure("the answer cannot be written as JSON") }
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
