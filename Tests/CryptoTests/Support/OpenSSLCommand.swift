import Glibc

/// A directory that goes with the test.
final class TemporaryDirectory {
    let root: String

    init() throws {
        var template = Array("/tmp/gridrelay-crypto-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure(call: "mkdtemp", code: errno) }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names { unlink(path(name)) }
        rmdir(root)
    }

    private var names: [String] = []

    func path(_ name: String) -> String {
        if !names.contains(name) { names.append(name) }
        return "\(root)/\(name)"
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        guard let file = fopen(path(name), "w") else { throw SystemFailure(call: "fopen", code: errno) }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw SystemFailure(call: "fwrite", code: errno)
        }
        return path(name)
    }

    func read(_ name: String) throws -> [UInt8] {
        guard let file = fopen(path(name), "r") else { throw SystemFailure(call: "fopen", code: errno) }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }
}

struct SystemFailure: Error {
    var call: String
    var code: Int32
}

/// Runs the openssl command and gives its exit status and what it printed.
func openssl(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let directory = try TemporaryDirectory()
    let output = directory.path("output")
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var words = (["openssl"] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let spawned = posix_spawnp(&process, "openssl", &actions, nil, &words, environ)
    guard spawned == 0 else { throw SystemFailure(call: "posix_spawnp", code: spawned) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
        guard errno == EINTR else { throw SystemFailure(call: "waitpid", code: errno) }
    }
    let exit = status & 0x7F == 0 ? (status >> 8) & 0xFF : -1
    return (exit, String(decoding: try directory.read("output"), as: UTF8.self))
}
