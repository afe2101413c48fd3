/// `relayctl help`
enum Help {
    private static let markdown = Option(
        spellings: ["--markdown"], summary: "write the whole manual as Markdown")

    static let command = Command(
        name: ["help"],
        summary: "show how to use a command",
        arguments: [
            Argument(
                name: "COMMAND", summary: "the words of a command; none: all commands", isRequired: false,
                repeats: true)
        ],
        options: [markdown],
        examples: [Example(line: "relayctl help node status", meaning: "all about 'node status'")],
        run: { invocation, terminal throws(Failure) in
            let text = invocation.has(markdown) ? Manual.text : try HelpText.text(for: invocation.arguments)
            terminal.write(Array(text.utf8))
        })
}
