extension Option {
    static let help = Option(spellings: ["--help", "-h"], summary: "show this help")

    static let colour = Option(
        spellings: ["--color", "--colour"], value: .choice(["auto", "always", "never"]),
        summary: "colour the output; auto: on a terminal, unless NO_COLOR is set")

    static let output = Option(
        spellings: ["--output", "-o"], value: .choice(["table", "wide", "json", "yaml"]),
        summary: "layout of the output (default table); the names in json and yaml are a contract, tables may change")

    static let outputWithDot = Option(
        spellings: ["--output", "-o"], value: .choice(["table", "wide", "json", "yaml", "dot"]),
        summary: "layout of the output (default table); dot is for Graphviz")

    static let noHeaders = Option(spellings: ["--no-headers"], summary: "leave the heading of tables out")

    static let watch = Option(
        spellings: ["--watch", "-w"], value: .optionalNumber(placeholder: "SECONDS", otherwise: "2"),
        summary: "show it again and again, every SECONDS (default 2), until Ctrl-C")

    static let socket = Option(
        spellings: ["--socket"], value: .text(placeholder: "PATH"),
        summary: "admin socket of the node to ask (default: RELAY_SOCKET)", completion: .file)

    static let nodeDirectory = Option(
        spellings: ["--node"], value: .text(placeholder: "DIR"),
        summary: "ask the node whose directory or configuration this is, as 'config render' made it",
        completion: .directory)

    static let timeout = Option(
        spellings: ["--timeout"], value: .text(placeholder: "SECONDS"),
        summary: "how long an answer may take (default 10)")

    /// How to reach a node.
    static let node: [Option] = [.socket, .nodeDirectory, .timeout]
    /// How to show what it says.
    static let rendering: [Option] = [.output, .noHeaders, .watch]
}
