import Envelope

/// One thing that is wrong in a configuration file: where, which key, what is wrong and what to write.
///
/// Holds no value that came out of the environment, so that a secret never reaches a log.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    public var mark: YAMLMark
    /// The key's full path, such as `links[2].dial.port`; empty for the file as a whole.
    public var path: String
    public var text: String

    public init(mark: YAMLMark, path: String = "", text: String) {
        self.mark = mark
        self.path = path
        self.text = text
    }

    /// `relay.yaml:12:3: links[0].cots: unknown key; did you mean 'cost'?`
    public var description: String { path.isEmpty ? "\(mark): \(text)" : "\(mark): \(path): \(text)" }
}

/// Everything that is wrong in a configuration file, in the order of the file.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// At least one, at most ``Envelope/Limits/configurationProblems``.
    public let problems: [ConfigurationProblem]
    /// How many more there were.
    public let omitted: Int

    /// Sorts the problems by place and keeps the first of them.
    public init(_ problems: [ConfigurationProblem], omitted: Int = 0) {
        let sorted = problems.sorted { ($0.mark.line, $0.mark.column) < ($1.mark.line, $1.mark.column) }
        self.problems = Array(sorted.prefix(Limits.configurationProblems))
        self.omitted = omitted + max(0, sorted.count - Limits.configurationProblems)
    }

    /// One line a problem.
    public var description: String {
        var lines = problems.map(\.description)
        if omitted > 0 { lines.append("and \(omitted) more; mend these first") }
        return lines.joined(separator: "\n")
    }
}
