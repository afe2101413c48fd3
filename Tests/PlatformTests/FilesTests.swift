import Glibc
import Journal
import Testing

@testable import Platform

/// A directory of its own, gone with the test.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = "/tmp/files-tests-\(getpid())-\(Entropy.word())"
        try Files.createDirectory(path)
    }

    deinit { removeTree(path) }

    private func removeTree(_ path: String) {
        let system = PosixFileSystem()
        for name in (try? system.list(path)) ?? [] {
            let child = path + "/" + name
            if (try? system.attributes(of: child))??.isDirectory == true {
                removeTree(child)
            } else {
                unlink(child)
            }
        }
        rmdir(path)
    }
}

@Suite struct FilesTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func replaceIsReadBackWithItsMode() throws {
        let path = directory.path + "/mark"
        try Files.replace(path, with: [1, 2, 3], mode: 0o640)
        #expect(try Files.read(path, limit: 3) == [1, 2, 3])
        try Files.replace(path, with: [], mode: 0o600)
        #expect(try Files.read(path, limit: 0) == [])
        #expect(try Files.attributes(of: path)?.permissions == 0o600)
        #expect(try PosixFileSystem().list(directory.path) == ["mark"], "no temporary file stays")
    }

    @Test func readRefusesMoreThanTheLimit() throws {
        let path = directory.path + "/long"
        let bytes = [UInt8](repeating: 7, count: 200_000)
        try Files.replace(path, with: bytes)
        #expect(try Files.read(path, limit: 200_000) == bytes)
        do throws(FileError) {
            _ = try Files.read(path, limit: 199_999)
            Issue.record("a file longer than the limit was read")
        } catch {
            #expect(error.kind == .tooLong)
        }
    }

    @Test func errorsNameThePathAndTheReason() throws {
        let path = directory.path + "/none"
        do throws(FileError) {
            _ = try Files.read(path, limit: 10)
            Issue.record("a missing file was read")
        } catch {
            #expect(error.kind == .missing)
            #expect(error.description == "cannot open \(path): No such file or directory")
        }
        let handle = try PosixFileSystem().open(directory.path, .read)
        defer { PosixFileSystem().close(handle) }
        do throws(FileError) {
            try withUnsafeBytes(of: 1) { bytes throws(FileError) in
                try PosixFileSystem().write(handle, bytes, at: 0)
            }
            Issue.record("a directory was written to")
        } catch {
            #expect(error.path == directory.path, "an open file is named too")
        }
    }

    @Test func appendAddsAndTellsTheLength() throws {
        let path = directory.path + "/lines"
        #expect(try Files.append(path, [1, 2]) == 2)
        #expect(try Files.append(path, [3]) == 3)
        #expect(try Files.read(path, limit: 10) == [1, 2, 3])
    }

    @Test func createMakesParentsAndRemoveIsCalm() throws {
        let path = directory.path + "/a/b/c"
        try Files.createDirectory(path)
        try Files.createDirectory(path)
        #expect(try Files.attributes(of: path)?.permissions == 0o700)
        try Files.remove(path + "/nothing")
        #expect(Files.directory(of: "/x") == "/")
        #expect(Files.directory(of: "x") == ".")
        #expect(Files.directory(of: "/a/b") == "/a")
    }
}
