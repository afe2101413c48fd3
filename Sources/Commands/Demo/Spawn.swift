import FoundationEssentials
import Glibc

/// Starts other programs.
enum Spawn {
    /// glibc has it since 2.26; Swift's header map does not show it. A session of its own keeps Ctrl-C from a child.
    private static let newSession: Int32 = 0x80

    /// Starts a program that goes on when this one ends.
    /// - Parameter log: gets what it writes to standard output and standard error, behind what is there.
    static func daemon(
        _ path: String, _ arguments: [String], extra: [String: String], log: String
    ) throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        return try start([path] + arguments, extra, &actions)
    }

    /// Runs a program to its end.
    /// - Returns: its exit status, 128 and more for a signal, and what it wrote (standard error, too).
    static func run(_ words: [String], limit: Int) throws(Failure) -> (status: Int32, output: [UInt8]) {
        guard let ends = Loopback.pair(isBlocking: true) else {
            throw Failure("no pair of sockets: \(String(cString: strerror(errno)))")
        }
        defer { close(ends.read) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends.write, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends.write, STDERR_FILENO)
        let child: pid_t
        do throws(Failure) { child = try start(words, [:], &actions) } catch {
            close(ends.write)
            throw error
        }
        close(ends.write)
        let output = Terminal.readAll(descriptor: ends.read, limit: limit)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard let output else { throw Failure("\(words[0]) wrote more than \(Quantity.bytes(UInt64(limit)))") }
        return (status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F, output)
    }

    private static func start(
        _ words: [String], _ extra: [String: String], _ actions: inout posix_spawn_file_actions_t
    ) throws(Failure) -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A child begins with the usual signals, whatever this process has blocked or ignores.
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        let flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | newSession
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let environment = ProcessInfo.processInfo.environment.merging(extra) { $1 }.map { "\($0)=\($1)" }
        var child: pid_t = 0
        let status = withCStrings(words) { arguments in
            withCStrings(environment) { posix_spawnp(&child, words[0], &actions, &attributes, arguments, $0) }
        }
        guard status == 0 else { throw Failure("cannot start \(words[0]): \(String(cString: strerror(status)))") }
        return child
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = texts.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        // The array ends with nil and so is never empty: it has an address.
        return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress ?? .allocate(capacity: 1)) }
    }
}
