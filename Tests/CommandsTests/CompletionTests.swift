import Glibc
import Testing

@testable import Commands

@Suite struct CompletionTests {
    /// Runs a shell on a script; nil where the shell is not installed.
    private func run(_ shell: String, _ flags: [String], script: String, _ rest: [String] = []) throws -> Stage.Outcome?
    {
        let path = ["/bin/", "/usr/bin/", "/usr/local/bin/"].map { $0 + shell }.first(where: LocalFile.exists)
        guard let path else { return nil }
        let stage = try Stage()
        let (file, output) = (stage.directory + "/script", stage.directory + "/output")
        try LocalFile.write(Array(script.utf8), to: file, mode: 0o600, replaces: true)
        let words = (flags + [file] + rest).joined(separator: " ")
        let status = system("\(path) \(words) > \(output) 2>&1")
        let text = String(decoding: try LocalFile.read(output, limit: 1 << 20), as: UTF8.self)
        return Stage.Outcome(code: status == 0 ? .ok : .failed, output: text, talk: "")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func scriptsAreWellFormed(_ shell: String) throws {
        let script = try Stage().run(["completion", shell]).output
        for command in CommandTable.commands { #expect(script.contains(command.name.joined(separator: " "))) }
        if let outcome = try run(shell, ["-n"], script: script) {
            #expect(outcome == Stage.Outcome(code: .ok, output: "", talk: ""))
        }
    }

    @Test(arguments: [
        (["relayctl", "to"], "topology"), (["relayctl", "node", ""], "status create"),
        (["relayctl", "topology", "-o", "j"], "json"), (["relayctl", "queue", "list", "--wat"], "--watch"),
        (["relayctl", "completion", "f"], "fish"), (["relayctl", "topology", "--color", ""], "auto always never"),
        (["relayctl", "receive", "--keep", "--li"], "--limit"), (["relayctl", "send", "--key", ""], ""),
    ])
    func bashOffers(_ words: [String], _ offers: String) throws {
        let list = words.map { "'\($0)'" }.joined(separator: " ")
        let script =
            BashCompletion.script(of: CommandTable.commands) + """

                COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); _relayctl; echo "${COMPREPLY[*]}"
                """
        let outcome = try #require(try run("bash", [], script: script))
        #expect(outcome.output == offers + "\n")
    }
}
