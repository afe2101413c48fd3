@testable import Commands

extension Target {
    /// Reads a command line; what is wrong with it can be told.
    static func tryWords(_ words: [String]) {
        do throws(Failure) {
            let outcome = try Parser(commands: CommandTable.commands).parse(words)
            guard case .run(let invocation) = outcome else { return }
            for option in invocation.command.options {
                _ = try invocation.number(option, in: 0...100)
                _ = try invocation.seconds(option, in: 0...1_000_000)
            }
        } catch {
            require(!error.lines.isEmpty, "an error says something")
        }
    }
}
