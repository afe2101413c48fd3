import Agent

/// A sink's connection with its prepared statements.
final class SQLSinkSession {
    /// Shapes of rows kept prepared; rows nearly always have one.
    private static let shapes = 32

    let connection: ODBCConnection
    let marks: SQLMarks
    private let settings: SQLSinkSettings
    private var writers: [[String]: SQLWriter] = [:]
    private var isTableReady = false

    init(_ settings: SQLSinkSettings) throws(ConnectorError) {
        self.settings = settings
        connection = try ODBCConnection(settings.connection)
        marks = try SQLMarks(connection)
    }

    /// True until the table is known to be there, where it is to be made.
    var needsTable: Bool { settings.isCreated && !isTableReady }

    /// Makes the table where it is missing. Outside of the transaction: some databases commit at it.
    func prepareTable(for rows: [SQLRow]) throws(ConnectorError) {
        guard let first = rows.first else { return }
        isTableReady = connection.hasTable(connection.quoted(settings.table))
        guard !isTableReady else { return }
        let columns = SQLTableShape(rows.filter { $0.names == first.names }).columns
        let dialect = SQLDialect(product: connection.product)
        let definitions = columns.map { column in
            let isKey = settings.key.contains(column.name)
            return "\(connection.quotedColumn(column.name)) \(dialect.name(of: column.type, isKey: isKey))"
        }
        let keys = settings.key.filter { key in columns.contains { $0.name == key } }
        let primary = keys.isEmpty ? "" : ", PRIMARY KEY (\(keys.map(connection.quotedColumn).joined(separator: ", ")))"
        let table = connection.quoted(settings.table)
        try ODBCStatement.run(
            "CREATE TABLE IF NOT EXISTS \(table) (\(definitions.joined(separator: ", "))\(primary))", on: connection)
        isTableReady = true
    }

    func write(_ row: SQLRow) throws(ConnectorError) {
        try writer(for: row.names).write(row.values)
    }

    private func writer(for names: [String]) throws(ConnectorError) -> SQLWriter {
        if let writer = writers[names] { return writer }
        if writers.count >= Self.shapes { writers = [:] }
        let writer = try SQLWriter(names, settings: settings, on: connection)
        writers[names] = writer
        return writer
    }
}

/// The statements that write rows of one shape.
///
/// An upsert looks for the row, then updates or inserts. Every database takes that, and it needs no unique index; the
/// transaction and the sink being alone keep it right.
final class SQLWriter {
    private let insert: ODBCStatement
    private var select: ODBCStatement?
    private var update: ODBCStatement?
    /// Places in a row of the key's columns and of the others.
    private var keys: [Int] = []
    private var others: [Int] = []
    private let columns: [SQLColumnType]

    init(_ names: [String], settings: SQLSinkSettings, on connection: ODBCConnection) throws(ConnectorError) {
        let table = connection.quoted(settings.table)
        let quoted = names.map(connection.quotedColumn)
        columns = try Self.columnTypes(quoted, of: table, on: connection)
        let places = names.map { _ in "?" }.joined(separator: ", ")
        insert = try ODBCStatement(
            "INSERT INTO \(table) (\(quoted.joined(separator: ", "))) VALUES (\(places))", on: connection)
        guard settings.write == .upsert else { return }
        for key in settings.key {
            guard let index = names.firstIndex(of: key) else {
                throw ConnectorError(
                    .configuration,
                    "the records have no column '\(key)' for the key; they have: \(names.prefix(20).joined(separator: ", "))"
                )
            }
            keys.append(index)
        }
        others = names.indices.filter { !keys.contains($0) }
        let condition = keys.map { "\(quoted[$0]) = ?" }.joined(separator: " AND ")
        select = try ODBCStatement("SELECT 1 FROM \(table) WHERE \(condition)", on: connection)
        guard !others.isEmpty else { return }
        let changes = others.map { "\(quoted[$0]) = ?" }.joined(separator: ", ")
        update = try ODBCStatement("UPDATE \(table) SET \(changes) WHERE \(condition)", on: connection)
    }

    func write(_ values: [SQLValue]) throws(ConnectorError) {
        let values = zip(values, columns).map { SQLWriter.fitting($0, into: $1) }
        guard let select else { return try insert.execute(values) }
        let key = keys.map { values[$0] }
        guard !key.contains(.null) else {
            throw ConnectorError(.rejected, "a record has no value in a column of the key")
        }
        try select.execute(key)
        let isThere = try select.fetch() != nil
        select.close()
        if isThere {
            try update?.execute(others.map { values[$0] } + key)
        } else {
            try insert.execute(values)
        }
    }

    /// What the table's columns hold, so that the text of a CSV field goes into a number's column as a number.
    private static func columnTypes(
        _ quoted: [String], of table: String, on connection: ODBCConnection
    ) throws(ConnectorError) -> [SQLColumnType] {
        let probe = try ODBCStatement(
            "SELECT \(quoted.joined(separator: ", ")) FROM \(table) WHERE 1 = 0", on: connection)
        try probe.execute()
        probe.close()
        return probe.columns.map(\.type)
    }

    private static func fitting(_ value: SQLValue, into type: SQLColumnType) -> SQLValue {
        switch (value, type) {
        case (.text(let text), .integer): Int64(text).map(SQLValue.integer) ?? value
        case (.text(let text), .real): Double(text).map(SQLValue.real) ?? value
        case (.integer(let integer), .text): .text(String(integer))
        case (.integer(let integer), .decimal): .text(String(integer))
        case (.integer(let integer), .boolean): .text(String(integer))
        case (.real(let real), .text): .text(real.description)
        default: value
        }
    }
}
