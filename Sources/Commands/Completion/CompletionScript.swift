/// `relayctl completion bash|zsh|fish`
enum CompletionScript {
    static let bash = command(
        "bash", "source <(relayctl completion bash)", "for this shell; put it into ~/.bashrc for all",
        { BashCompletion.script(of: CommandTable.commands) })
    static let zsh = command(
        "zsh", "relayctl completion zsh > \"${fpath[1]}/_relayctl\"", "for every zsh from now on",
        { ZshCompletion.script(of: CommandTable.commands) })
    static let fish = command(
        "fish", "relayctl completion fish > ~/.config/fish/completions/relayctl.fish", "for every fish from now on",
        { FishCompletion.script(of: CommandTable.commands) })

    private static func command(
        _ shell: String, _ line: String, _ meaning: String, _ script: @escaping @Sendable () -> String
    ) -> Command {
        Command(
            name: ["completion", shell], summary: "write the completion for \(shell)",
            examples: [Example(line: line, meaning: meaning)],
            run: { _, terminal in terminal.write(Array(script().utf8)) })
    }
}

/// What the three shells need to know, taken from the command table.
struct CompletionTree {
    struct Step {
        /// The words so far, joined by a space; empty at the beginning.
        var path: String
        /// What may follow, with a line about it.
        var words: [(word: String, about: String)]
    }

    var commands: [Command]

    /// A step for the beginning and for every noun.
    var steps: [Step] {
        let nouns = Dictionary(CommandTable.nouns.map { ($0.name, $0.summary) }) { first, _ in first }
        var first: [(word: String, about: String)] = []
        var following: [Step] = []
        for command in commands {
            let word = command.name[0]
            if command.name.count == 1 {
                first.append((word, command.summary))
            } else if let index = following.firstIndex(where: { $0.path == word }) {
                following[index].words.append((command.name[1], command.summary))
            } else {
                first.append((word, nouns[word] ?? command.summary))
                following.append(Step(path: word, words: [(command.name[1], command.summary)]))
            }
        }
        return [Step(path: "", words: first)] + following
    }

    static func path(_ command: Command) -> String { command.name.joined(separator: " ") }

    /// The words that may be an option's value; nil for files or free text.
    static func choices(of option: Option) -> [String]? {
        if case .choice(let words) = option.value { return words }
        if case .words(let words) = option.completion { return words }
        return nil
    }

    static func takesValue(_ option: Option) -> Bool {
        switch option.value {
        case .none, .optionalNumber: false
        case .text, .choice: true
        }
    }
}
