import Glibc
import Testing

/// A directory of its own for one test, removed at the end.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/gridrelay-test-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        path = String(cString: made)
    }

    deinit { Self.remove(path) }

    func path(_ name: String) -> String { path + "/" + name }

    func write(_ bytes: [UInt8], to name: String, appending: Bool = false) throws {
        let full = path(name)
        if let slash = full.lastIndex(of: "/") { makeDirectories(String(full[..<slash])) }
        let file = try #require(fopen(full, appending ? "a" : "w"))
        let written = fwrite(bytes, 1, bytes.count, file)
        fclose(file)
        #expect(written == bytes.count)
    }

    func write(_ text: String, to name: String, appending: Bool = false) throws {
        try write(Array(text.utf8), to: name, appending: appending)
    }

    /// nil where there is no such file.
    func read(_ name: String) -> [UInt8]? {
        guard let file = fopen(path(name), "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    func text(_ name: String) -> String? { read(name).map { String(decoding: $0, as: UTF8.self) } }

    func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    private func makeDirectories(_ path: String) {
        guard mkdir(path, 0o755) != 0, errno == ENOENT, let slash = path.lastIndex(of: "/") else { return }
        makeDirectories(String(path[..<slash]))
        mkdir(path, 0o755)
    }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                guard name != ".", name != ".." else { continue }
                let child = path + "/" + name
                if unlink(child) != 0 { remove(child) }
            }
            closedir(directory)
        }
        rmdir(path)
    }
}
