/// The columns of a table that is to be made, guessed from records where their source does not tell.
struct SQLTableShape {
    var columns: [SQLColumn]

    /// - Parameter rows: rows of one shape, at least one.
    init(_ rows: [SQLRow]) {
        guard let first = rows.first else {
            columns = []
            return
        }
        columns = first.names.indices.map { index in
            let type = first.types[index] ?? Self.guess(rows.map { $0.values[index] })
            return SQLColumn(name: first.names[index], type: type)
        }
    }

    /// The narrowest type that takes all values just as they are written: `007` is text, not 7.
    private static func guess(_ values: [SQLValue]) -> SQLColumnType {
        let present = values.filter { $0 != .null }
        if present.isEmpty { return .text }
        if present.allSatisfy(isInteger) { return .integer }
        return present.allSatisfy(isNumber) ? .real : .text
    }

    private static func isInteger(_ value: SQLValue) -> Bool {
        switch value {
        case .integer: true
        case .text(let text): Int64(text).map { String($0) == text } ?? false
        case .null, .real, .binary: false
        }
    }

    /// Up to 15 digits survive the way through a binary fraction.
    private static func isNumber(_ value: SQLValue) -> Bool {
        switch value {
        case .integer, .real: true
        case .text(let text):
            JSONNumber.isNumber(text.utf8) && text.filter(\.isNumber).count <= 15
                && !text.contains { "eE".contains($0) }
        case .null, .binary: false
        }
    }
}

/// What a database calls the types of columns. Only names differ here; all statements are the same for all.
struct SQLDialect {
    private enum Product { case sqlite, postgreSQL, mariaDB, other }

    private let product: Product

    init(product: String) {
        let name = product.lowercased()
        self.product =
            name.contains("sqlite")
            ? .sqlite
            : name.contains("postgres")
                ? .postgreSQL : name.contains("maria") || name.contains("mysql") ? .mariaDB : .other
    }

    func name(of type: SQLColumnType, isKey: Bool) -> String {
        switch type {
        case .integer: return "BIGINT"
        case .real: return "DOUBLE PRECISION"
        case .boolean: return "SMALLINT"
        case .date: return "DATE"
        case .time: return "TIME"
        case .decimal: return product == .sqlite ? "TEXT" : product == .mariaDB ? "DECIMAL(65,30)" : "NUMERIC"
        case .timestamp: return product == .mariaDB ? "DATETIME(6)" : "TIMESTAMP"
        case .binary: return product == .postgreSQL ? "BYTEA" : product == .mariaDB ? "LONGBLOB" : "BLOB"
        case .text:
            // A key needs a length where the database has no index on text of any.
            if isKey { return "VARCHAR(255)" }
            return product == .mariaDB ? "LONGTEXT" : "TEXT"
        }
    }
}
