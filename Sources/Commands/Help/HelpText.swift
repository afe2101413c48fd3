/// Help for people, made from the command table.
enum HelpText {
    /// Columns of a line.
    private static let width = 100

    /// - Parameter words: a command, a noun, or nothing for all.
    static func text(for words: [String]) throws(Failure) -> String {
        let commands = CommandTable.commands
        if let command = commands.first(where: { $0.name == words }) { return text(of: command) }
        if words.isEmpty { return overview(commands) }
        let group = commands.filter { $0.name.starts(with: words) }
        if !group.isEmpty, words.count == 1 { return text(of: words[0], group) }
        let known = commands.map { $0.name.joined(separator: " ") } + CommandTable.nouns.map(\.name)
        let wanted = words.joined(separator: " ")
        throw .usage(
            "there is no command '\(wanted)'", hint: Suggestion.hint(for: wanted, among: known) ?? "see: relayctl help")
    }

    private static func overview(_ commands: [Command]) -> String {
        """
        relayctl looks into a mesh of relays and agents, sends through it, and makes what it needs.

        usage: relayctl COMMAND [options]

        commands:
        \(list(commands.map { ($0.name.joined(separator: " "), $0.summary) }))

        A node is asked over its admin socket: --socket PATH, RELAY_SOCKET, or --node DIR.
        Data goes to standard output, talk to standard error.
        Exit codes: 0 ok, 1 failed, 2 wrong usage, 4 bad configuration.

        'relayctl help COMMAND' says more, with examples.

        """
    }

    private static func text(of noun: String, _ commands: [Command]) -> String {
        """
        usage: relayctl \(noun) COMMAND [options]

        commands:
        \(list(commands.map { ($0.name.joined(separator: " "), $0.summary) }))

        'relayctl help \(noun) COMMAND' says more, with examples.

        """
    }

    private static func text(of command: Command) -> String {
        var parts = ["relayctl \(command.name.joined(separator: " ")): \(command.summary)", "usage: \(command.usage)"]
        if !command.details.isEmpty { parts.append(wrapped(command.details, indent: 0)) }
        if !command.arguments.isEmpty {
            parts.append("arguments:\n" + list(command.arguments.map { ($0.usage, $0.summary) }))
        }
        parts.append("options:\n" + list(command.allOptions.map(row)))
        let examples = command.examples.map { "  # \($0.meaning)\n  \($0.line)" }.joined(separator: "\n")
        return (parts + ["examples:\n" + examples]).joined(separator: "\n\n") + "\n"
    }

    private static func row(_ option: Option) -> (String, String) {
        let names = option.spellings.joined(separator: ", ")
        let summary =
            option.summary + (option.isRequired ? " (required)" : "") + (option.repeats ? " (may repeat)" : "")
        return (names + (option.placeholder.map { " " + $0 } ?? ""), summary)
    }

    /// Two columns; a name that is too long for the first has a line of its own.
    private static func list(_ rows: [(String, String)]) -> String {
        let column = min(rows.map { $0.0.count }.max() ?? 0, 24)
        return rows.map { name, summary in
            let text = wrapped(summary, indent: column + 4)
            guard name.count > column else {
                return "  " + name + String(repeating: " ", count: column + 2 - name.count) + text
            }
            return "  \(name)\n" + String(repeating: " ", count: column + 4) + text
        }.joined(separator: "\n")
    }

    /// Breaks at spaces; lines behind the first are indented.
    private static func wrapped(_ text: String, indent: Int) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            let current = lines[lines.count - 1]
            if !current.isEmpty, indent + current.count + 1 + word.count > width {
                lines.append(String(word))
            } else {
                lines[lines.count - 1] = current.isEmpty ? String(word) : current + " " + word
            }
        }
        return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
}
