import Admin
import Glibc
import Node
import Testing

@Suite struct ListeningSocketTests {
    private func start(_ path: String) throws { try Server().start(socket: path) { .notFound($0) } }

    @Test func aSocketThatIsServedStaysWithItsOwner() throws {
        let running = try RunningServer { _ in .text(status: 200, contentType: "text/plain", "first") }
        #expect(throws: ServerError.alreadyServed(running.directory.socket)) { try start(running.directory.socket) }
        let answer = try running.client.answer(to: AdminRequest(method: "GET", path: "/"))
        #expect(answer == Array("first".utf8))
    }

    @Test func aSocketThatNobodyServesIsTakenOver() throws {
        let directory = try TemporaryDirectory()
        close(try RawSocket.bind(directory.socket, listens: true))
        #expect(throws: ClientError.notListening(directory.socket)) { try Client(socket: directory.socket).status() }
        let server = Server()
        try server.start(socket: directory.socket) { _ in .text(status: 200, contentType: "text/plain", "new") }
        defer { server.stop() }
        let answer = try Client(socket: directory.socket).answer(to: AdminRequest(method: "GET", path: "/"))
        #expect(answer == Array("new".utf8))
    }

    @Test func otherFilesAreLeftAlone() throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/file"
        close(open(file, O_CREAT | O_WRONLY, 0o600))
        #expect(throws: ServerError.notASocket(file)) { try start(file) }
        #expect(access(file, F_OK) == 0)
    }

    @Test func theDirectoryMustBeThereAndOurs() throws {
        let directory = try TemporaryDirectory()
        let missing = directory.path + "/none"
        #expect(throws: ServerError.noDirectory(missing, reason: "No such file or directory")) {
            try start(missing + "/a.sock")
        }
        chmod(directory.path, 0o777)
        #expect(throws: ServerError.unsafeDirectory(directory.path)) { try start(directory.socket) }
        chmod(directory.path, 0o700)
        let long = directory.path + "/" + String(repeating: "x", count: 107)
        #expect(throws: ServerError.pathTooLong(long, limit: 107)) { try start(long) }
        #expect(throws: ServerError.pathTooLong("", limit: 107)) { try start("") }
        #expect(throws: ClientError.pathTooLong(long)) { try Client(socket: long).status() }
    }

    @Test func stopLeavesAnothersSocketAlone() throws {
        let running = try RunningServer { .notFound($0) }
        unlink(running.directory.socket)
        let other = try RawSocket.bind(running.directory.socket, listens: true)
        defer { close(other) }
        running.server.stop()
        #expect(access(running.directory.socket, F_OK) == 0)
    }

    @Test func oneOfManyWhoStartAtOnceWins() throws {
        let directory = try TemporaryDirectory()
        close(try RawSocket.bind(directory.socket, listens: false))
        let servers = (0..<8).map { _ in Server() }
        let gate = Gate(count: 8)
        let path = directory.socket
        let starts = servers.map { server in
            Background {
                gate.arriveAndWait()
                try server.start(socket: path) { .notFound($0) }
            }
        }
        let wins = starts.count { (try? $0.join()) != nil }
        #expect(wins == 1)
        for server in servers { server.stop() }
        #expect(access(path, F_OK) != 0)
    }
}
