import Crypto
import Envelope
import Glibc

/// A directory of its own for one test, removed at the end. Its path is short, since sockets lie below it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/gridrelay-it-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemFailure("mkdtemp") }
        path = String(cString: made)
    }

    deinit {
        // GRIDRELAY_KEEP=1 leaves everything for the person who looks for a fault.
        let keeps = getenv("GRIDRELAY_KEEP").map { String(cString: $0) == "1" } ?? false
        if !keeps { Self.remove(path) }
    }

    func path(_ name: String) -> String { path + "/" + name }

    func makeDirectory(_ name: String) throws {
        guard mkdir(path(name), 0o755) == 0 || errno == EEXIST else { throw SystemFailure("mkdir \(path(name))") }
    }

    func write(_ bytes: [UInt8], to name: String, appending: Bool = false) throws {
        guard let file = fopen(path(name), appending ? "a" : "w") else { throw SystemFailure("fopen \(path(name))") }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else { throw SystemFailure("write \(path(name))") }
    }

    func write(_ text: String, to name: String, appending: Bool = false) throws {
        try write(Array(text.utf8), to: name, appending: appending)
    }

    /// nil where there is no such file.
    func read(_ name: String) -> [UInt8]? { Self.contents(path(name)) }

    func text(_ name: String) -> String? { read(name).map { String(decoding: $0, as: UTF8.self) } }

    static func contents(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// What a directory holds; empty where it cannot be read.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Regular files below a directory, with their whole paths.
    static func files(below path: String) -> [String] {
        names(in: path).flatMap { name -> [String] in
            let child = path + "/" + name
            var status = stat()
            guard lstat(child, &status) == 0 else { return [] }
            if status.st_mode & S_IFMT == S_IFDIR { return files(below: child) }
            return status.st_mode & S_IFMT == S_IFREG ? [child] : []
        }
    }

    /// Calls `body` with each regular file below a directory that a running process may write to: a file that gets
    /// another name between the list and its reading is read under that, so it goes on until a list names nothing new.
    static func forEachFile(below path: String, _ body: (_ path: String, _ bytes: [UInt8]) -> Void) {
        var seen: Set<String> = []
        while true {
            let unseen = files(below: path).filter { !seen.contains($0) }
            if unseen.isEmpty { return }
            for file in unseen {
                guard let bytes = contents(file) else { continue }
                seen.insert(file)
                body(file, bytes)
            }
        }
    }

    private static func remove(_ path: String) {
        for name in names(in: path) {
            let child = path + "/" + name
            if unlink(child) != 0 { remove(child) }
        }
        rmdir(path)
    }
}

/// SHA-256 in hexadecimal, short enough to be read in a failure.
func digest(_ bytes: [UInt8]) -> String { Hexadecimal.encode(Digest.sha256(bytes)) }
