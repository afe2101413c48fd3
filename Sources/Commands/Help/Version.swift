/// `relayctl version`
enum Version {
    static let command = Command(
        name: ["version"],
        summary: "show the version of relayctl",
        examples: [Example(line: "relayctl version", meaning: "the version, as scripts like it")],
        run: { _, terminal in terminal.print("relayctl \(Relayctl.version)") })
}
