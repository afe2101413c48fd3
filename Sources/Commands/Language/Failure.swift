/// How `relayctl` ends.
public enum ExitCode: Int32, Sendable {
    case ok = 0
    /// The command was understood and did not succeed.
    case failed = 1
    /// The command line was not understood.
    case usage = 2
    /// A configuration or topology file has errors.
    case badConfiguration = 4
}

/// Why a command ends without having done its work.
struct Failure: Error, Sendable {
    var code: ExitCode
    /// What happened; several lines where there are several things, such as the errors of a file.
    var lines: [String]
    /// What to do about it.
    var hint: String?

    init(_ message: String, hint: String? = nil, code: ExitCode = .failed) {
        (self.lines, self.hint, self.code) = ([message], hint, code)
    }

    init(lines: [String], hint: String? = nil, code: ExitCode) {
        (self.lines, self.hint, self.code) = (lines, hint, code)
    }

    static func usage(_ message: String, hint: String? = nil) -> Failure {
        Failure(message, hint: hint, code: .usage)
    }
}
