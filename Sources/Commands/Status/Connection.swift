import Admin

/// Finds the node a command is for.
enum Connection {
    static func client(_ invocation: Invocation, _ terminal: Terminal) throws(Failure) -> Client {
        let timeout = try invocation.seconds(.timeout, in: 0.001...86_400) ?? .seconds(10)
        return Client(socket: try socket(invocation, terminal), timeout: timeout)
    }

    /// Asks, and tells a person what went wrong.
    static func ask<Answer>(_ question: () throws(ClientError) -> Answer) throws(Failure) -> Answer {
        do {
            return try question()
        } catch {
            throw Failure(error.description, hint: error.hint)
        }
    }

    private static func socket(_ invocation: Invocation, _ terminal: Terminal) throws(Failure) -> String {
        guard !invocation.has(.socket) || !invocation.has(.nodeDirectory) else {
            throw .usage("--socket and --node both name a node; give one of them")
        }
        if let path = invocation.text(.socket) { return path }
        if let directory = invocation.text(.nodeDirectory) { return try NodeDirectory.socket(directory) }
        if let path = terminal.environment["RELAY_SOCKET"], !path.isEmpty { return path }
        throw .usage(
            "which node?",
            hint: "give its admin socket by --socket PATH or RELAY_SOCKET, or its directory by --node DIR")
    }
}
