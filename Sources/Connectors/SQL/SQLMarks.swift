import Agent
import Envelope

/// The table of marks: which sequence of each stream has had its effect.
final class SQLMarks {
    static let table = "gridrelay_marks"
    /// Streams remembered; the ones heard of longest ago are forgotten when a sink opens.
    static let streams = 65_536

    private let select: ODBCStatement
    private let insert: ODBCStatement
    private let update: ODBCStatement

    /// Makes the table where it is missing.
    init(_ connection: ODBCConnection) throws(ConnectorError) {
        let table = connection.quoted(Self.table)
        func column(_ name: String) -> String { connection.quotedColumn(name) }
        if !connection.hasTable(table) { try Self.create(table, on: connection) }
        try Self.prune(table, on: connection)
        select = try ODBCStatement(
            "SELECT \(column("sequence")) FROM \(table) WHERE \(column("stream")) = ?", on: connection)
        insert = try ODBCStatement(
            "INSERT INTO \(table) (\(column("sequence")), \(column("updated")), \(column("stream"))) VALUES (?, ?, ?)",
            on: connection)
        update = try ODBCStatement(
            "UPDATE \(table) SET \(column("sequence")) = ?, \(column("updated")) = ? WHERE \(column("stream")) = ?",
            on: connection)
    }

    /// nil for a stream that was never heard of.
    func sequence(of stream: StreamID) throws(ConnectorError) -> Sequence? {
        try select.execute([.text(stream.description)])
        defer { select.close() }
        guard let row = try select.fetch() else { return nil }
        guard case .integer(let number)? = row.first, number >= 0 else {
            throw ConnectorError(
                .configuration, "the table \(Self.table) holds a mark that is no number; was it changed by hand?")
        }
        return Sequence(UInt64(number))
    }

    func set(
        _ sequence: Sequence, of stream: StreamID, isNew: Bool, at time: WallTime
    ) throws(ConnectorError) {
        guard let number = Int64(exactly: sequence.number) else {
            throw ConnectorError(.rejected, "a delivery's sequence does not fit the table \(Self.table)")
        }
        let values: [SQLValue] = [.integer(number), .integer(time.milliseconds), .text(stream.description)]
        try (isNew ? insert : update).execute(values)
    }

    private static func create(_ table: String, on connection: ODBCConnection) throws(ConnectorError) {
        func column(_ name: String) -> String { connection.quotedColumn(name) }
        try ODBCStatement.run(
            "CREATE TABLE IF NOT EXISTS \(table) (\(column("stream")) CHAR(32) NOT NULL PRIMARY KEY, "
                + "\(column("sequence")) BIGINT NOT NULL, \(column("updated")) BIGINT NOT NULL)", on: connection)
    }

    private static func prune(_ table: String, on connection: ODBCConnection) throws(ConnectorError) {
        let updated = connection.quotedColumn("updated")
        let bound = try ODBCStatement(
            "SELECT \(updated) FROM \(table) ORDER BY \(updated) DESC LIMIT 1 OFFSET \(streams)", on: connection)
        try bound.execute()
        let row = try bound.fetch()
        bound.close()
        guard let oldest = row?.first else { return }
        let delete = try ODBCStatement("DELETE FROM \(table) WHERE \(updated) <= ?", on: connection)
        try delete.execute([oldest])
    }
}
