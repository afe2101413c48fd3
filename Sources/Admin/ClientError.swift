import Node

/// Why a question to a node's admin socket has no answer, and what to do.
public enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
    case pathTooLong(String)
    /// Nothing has that name.
    case noSocket(String)
    /// The name is there, and no process listens on it.
    case notListening(String)
    case permissionDenied(String)
    case timeout(String, after: Duration)
    /// The connection broke before the answer was whole.
    case broken(String, reason: String)
    /// What came is not an answer of this API.
    case badAnswer(String, reason: String)
    /// The node answered with a status of 400 or above.
    case refused(status: Int, Problem)

    /// What happened.
    public var description: String {
        switch self {
        case .pathTooLong(let path): "the admin socket's path '\(path.prefix(160))' is empty or too long for a socket"
        case .noSocket(let path): "there is no admin socket \(path)"
        case .notListening(let path): "nobody listens on the admin socket \(path)"
        case .permissionDenied(let path): "you may not use the admin socket \(path)"
        case .timeout(let path, let limit): "no answer on \(path) within \(limit)"
        case .broken(let path, let reason): "the connection to \(path) broke: \(reason)"
        case .badAnswer(let path, let reason): "what answers on \(path) does not speak this API: \(reason)"
        case .refused(_, let problem): problem.error
        }
    }

    /// What to do about it.
    public var hint: String? {
        switch self {
        case .pathTooLong: "use a socket in a directory with a shorter path"
        case .noSocket: "is the daemon running, and is this the socket in its configuration?"
        case .notListening: "the daemon has stopped or died; start it, and look into its log"
        case .permissionDenied: "run the command as the user that runs the daemon, or with sudo"
        case .timeout: "the node may be overloaded; look into its log, or give a longer --timeout"
        case .broken: "the daemon may have stopped just now; try again"
        case .badAnswer: "is this the admin socket of a node, and of this version?"
        case .refused(_, let problem): problem.hint
        }
    }
}
