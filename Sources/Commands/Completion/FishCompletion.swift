/// Completion for fish 3 and later.
enum FishCompletion {
    static func script(of commands: [Command]) -> String {
        let tree = CompletionTree(commands: commands)
        let paths = tree.steps.dropFirst().map(\.path) + commands.map(CompletionTree.path)
        let steps = tree.steps.flatMap { step in
            step.words.map {
                "complete -c relayctl -n '__relayctl_at \"\(step.path)\"' -a \($0.word) -d \(quoted($0.about))"
            }
        }
        return """
            # fish completion for relayctl, made by: relayctl completion fish
            function __relayctl_at
                set -l path ''
                for word in (commandline -opc)[2..-1]
                    set -l longer (string trim -- "$path $word")
                    if contains -- $longer \(paths.map { "'\($0)'" }.joined(separator: " "))
                        set path $longer
                    end
                end
                test "$path" = "$argv[1]"
            end
            complete -c relayctl -f
            \((steps + commands.flatMap(options)).joined(separator: "\n"))

            """
    }

    private static func options(of command: Command) -> [String] {
        command.allOptions.map { option in
            var words = ["complete -c relayctl -n '__relayctl_at \"\(CompletionTree.path(command))\"'"]
            for spelling in option.spellings {
                words.append(spelling.hasPrefix("--") ? "-l \(spelling.dropFirst(2))" : "-s \(spelling.dropFirst())")
            }
            if CompletionTree.takesValue(option) { words.append("-r") }
            if let choices = CompletionTree.choices(of: option) {
                words.append("-a '\(choices.joined(separator: " "))'")
            } else {
                switch option.completion {
                case .file: words.append("-F")
                case .directory: words.append("-a '(__fish_complete_directories)'")
                case .nothing, .words: break
                }
            }
            return (words + ["-d \(quoted(option.summary))"]).joined(separator: " ")
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "'"
        for character in text { result += character == "'" || character == "\\" ? "\\\(character)" : String(character) }
        return result + "'"
    }
}
