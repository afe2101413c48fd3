import Glibc

/// The program `relayctl`.
public enum Relayctl {
    public static let version = "0.1.0"

    /// Runs with this process's arguments and terminal, and ends it.
    public static func main() -> Never {
        // A reader that goes away is told by a failed write.
        signal(SIGPIPE, SIG_IGN)
        exit(run(Array(CommandLine.arguments.dropFirst()), on: .ofProcess()).rawValue)
    }

    /// Runs one command line.
    /// - Parameter words: the arguments without the program's name.
    public static func run(_ words: [String], on terminal: Terminal) -> ExitCode {
        do throws(Failure) {
            switch try Parser(commands: CommandTable.commands).parse(words) {
            case .run(let invocation): try invocation.command.run(invocation, terminal)
            case .help(let name): terminal.write(Array(try HelpText.text(for: name).utf8))
            case .version: terminal.print("relayctl \(version)")
            }
            return .ok
        } catch {
            let style = Palette(words: words, terminal)
            for line in error.lines { terminal.talk(style.paint("error: ", .bad) + Sanitised.line(line)) }
            if let hint = error.hint { terminal.talk("hint:  " + Sanitised.line(hint)) }
            return error.code
        }
    }
}
