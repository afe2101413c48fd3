/// Reads a command line by the command table.
struct Parser {
    enum Outcome {
        case run(Invocation)
        /// Help for the words given: a command, a noun or nothing.
        case help([String])
        case version
    }

    var commands: [Command]

    func parse(_ words: [String]) throws(Failure) -> Outcome {
        switch words.first {
        case nil, "--help", "-h": return .help([])
        case "--version": return .version
        case .some(let first) where first.hasPrefix("-"):
            throw .usage("options come after the command, and '\(first)' came first", hint: "see: relayctl help")
        default: break
        }
        guard let command = command(at: words) else { return try noun(words) }
        var line = Words(command: command, words: Array(words.dropFirst(command.name.count)))
        return try line.read()
    }

    /// The command with the longest name that the words begin with.
    private func command(at words: [String]) -> Command? {
        commands.filter { words.starts(with: $0.name) }.max { $0.name.count < $1.name.count }
    }

    /// A first word that is no command by itself.
    private func noun(_ words: [String]) throws(Failure) -> Outcome {
        let verbs = commands.filter { $0.name.count > 1 && $0.name[0] == words[0] }.map { $0.name[1] }
        guard !verbs.isEmpty else {
            throw .usage(
                "there is no command '\(words[0])'",
                hint: Suggestion.hint(for: words[0], among: commands.map { $0.name[0] }) ?? "see: relayctl help")
        }
        guard words.count > 1, words[1] != "--help", words[1] != "-h" else {
            if words.count > 1 { return .help([words[0]]) }
            throw .usage(
                "'\(words[0])' needs one of: \(verbs.joined(separator: ", "))", hint: "see: relayctl help \(words[0])")
        }
        throw .usage(
            "'\(words[0])' has no '\(words[1])'; it has: \(verbs.joined(separator: ", "))",
            hint: Suggestion.hint(for: words[1], among: verbs))
    }
}

extension Parser {
    /// The words behind the command's name, on their way into an invocation.
    private struct Words {
        var invocation: Invocation
        var words: ArraySlice<String>

        init(command: Command, words: [String]) {
            invocation = Invocation(command: command)
            self.words = words[...]
        }

        mutating func read() throws(Failure) -> Outcome {
            let command = invocation.command
            while let word = words.popFirst() {
                if word == "--" {
                    invocation.arguments += words
                    break
                }
                guard word.hasPrefix("-"), word != "-" else {
                    invocation.arguments.append(word)
                    continue
                }
                if Option.help.spellings.contains(word) { return .help(command.name) }
                try take(word)
            }
            try check(command)
            return .run(invocation)
        }

        private mutating func take(_ word: String) throws(Failure) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let (spelling, attached) = (parts[0], parts.count > 1 ? parts[1] : nil)
            let known = invocation.command.allOptions
            guard let option = known.first(where: { $0.spellings.contains(spelling) }) else {
                let name = invocation.command.name.joined(separator: " ")
                throw .usage(
                    "'\(name)' has no option '\(spelling)'",
                    hint: Suggestion.hint(for: spelling, among: known.flatMap(\.spellings))
                        ?? "see: relayctl help \(name)")
            }
            guard option.repeats || invocation.options[option.name] == nil else {
                throw .usage("\(option.name) is there twice")
            }
            invocation.options[option.name, default: []].append(try value(of: option, attached))
        }

        private mutating func value(of option: Option, _ attached: String?) throws(Failure) -> String {
            switch option.value {
            case .none:
                guard attached == nil else { throw .usage("\(option.name) takes no value") }
                return ""
            case .optionalNumber(_, let otherwise):
                if let attached { return attached }
                return words.first.flatMap(Double.init) == nil ? otherwise : words.removeFirst()
            case .text(let placeholder):
                guard let value = attached ?? words.popFirst() else {
                    throw .usage("\(option.name) needs a value: \(option.name) \(placeholder)")
                }
                return value
            case .choice(let choices):
                let list = choices.joined(separator: ", ")
                guard let value = attached ?? words.popFirst() else {
                    throw .usage("\(option.name) needs one of: \(list)")
                }
                guard choices.contains(value) else {
                    throw .usage(
                        "\(option.name) takes one of \(list), not '\(value)'",
                        hint: Suggestion.hint(for: value, among: choices))
                }
                return value
            }
        }

        private func check(_ command: Command) throws(Failure) {
            let help = "see: relayctl help " + command.name.joined(separator: " ")
            for option in command.options where option.isRequired && !invocation.has(option) {
                throw .usage("\(option.usage) is missing", hint: help)
            }
            let given = invocation.arguments.count
            let required = command.arguments.prefix { $0.isRequired }.count
            if given < required {
                throw .usage("\(command.arguments[given].name) is missing", hint: "usage: " + command.usage)
            }
            if given > command.arguments.count, command.arguments.last?.repeats != true {
                throw .usage(
                    "'\(invocation.arguments[command.arguments.count])' is one word too many",
                    hint: "usage: " + command.usage)
            }
        }
    }
}
