/// A value on its way to or from a database.
enum SQLValue: Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case binary([UInt8])
}

/// What a column holds, in words that mean the same for all databases.
enum SQLColumnType: String, CaseIterable {
    case integer
    case real
    case decimal
    case boolean
    case text
    case binary
    case date
    case time
    case timestamp

    /// From a type code of ODBC.
    init(code: Int16) {
        switch code {
        case ODBCType.bit: self = .boolean
        case ODBCType.tinyInteger, ODBCType.smallInteger, ODBCType.integer, ODBCType.bigInteger: self = .integer
        case ODBCType.float, ODBCType.real, ODBCType.double: self = .real
        case ODBCType.numeric, ODBCType.decimal: self = .decimal
        case ODBCType.binary, ODBCType.variableBinary, ODBCType.longBinary: self = .binary
        case ODBCType.date: self = .date
        case ODBCType.time: self = .time
        case ODBCType.timestamp: self = .timestamp
        default: self = .text
        }
    }
}

/// A column of a result.
struct SQLColumn: Hashable {
    var name: String
    var type: SQLColumnType
}
