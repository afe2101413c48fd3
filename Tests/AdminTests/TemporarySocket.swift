import Admin
import Glibc
import Node
import Testing

/// A directory for sockets that goes with the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let template = strdup("/tmp/relay-admin-XXXXXX")
        defer { free(template) }
        let name = try #require(template)
        try #require(mkdtemp(name) != nil)
        path = String(cString: name)
    }

    deinit {
        for name in ["a.sock", "b.sock", "file"] { unlink(path + "/" + name) }
        rmdir(path)
    }

    var socket: String { path + "/a.sock" }
}

/// A server on a socket of its own, stopped with the test.
final class RunningServer: Sendable {
    let directory: TemporaryDirectory
    let server = Server()
    var client: Client { Client(socket: directory.socket) }

    init(_ handler: @escaping @Sendable (AdminRequest) -> AdminResponse) throws {
        directory = try TemporaryDirectory()
        try server.start(socket: directory.socket, handler: handler)
    }

    deinit { server.stop() }
}
