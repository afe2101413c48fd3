import Agent
import Glibc
import Synchronization
import Testing

@testable import Connectors

/// The databases that everything about SQL is tested with.
enum TestDatabase: String, CaseIterable, CustomTestStringConvertible {
    case sqlite
    case postgreSQL
    case mariaDB

    var testDescription: String { rawValue }

    /// A connection string; starts the server where that has not been done.
    /// - Parameter directory: where SQLite's file lies.
    func connection(in directory: TemporaryDirectory) throws -> String {
        switch self {
        case .sqlite: "Driver=SQLite3;Database=\(directory.path("test.db"));Timeout=2000"
        case .postgreSQL: try TestServer.postgreSQL.get().connection
        case .mariaDB: try TestServer.mariaDB.get().connection
        }
    }

    var binaryType: String {
        switch self {
        case .sqlite: "BLOB"
        case .postgreSQL: "BYTEA"
        case .mariaDB: "LONGBLOB"
        }
    }

    func binary(_ digits: String) -> String { self == .postgreSQL ? "'\\x\(digits)'" : "X'\(digits)'" }
}

/// A database server of the test's own, on a Unix socket in a directory of its own, stopped when the process ends.
struct TestServer {
    struct DidNotStart: Error, CustomStringConvertible { var description: String }

    let connection: String

    static let postgreSQL = Result { try startPostgreSQL() }
    static let mariaDB = Result { try startMariaDB() }

    private static func startPostgreSQL() throws -> TestServer {
        let directory = try makeDirectory(owner: "postgres")
        let binaries = "$(ls -d /usr/lib/postgresql/*/bin | tail -1)"
        let user = getuid() == 0 ? "runuser -u postgres --" : ""
        try run(
            "cd \(directory) && \(user) \(binaries)/initdb -D \(directory)/data -U postgres -A trust -E UTF8 --no-sync",
            logged: directory)
        stopAtExit("\(user) \(binaries)/pg_ctl -D \(directory)/data -m immediate stop", directory)
        try run(
            "cd \(directory) && \(user) \(binaries)/pg_ctl -D \(directory)/data -l \(directory)/data/log -w -t 60 "
                + "-o \"-F -c listen_addresses='' -c unix_socket_directories=\(directory)\" start",
            logged: directory)
        return TestServer(
            connection:
                "Driver={PostgreSQL Unicode};Servername=\(directory);Port=5432;Database=postgres;Username=postgres"
        )
    }

    private static func startMariaDB() throws -> TestServer {
        let directory = try makeDirectory(owner: "mysql")
        let user = getuid() == 0 ? "--user=mysql" : ""
        try run(
            "mariadb-install-db --no-defaults \(user) --datadir=\(directory)/data "
                + "--auth-root-authentication-method=normal --skip-test-db", logged: directory)
        stopAtExit("kill -KILL $(cat \(directory)/pid)", directory)
        // The server must not keep the test's own output open, or a pipe behind it never ends.
        try run(
            "setsid mariadbd --no-defaults \(user) --datadir=\(directory)/data --socket=\(directory)/socket "
                + "--skip-networking --pid-file=\(directory)/pid >\(directory)/server.log 2>&1 </dev/null & "
                + "for try in $(seq 600); do mariadb-admin --no-defaults -uroot --socket=\(directory)/socket ping && exit 0; "
                + "sleep 0.1; done; exit 1", logged: directory)
        try run(
            "mariadb --no-defaults -uroot --socket=\(directory)/socket -e 'CREATE DATABASE test CHARACTER SET utf8mb4'",
            logged: directory)
        return TestServer(
            connection: "Driver={MariaDB Unicode};Socket=\(directory)/socket;User=root;Database=test;Charset=utf8mb4")
    }

    private static func makeDirectory(owner: String) throws -> String {
        var template = Array("/tmp/gridrelay-server-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw DidNotStart(description: "no temporary directory") }
        let path = String(cString: made)
        if getuid() == 0 { try run("chown \(owner) \(path)", logged: path) }
        return path
    }

    private static func run(_ command: String, logged directory: String) throws {
        let status = system("{ \(command) ; } >>\(directory)/setup.log 2>&1 </dev/null")
        guard status == 0 else {
            let log = (try? OpenFile("\(directory)/setup.log", flags: O_RDONLY).read(4_096, at: 0)) ?? []
            throw DidNotStart(
                description: "'\(command)' gave \(status); is the server's package installed? "
                    + String(decoding: log, as: UTF8.self))
        }
    }

    private static func stopAtExit(_ command: String, _ directory: String) {
        stopping.withLock { $0.append("(\(command)) >/dev/null 2>&1; rm -rf \(directory)") }
        atexit { for command in stopping.withLock({ $0 }) { _ = system(command) } }
    }

}

/// Global, as what runs at the exit of the process can capture nothing.
private let stopping = Mutex<[String]>([])

extension ODBCConnection {
    func rows(_ sql: String) throws -> [[SQLValue]] {
        let statement = try ODBCStatement(sql, on: self)
        try statement.execute()
        var rows: [[SQLValue]] = []
        while let row = try statement.fetch() { rows.append(row) }
        return rows
    }

    func run(_ sql: String) throws { try ODBCStatement.run(sql, on: self) }
}
