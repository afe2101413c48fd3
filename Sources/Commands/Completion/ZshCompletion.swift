/// Completion for zsh.
enum ZshCompletion {
    static func script(of commands: [Command]) -> String {
        let tree = CompletionTree(commands: commands)
        let paths = tree.steps.dropFirst().map(\.path) + commands.map(CompletionTree.path)
        let steps = tree.steps.map { step in
            let rows = step.words.map { "'\(described($0.word, $0.about))'" }.joined(separator: " ")
            return "    '\(step.path)') rows=(\(rows)); _describe command rows ;;"
        }
        return """
            #compdef relayctl
            # zsh completion for relayctl, made by: relayctl completion zsh
            _relayctl() {
                local command_path='' word i
                local -a rows parts
                for ((i = 2; i < CURRENT; i++)); do
                    word="${command_path:+$command_path }${words[i]}"
                    case $word in
                    \(paths.map { "'\($0)'" }.joined(separator: "|"))) command_path=$word ;;
                    esac
                done
                parts=(${=command_path})
                local depth=${#parts}
                case $command_path in
            \((steps + commands.map(options)).joined(separator: "\n"))
                esac
            }
            if [ "$funcstack[1]" = _relayctl ]; then _relayctl "$@"; else compdef _relayctl relayctl; fi

            """
    }

    /// `_arguments` counts from the command word, so the words of the command are shifted away first.
    private static func options(of command: Command) -> String {
        let specifications = command.allOptions.flatMap { option in
            option.spellings.map { "'\(specification($0, option))'" }
        }
        let files = command.arguments.map { argument in
            switch argument.completion {
            case .file: " '*:file:_files'"
            case .directory: " '*:directory:_files -/'"
            case .words(let words): " '*:word:(\(words.joined(separator: " ")))'"
            case .nothing: ""
            }
        }
        let list = specifications.joined(separator: " ") + files.joined()
        return "    '\(CompletionTree.path(command))') shift depth words; (( CURRENT -= depth )); _arguments \(list) ;;"
    }

    private static func specification(_ spelling: String, _ option: Option) -> String {
        let text = escaped(option.summary)
        guard CompletionTree.takesValue(option) else { return "\(spelling)[\(text)]" }
        let action: String
        if let words = CompletionTree.choices(of: option) {
            action = "(\(words.joined(separator: " ")))"
        } else {
            switch option.completion {
            case .file: action = "_files"
            case .directory: action = "_files -/"
            case .nothing, .words: action = " "
            }
        }
        return "\(spelling)[\(text)]:value:\(action)"
    }

    private static func described(_ word: String, _ about: String) -> String { "\(word):\(escaped(about))" }

    /// Within single quotes and the brackets and colons of a specification.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "'": result += "'\\''"
            case ":", "[", "]", "\\": result += "\\\(character)"
            default: result.append(character)
            }
        }
        return result
    }
}
