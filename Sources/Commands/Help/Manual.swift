/// docs/relayctl.md, made from the command table: `relayctl help --markdown`.
enum Manual {
    static var text: String {
        ([opening] + CommandTable.commands.map(section)).joined(separator: "\n\n") + "\n"
    }

    private static let opening = """
        # relayctl

        `relayctl` looks into a mesh of relays and agents, sends through it, and makes what it needs: certificates,
        keys and configuration files. This page is made from its own command table by `relayctl help --markdown`.

        A node is asked over its admin socket, a Unix socket that only the node's own user may use. Name it by
        `--socket PATH`, by `RELAY_SOCKET`, or by `--node DIR`, the node's directory as `relayctl config render`
        made it. The API behind it is in [admin-api.md](admin-api.md).

        Data goes to standard output, talk to standard error. `-o json` and `-o yaml` are a contract: names keep their
        meaning as long as `schema` stays the same. Tables are for people and may change.

        | exit code | meaning |
        |---|---|
        | 0 | done |
        | 1 | understood, and failed |
        | 2 | the command line was not understood |
        | 4 | a configuration or topology file has errors |

        | variable | meaning |
        |---|---|
        | `RELAY_SOCKET` | admin socket to ask where the command line names none |
        | `RELAY_COLOR` | `auto`, `always` or `never`, where the command line does not say |
        | `NO_COLOR` | no colour, unless the command line or `RELAY_COLOR` asks for it |

        Completion: `source <(relayctl completion bash)`, `source <(relayctl completion zsh)` or
        `relayctl completion fish | source`.
        """

    private static func section(of command: Command) -> String {
        var parts = ["## relayctl \(command.name.joined(separator: " "))", sentence(command.summary)]
        if !command.details.isEmpty { parts.append(command.details) }
        parts.append("    " + command.usage)
        var rows = command.arguments.map { (names: "`\($0.usage)`", summary: $0.summary) }
        rows += command.options.map { option in
            let names = option.spellings.map { "`\($0)`" }.joined(separator: ", ")
            let placeholder = option.placeholder.map { " `\($0)`" } ?? ""
            return (names: names + placeholder, summary: option.summary + (option.isRequired ? " (required)" : ""))
        }
        if !rows.isEmpty {
            let lines = rows.map { "| \(escaped($0.names)) | \(escaped($0.summary)) |" }
            parts.append((["| option | meaning |", "|---|---|"] + lines).joined(separator: "\n"))
        }
        let examples = command.examples.map { "    # \($0.meaning)\n    \($0.line)" }
        return (parts + [examples.joined(separator: "\n")]).joined(separator: "\n\n")
    }

    private static func sentence(_ summary: String) -> String {
        summary.prefix(1).uppercased() + summary.dropFirst() + "."
    }

    private static func escaped(_ cell: String) -> String {
        cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
