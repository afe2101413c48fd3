import Agent
import Crypto
import Envelope

/// What an SQL source collects.
public struct SQLSourceSettings: Hashable, Sendable {
    public enum Rows: Hashable, Sendable {
        /// A table or view; a dot parts schema and name.
        case table(String)
        /// A SELECT without ORDER BY, LIMIT or a semicolon; it is asked from as a sub-query.
        case query(String)
    }

    /// An ODBC connection string; may hold a password.
    public var connection: String
    public var rows: Rows
    /// Columns to collect, in this order; empty for all.
    public var columns: [String] = []
    /// The column that new rows have a greater or equal value in.
    public var increasing: String
    /// Columns whose values are the record's key; several make a JSON array.
    public var keyColumns: [String] = []
    /// The column that says when the row was so; without it the time of collection is taken.
    public var timeColumn: String?
    /// How far back to look for rows committed late.
    public var overlap: SQLOverlap?

    public init(connection: String, rows: Rows, increasing: String) {
        self.connection = connection
        self.rows = rows
        self.increasing = increasing
    }
}

/// Collects new rows of a table, by a column whose values only grow.
public final class SQLSource: Source {
    /// Rows asked for at once, beside those that are known already.
    static let page = 5_000

    private let settings: SQLSourceSettings
    private let clocks: Clocks
    private var connection: ODBCConnection?

    public convenience init(_ settings: SQLSourceSettings) { self.init(settings, clocks: .system) }

    init(_ settings: SQLSourceSettings, clocks: Clocks) {
        self.settings = settings
        self.clocks = clocks
    }

    public func read(
        into batch: inout RecordBatch.Builder, after checkpoint: Checkpoint?
    ) throws(ConnectorError) -> ReadOutcome {
        do throws(ConnectorError) {
            let place = try checkpoint.map { (bytes) throws(ConnectorError) in try SQLCheckpoint(bytes) }
            return try read(from: try connected(), into: &batch, after: place, checkpoint)
        } catch {
            // A connection that failed once is not trusted again.
            connection = nil
            throw error
        }
    }

    private func connected() throws(ConnectorError) -> ODBCConnection {
        if let connection { return connection }
        let fresh = try ODBCConnection(settings.connection)
        connection = fresh
        return fresh
    }

    private func read(
        from connection: ODBCConnection, into batch: inout RecordBatch.Builder, after place: SQLCheckpoint?,
        _ original: Checkpoint?
    ) throws(ConnectorError) -> ReadOutcome {
        let limit = Self.page + Int(place?.delivered.values.reduce(0) { $0 + $1.count } ?? 0)
        let statement = try ODBCStatement(sql(on: connection, limit: limit, isFirst: place == nil), on: connection)
        try statement.execute(
            try place.map { (place) throws(ConnectorError) in
                [try SQLPosition.start(of: place.greatest, overlap: settings.overlap)]
            } ?? [])
        let layout = try RowLayout(statement.columns, settings: settings)
        var progress = SQLProgress(place, overlap: settings.overlap)
        let countBefore = batch.count
        var fetched = 0
        var isFull = false
        while let row = try statement.fetch() {
            fetched += 1
            let value = JSONRow.encode(statement.columns, row)
            guard progress.isNew(value) else { continue }
            guard try append(row, value, layout, statement.columns, isFirst: batch.count == countBefore, to: &batch)
            else {
                isFull = true
                break
            }
            try progress.note(value, at: row[layout.increasing])
        }
        statement.close()
        let isAppended = batch.count > countBefore
        return ReadOutcome(
            checkpoint: isAppended ? try progress.checkpoint() : original, hasMore: isFull || fetched == limit)
    }

    /// The one shape of query that SQLite, PostgreSQL and MariaDB share.
    private func sql(on connection: ODBCConnection, limit: Int, isFirst: Bool) -> String {
        let columns = settings.columns.map(connection.quotedColumn).joined(separator: ", ")
        let rows =
            switch settings.rows {
            case .table(let name): connection.quoted(name)
            case .query(let text): "(\(text)) AS gridrelay_rows"
            }
        let increasing = connection.quotedColumn(settings.increasing)
        return "SELECT \(columns.isEmpty ? "*" : columns) FROM \(rows) WHERE \(increasing) "
            + (isFirst ? "IS NOT NULL" : ">= ?") + " ORDER BY \(increasing) LIMIT \(limit)"
    }

    private func append(
        _ row: [SQLValue], _ value: [UInt8], _ layout: RowLayout, _ columns: [SQLColumn], isFirst: Bool,
        to batch: inout RecordBatch.Builder
    ) throws(ConnectorError) -> Bool {
        let time = layout.time(of: row)
        return try batch.takes(
            key: layout.key(of: row), value: value,
            headers: isFirst ? [RecordHeader(SQLHeaderName.columns, JSONRow.encode(columns))] : [],
            at: time ?? clocks.wall(), quality: time == nil && layout.time != nil ? .uncertain : .good)
    }
}

/// The name of the record header that goes with rows of a database.
enum SQLHeaderName {
    /// An object of column names and types, with the first row of a batch.
    static let columns = "columns"
}

/// Where the columns that matter are in a result.
struct RowLayout {
    var increasing: Int
    private var keys: [Int] = []
    private(set) var time: Int?

    init(_ columns: [SQLColumn], settings: SQLSourceSettings) throws(ConnectorError) {
        increasing = try Self.index(of: settings.increasing, in: columns)
        for name in settings.keyColumns { keys.append(try Self.index(of: name, in: columns)) }
        if let name = settings.timeColumn { time = try Self.index(of: name, in: columns) }
    }

    func key(of row: [SQLValue]) -> [UInt8]? {
        guard keys.count == 1 else { return keys.isEmpty ? nil : JSONRow.encode(key: keys.map { row[$0] }) }
        switch row[keys[0]] {
        case .null: return nil
        case .integer(let integer): return Array(String(integer).utf8)
        case .real(let real): return Array(real.description.utf8)
        case .text(let text): return Array(text.utf8)
        case .binary(let bytes): return bytes
        }
    }

    /// Numbers are seconds since 1970, or milliseconds where they are too large for seconds.
    func time(of row: [SQLValue]) -> WallTime? {
        guard let time else { return nil }
        switch row[time] {
        case .text(let text): return TimeFormat.iso8601.time(of: text.utf8)
        case .integer(let integer):
            return WallTime(milliseconds: integer.magnitude > 100_000_000_000 ? integer : integer * 1_000)
        case .real(let real): return TimeFormat.unix.time(of: String(real).utf8)
        case .null, .binary: return nil
        }
    }

    /// Names are compared without case where no column has the very name: databases fold it.
    private static func index(of name: String, in columns: [SQLColumn]) throws(ConnectorError) -> Int {
        let exact = columns.firstIndex { $0.name == name }
        if let index = exact ?? columns.firstIndex(where: { $0.name.lowercased() == name.lowercased() }) {
            return index
        }
        let names = columns.prefix(20).map(\.name).joined(separator: ", ")
        throw ConnectorError(.configuration, "the rows have no column '\(name)'; they have: \(names)")
    }
}

/// The bookkeeping of one read.
struct SQLProgress {
    private var place: SQLCheckpoint?
    private let overlap: SQLOverlap?
    /// Rows met in this read, by hash: the first so many of a hash are those delivered before.
    private var met: [UInt64: UInt64] = [:]

    init(_ place: SQLCheckpoint?, overlap: SQLOverlap?) {
        self.place = place
        self.overlap = overlap
    }

    /// Whether a row has not been delivered.
    mutating func isNew(_ row: [UInt8]) -> Bool {
        guard let known = place?.delivered[Self.hash(row)], known.count > 0 else { return true }
        met[Self.hash(row), default: 0] += 1
        return met[Self.hash(row), default: 0] > known.count
    }

    /// Enters a row that was appended.
    mutating func note(_ row: [UInt8], at value: SQLValue) throws(ConnectorError) {
        let position = SQLPosition.of(value) ?? 0
        guard var next = place else {
            place = SQLCheckpoint(greatest: value)
            return enter(row, position)
        }
        if next.greatest != value {
            if overlap == nil {
                next.greatest = value
                next.delivered = [:]
                met = [:]
            } else if position >= SQLPosition.of(next.greatest) ?? 0 {
                next.greatest = value
            }
        }
        place = next
        enter(row, position)
        if let count = place?.delivered.count, count > SQLCheckpoint.rows {
            try forget()
            guard place?.delivered.count ?? 0 <= SQLCheckpoint.rows else {
                throw ConnectorError(
                    .configuration,
                    "more than \(SQLCheckpoint.rows) rows share a value of the increasing column or lie within the overlap; take a finer column or a smaller overlap"
                )
            }
        }
    }

    mutating func checkpoint() throws(ConnectorError) -> Checkpoint? {
        try forget()
        return place?.encoded
    }

    private mutating func enter(_ row: [UInt8], _ position: Int64) {
        let hash = Self.hash(row)
        let count = place?.delivered[hash]?.count ?? 0
        place?.delivered[hash] = SQLCheckpoint.Delivered(position: position, count: count + 1)
        met[hash, default: 0] = max(met[hash, default: 0], count + 1)
    }

    /// Rows before the overlap are never asked for again.
    private mutating func forget() throws(ConnectorError) {
        guard let overlap, let greatest = place?.greatest,
            let start = SQLPosition.of(try SQLPosition.start(of: greatest, overlap: overlap))
        else { return }
        let kept = place?.delivered.filter { $0.value.position >= start }
        place?.delivered = kept ?? [:]
    }

    /// The first eight bytes of SHA-256.
    private static func hash(_ row: [UInt8]) -> UInt64 {
        Digest.sha256(row).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
