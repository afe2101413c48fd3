import Glibc
import Synchronization

/// How a process ended.
enum Ending: Equatable, CustomStringConvertible {
    case exit(Int32)
    case signal(Int32)

    init(_ status: Int32) {
        self = status & 0x7f == 0 ? .exit(status >> 8 & 0xff) : .signal(status & 0x7f)
    }

    var description: String {
        switch self {
        case .exit(let code): "exit status \(code)"
        case .signal(let number): "signal \(number)"
        }
    }
}

/// A process of a test's own: reaped with the object that stands for it, also when the test fails, and killed at the
/// latest when the test process ends.
final class ChildProcess: Sendable {
    let pid: pid_t
    private let ending = Mutex<Ending?>(nil)

    /// - Parameters:
    ///   - arguments: the program, searched in PATH where it has no slash, and its arguments. env(1) runs it, which
    ///     becomes it.
    ///   - output: the file that standard output and standard error are appended to.
    init(_ arguments: [String], output: String, directory: String, environment: [String: String] = [:]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test process ignores SIGPIPE and its threads block most signals; both would be passed on.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var words = (["env", "--chdir", directory] + arguments).map { strdup($0) } + [nil]
        var variables = Self.inherited(environment).map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var made: pid_t = 0
        Self.keepDescriptorsHere()
        let code = posix_spawnp(&made, "env", &actions, &attributes, &words, &variables)
        guard code == 0 else { throw SystemFailure("cannot run \(arguments[0])", code) }
        pid = made
        _ = Self.isRegistered
        Self.living.withLock { _ = $0.insert(made) }
    }

    deinit { kill() }

    /// Sockets of other tests must not live on in a daemon.
    private static func keepDescriptorsHere() {
        for name in TemporaryDirectory.names(in: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    private static func inherited(_ more: [String: String]) -> [String] {
        // The last two are for daemons that have a sanitizer in them: scripts/sanitize.sh.
        let names = ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "TSAN_OPTIONS", "ASAN_OPTIONS"]
        var variables: [String] = names.compactMap { name in
            getenv(name).map { name + "=" + String(cString: $0) }
        }
        // A backtrace of a crash takes seconds on a busy machine; the log has the reason anyway.
        variables += ["SWIFT_BACKTRACE=enable=no"]
        return variables + more.map { "\($0)=\($1)" }
    }

    /// nil while it runs.
    var end: Ending? { ending.withLock { wait(&$0, WNOHANG) } }

    var isRunning: Bool { end == nil }

    func send(_ signal: Int32) {
        // Under the lock, so that the number is not another process's by now.
        ending.withLock { if wait(&$0, WNOHANG) == nil { _ = Glibc.kill(pid, signal) } }
    }

    /// Ends it at once and reaps it.
    func kill() {
        send(SIGKILL)
        ending.withLock { _ = wait(&$0, 0) }
    }

    private func wait(_ ending: inout Ending?, _ options: Int32) -> Ending? {
        guard ending == nil else { return ending }
        var status: Int32 = 0
        while true {
            let result = waitpid(pid, &status, options)
            if result < 0, errno == EINTR { continue }
            guard result == pid else { return nil }
            break
        }
        ending = Ending(status)
        Self.living.withLock { _ = $0.remove(pid) }
        return ending
    }

    /// Processes not yet reaped, for the end of the test process.
    private static let living = Mutex<Set<pid_t>>([])
    private static let isRegistered: Bool = atexit { ChildProcess.killAll() } == 0

    private static func killAll() {
        for pid in living.withLock({ $0 }) { _ = Glibc.kill(pid, SIGKILL) }
    }
}
