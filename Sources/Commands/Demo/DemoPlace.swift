import Glibc

/// The directory that a demo works in, and nothing else does.
struct DemoPlace: Sendable {
    /// What a demo is there for; stands in the marker.
    enum Purpose: String {
        /// Left running by `demo up`.
        case up
        /// Under `demo run`, which ends it itself.
        case run
    }

    static let standard = ".demo"
    private static let markerName = ".gridrelay-demo"
    /// All that a demo makes in its directory; nothing else is ever removed from it.
    private static let names = ["mesh", "input", "output", "logs", "run", "topology.yaml"]

    /// Absolute, since it stands on the command lines of the nodes.
    let root: String

    /// - Parameter path: may be relative and need not exist; the directory above it must.
    init(_ path: String) throws(Failure) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let slash = path.lastIndex(of: "/")
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard !name.isEmpty, name != ".", name != ".." else {
            throw .usage("--dir takes a directory of the demo's own, not '\(path)'")
        }
        guard let real = realpath(parent, nil) else {
            throw Failure("there is no directory \(parent)", hint: "make it, or choose another place with --dir")
        }
        defer { free(real) }
        let above = String(cString: real)
        root = (above == "/" ? "" : above) + "/" + name
    }

    var mesh: String { root + "/mesh" }
    var input: String { root + "/input" }
    var output: String { root + "/output" }
    var logs: String { root + "/logs" }
    var processes: String { root + "/run" }
    var topology: String { root + "/topology.yaml" }

    var temperatures: String { input + "/seattle-temps.csv" }
    var weather: String { input + "/weather.db" }
    var deliveredTemperatures: String { output + "/temperature.csv" }
    var deliveredWeather: String { output + "/weather.db" }

    private var marker: String { root + "/" + Self.markerName }

    /// True where a demo has made this directory and has not removed it.
    var isDemo: Bool { LocalFile.exists(marker) }

    /// What the last demo in this directory was there for.
    var purpose: Purpose? {
        guard let bytes = try? LocalFile.read(marker, limit: 64) else { return nil }
        return Purpose(rawValue: String(decoding: bytes, as: UTF8.self))
    }

    /// Takes the directory for this process, and makes it where there is none.
    /// - Throws: ``Failure`` where it is somebody else's, or another relayctl is at work in it.
    func claim() throws(Failure) -> Claim {
        if LocalFile.exists(root), !isDemo, !DirectoryTree.isEmpty(root) {
            throw Failure(
                "\(root) is there and was not made by a demo", hint: "choose a directory of its own with --dir")
        }
        try LocalFile.makeDirectory(root)
        return try Claim(marker)
    }

    func note(_ purpose: Purpose) throws(Failure) {
        // Written in place: the lock is on this very file.
        let descriptor = open(marker, O_WRONLY | O_TRUNC | O_CLOEXEC)
        let bytes = Array(purpose.rawValue.utf8)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, write(descriptor, bytes, bytes.count) == bytes.count else {
            throw Failure("cannot write \(marker): \(String(cString: strerror(errno)))")
        }
    }

    /// Removes what a demo has made here, and keeps the directory and its marker.
    func clear() { for name in Self.names { DirectoryTree.remove(root + "/" + name) } }

    /// Removes all that the demo has made.
    /// - Returns: false where the directory holds something else and stays.
    func remove() -> Bool {
        clear()
        unlink(marker)
        return rmdir(root) == 0 || errno == ENOENT
    }
}

/// The right to work in a demo's directory, for as long as this object lives.
final class Claim: Sendable {
    private let descriptor: Int32

    init(_ marker: String) throws(Failure) {
        let opened = open(marker, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard opened >= 0 else { throw Failure("cannot write \(marker): \(String(cString: strerror(errno)))") }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            close(opened)
            throw Failure(
                "another relayctl is at work on this demo", hint: "wait for it to end, or choose another --dir")
        }
        // Last, since a throw behind it would let `deinit` close what is closed, or by then another's.
        descriptor = opened
    }

    deinit { close(descriptor) }
}
