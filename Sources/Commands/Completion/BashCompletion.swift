/// Completion for bash 4 and later, without the bash-completion package.
enum BashCompletion {
    static func script(of commands: [Command]) -> String {
        let tree = CompletionTree(commands: commands)
        let paths = tree.steps.dropFirst().map(\.path) + commands.map(CompletionTree.path)
        let options = commands.map { command in
            let words = command.allOptions.flatMap(\.spellings).joined(separator: " ")
            return "        \"\(CompletionTree.path(command))\") words=\"\(words)\" ;;"
        }
        let steps = tree.steps.map {
            "        \"\($0.path)\") words=\"\($0.words.map(\.word).joined(separator: " "))\" ;;"
        }
        return """
            # bash completion for relayctl, made by: relayctl completion bash
            _relayctl() {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
                local path="" word words="" i
                for ((i = 1; i < COMP_CWORD; i++)); do
                    word=${path:+$path }${COMP_WORDS[i]}
                    case $word in
                    \(paths.map { "\"\($0)\"" }.joined(separator: "|"))) path=$word ;;
                    esac
                done
                case "$path $previous" in
            \(values(commands).joined(separator: "\n"))
                esac
                case $path in
            \((steps + (commands.isEmpty ? [] : options)).joined(separator: "\n"))
                esac
                COMPREPLY=($(compgen -W "$words" -- "$current"))
            }
            complete -o default -F _relayctl relayctl

            """
    }

    /// What to offer behind an option that takes a value.
    private static func values(_ commands: [Command]) -> [String] {
        commands.flatMap { command in
            command.allOptions.filter(CompletionTree.takesValue).map { option in
                let patterns = option.spellings.map { "\"\(CompletionTree.path(command)) \($0)\"" }
                return "        \(patterns.joined(separator: "|"))) \(reply(option)); return ;;"
            }
        }
    }

    private static func reply(_ option: Option) -> String {
        if let words = CompletionTree.choices(of: option) {
            return "COMPREPLY=($(compgen -W \"\(words.joined(separator: " "))\" -- \"$current\"))"
        }
        switch option.completion {
        case .directory: return "COMPREPLY=($(compgen -d -- \"$current\"))"
        case .file: return "COMPREPLY=($(compgen -f -- \"$current\"))"
        case .nothing, .words: return "COMPREPLY=()"
        }
    }
}
