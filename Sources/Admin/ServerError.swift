import Glibc

/// Why an admin socket cannot be had, and what to do.
public enum ServerError: Error, Equatable, Sendable, CustomStringConvertible {
    case pathTooLong(String, limit: Int)
    case noDirectory(String, reason: String)
    /// Others could swap the socket under us.
    case unsafeDirectory(String)
    /// Something that is not a socket has the name.
    case notASocket(String)
    /// A running process answers on the socket.
    case alreadyServed(String)
    case system(call: String, path: String, reason: String)
    case alreadyStarted
    case cannotStart(String)

    public var description: String {
        switch self {
        case .pathTooLong(let path, let limit):
            "the admin socket's path '\(path.prefix(160))' must have 1 to \(limit) bytes; choose a shorter directory"
        case .noDirectory(let path, let reason):
            "the admin socket's directory \(path) cannot be used: \(reason); create it first"
        case .unsafeDirectory(let path):
            "others may change the admin socket's directory \(path); make it yours alone: chmod 0700 \(path)"
        case .notASocket(let path):
            "\(path) is there and is not a socket; move it away or choose another admin socket"
        case .alreadyServed(let path):
            "another process answers on \(path); stop it first or choose another admin socket"
        case .system(let call, let path, let reason):
            "\(call) failed for \(path): \(reason)"
        case .alreadyStarted:
            "this admin server runs already; stop it before it is started again"
        case .cannotStart(let path):
            "the HTTP server for \(path) did not start: too little memory or too many threads"
        }
    }

    static func last(_ call: String, _ path: String) -> ServerError {
        .system(call: call, path: path, reason: String(cString: strerror(errno)))
    }
}
