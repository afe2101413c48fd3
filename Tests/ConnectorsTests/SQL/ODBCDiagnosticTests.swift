import Agent
import Testing

@testable import Connectors

@Suite("ODBC diagnostics")
struct ODBCDiagnosticTests {
    @Test(
        "States are sorted by what helps",
        arguments: [
            ("08S01", "Lost connection to server", ConnectorError.Kind.transient),
            ("08001", "connection refused", .transient),
            ("08001", "FATAL: password authentication failed for user", .configuration),
            ("08001", "FATAL: database \"x\" does not exist", .configuration),
            ("40001", "could not serialize access", .transient),
            ("57P01", "terminating connection due to administrator command", .transient),
            ("23505", "duplicate key value", .rejected),
            ("22001", "value too long", .rejected),
            ("42S02", "no such table", .configuration),
            ("28000", "Access denied for user", .configuration),
            ("HYT00", "timeout", .transient),
            ("HY000", "UNIQUE constraint failed: t.id", .rejected),
            ("HY000", "no such table: t", .configuration),
            ("HY000", "database is locked", .transient),
            ("HY000", "database or disk is full", .transient),
            ("01000", "[unixODBC][Driver Manager]Can't open lib 'X' : file not found", .configuration),
            ("IM002", "Data source name not found", .configuration),
        ])
    func kinds(state: String, message: String, kind: ConnectorError.Kind) {
        #expect(ODBCDiagnostic(state: state, message: message).kind == kind)
    }

    @Test(
        "No password gets into a message",
        arguments: [
            "Driver=X;PWD=s3cret;Server=h", "driver=x; Password = s3cret", "PWD={s3cret};UID=a", "UID=s;passwd=s3cret",
        ])
    func secrets(connection: String) {
        let padded = connection.contains("= ") ? " s3cret" : "s3cret"
        let error = ODBCDiagnostic(state: "08001", message: "bad login \(padded) at\nhost")
            .error("cannot connect", secrets: ConnectionSecrets(connection))
        #expect(!error.description.contains("s3cret"))
        #expect(error.description.contains("***") && error.description.contains("host"))
        #expect(!error.description.contains("\n"))
    }

    @Test("A driver that is not there is a matter of configuration")
    func missingDriver() throws {
        let error = try #require(throws: ConnectorError.self) {
            _ = try ODBCConnection("Driver=NoSuchDriver;PWD=topsecret")
        }
        #expect(error.kind == .configuration && !error.description.contains("topsecret"), "\(error)")
    }

    @Test("A server that is away is transient")
    func awayServer() throws {
        let error = try #require(throws: ConnectorError.self) {
            _ = try ODBCConnection(
                "Driver={PostgreSQL Unicode};Servername=/nowhere;Port=5432;Database=x;Username=u;Password=topsecret")
        }
        #expect(error.kind == .transient && !error.description.contains("topsecret"), "\(error)")
    }
}
