import Testing

@testable import Commands

@Suite struct HelpTests {
    @Test func theManualIsTheOneInTheDocuments() throws {
        let path = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/docs/relayctl.md"
        let written = String(decoding: try LocalFile.read(path, limit: 1 << 20), as: UTF8.self)
        #expect(written == Manual.text, "write it anew: relayctl help --markdown > docs/relayctl.md")
    }

    @Test func everyCommandIsWhole() throws {
        let stage = try Stage()
        for command in CommandTable.commands {
            let name = command.name.joined(separator: " ")
            #expect(!command.examples.isEmpty, "\(name)")
            let help = stage.run(["help"] + command.name)
            #expect(help.code == .ok)
            #expect(help.output == stage.run(command.name + ["--help"]).output)
            for example in command.examples { #expect(help.output.contains(example.line)) }
            #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 110 }, "\(name)")
            let spellings = command.allOptions.flatMap(\.spellings)
            #expect(Set(spellings).count == spellings.count, "\(name)")
            #expect(command.name.count == 1 || CommandTable.nouns.contains { $0.name == command.name[0] }, "\(name)")
            #expect(command.arguments.dropLast().allSatisfy { $0.isRequired && !$0.repeats }, "\(name)")
        }
        #expect(Set(CommandTable.commands.map(\.name)).count == CommandTable.commands.count)
    }

    /// Examples that only ask for `relayctl` must be understood by its own parser.
    @Test func examplesAreUnderstood() throws {
        let parser = Parser(commands: CommandTable.commands)
        for example in CommandTable.commands.flatMap(\.examples) where example.line.hasPrefix("relayctl ") {
            let line = example.line.split { $0 == "|" || $0 == ">" }[0]
            let words = line.split(separator: " ").dropFirst().map { String($0.filter { $0 != "'" }) }
            _ = try parser.parse(words)
        }
    }

    @Test func overviewAndNouns() throws {
        let stage = try Stage()
        let overview = stage.run([]).output
        for command in CommandTable.commands { #expect(overview.contains("  " + command.name.joined(separator: " "))) }
        #expect(overview == stage.run(["--help"]).output)
        #expect(overview == stage.run(["help"]).output)
        #expect(stage.run(["node", "--help"]).output.hasPrefix("usage: relayctl node COMMAND"))
        #expect(stage.run(["help", "node", "explode"]).code == .usage)
    }
}
