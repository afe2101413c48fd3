import Agent
import Envelope

/// What an SQL sink writes to and how.
public struct SQLSinkSettings: Hashable, Sendable {
    public enum Write: String, CaseIterable, CustomStringConvertible, Sendable {
        /// Each record is a new row.
        case insert
        /// A record replaces the row with the same key.
        case upsert

        public var description: String { rawValue }
    }

    /// An ODBC connection string; may hold a password.
    public var connection: String
    /// A dot parts schema and name.
    public var table: String
    public var write = Write.insert
    /// The columns that tell rows apart, for ``Write/upsert``.
    public var key: [String] = []
    /// Make the table where it is missing, with columns after the first records.
    public var isCreated = false
    /// Between the fields of rows that were collected as CSV.
    public var separator = UInt8(ascii: ",")

    public init(connection: String, table: String) {
        self.connection = connection
        self.table = table
    }
}

/// Delivers to a table, each record once: rows and marks are in one transaction.
///
/// Error contract: after any error the connection is closed, which undoes what was not committed. Where the
/// connection is lost during the commit itself, nobody knows whether it happened; the marks tell when the same
/// deliveries come again.
public final class SQLSink: Sink {
    let settings: SQLSinkSettings
    private let clocks: Clocks
    private var session: SQLSinkSession?
    /// For tests: called before each commit.
    var willCommit: () throws(ConnectorError) -> Void = { () throws(ConnectorError) in }

    public convenience init(_ settings: SQLSinkSettings) { self.init(settings, clocks: .system) }

    init(_ settings: SQLSinkSettings, clocks: Clocks) {
        self.settings = settings
        self.clocks = clocks
    }

    public func mark(of stream: StreamID) throws(ConnectorError) -> Sequence {
        try withSession { (session) throws(ConnectorError) in try session.marks.sequence(of: stream) ?? .none }
    }

    public func apply(_ deliveries: [Delivery]) throws(ConnectorError) {
        var rows: [[SQLRow]] = []
        for delivery in deliveries { rows.append(try SQLRow.rows(of: delivery, separator: settings.separator)) }
        try withSession { (session) throws(ConnectorError) in
            if session.needsTable { try session.prepareTable(for: rows.flatMap { $0 }) }
            try session.connection.beginTransaction()
            for (delivery, rows) in zip(deliveries, rows) {
                let mark = try session.marks.sequence(of: delivery.stream)
                // Committed before, though nobody heard of it.
                if let mark, mark >= delivery.sequence { continue }
                for row in rows { try session.write(row) }
                try session.marks.set(delivery.sequence, of: delivery.stream, isNew: mark == nil, at: clocks.wall())
            }
            try willCommit()
            try session.connection.commit()
        }
    }

    private func withSession<Result>(
        _ body: (SQLSinkSession) throws(ConnectorError) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(ConnectorError) {
            return try body(try opened())
        } catch {
            session = nil
            throw error
        }
    }

    private func opened() throws(ConnectorError) -> SQLSinkSession {
        if let session { return session }
        let fresh = try SQLSinkSession(settings)
        session = fresh
        return fresh
    }
}
