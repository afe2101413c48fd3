import Agent
import CODBC

/// A prepared statement. Used on one thread, and not after its connection is gone.
final class ODBCStatement {
    /// Bytes of one value; a longer one belongs into a file.
    static let longestValue = 8 << 20

    private let connection: ODBCConnection
    private var handle: SQLHANDLE?
    private var parameters: [ParameterBuffer] = []
    private(set) var columns: [SQLColumn] = []

    init(_ sql: String, on connection: ODBCConnection) throws(ConnectorError) {
        self.connection = connection
        try connection.check(
            SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_STMT), connection.handle, &handle), "cannot make a statement")
        try check(prepare(sql), "cannot prepare a statement")
    }

    deinit { if let handle { SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_STMT), handle) } }

    private func prepare(_ sql: String) -> SQLRETURN {
        if connection.isNarrow {
            var narrow = Array(sql.utf8)
            return SQLPrepare(handle, &narrow, SQLINTEGER(clamping: narrow.count))
        }
        var wide = Array(sql.utf16)
        return SQLPrepareW(handle, &wide, SQLINTEGER(clamping: wide.count))
    }

    /// Runs a statement that gives no rows.
    static func run(_ sql: String, on connection: ODBCConnection) throws(ConnectorError) {
        let statement = try ODBCStatement(sql, on: connection)
        try statement.execute()
    }

    /// Runs the statement; where it gives rows, ``fetch()`` brings them.
    func execute(_ values: [SQLValue] = []) throws(ConnectorError) {
        SQLFreeStmt(handle, SQLUSMALLINT(SQL_CLOSE))
        while parameters.count < values.count { parameters.append(ParameterBuffer()) }
        for (index, value) in values.enumerated() {
            let code = parameters[index].bind(
                value, at: SQLUSMALLINT(index + 1), of: handle, isNarrow: connection.isNarrow)
            try check(code, "cannot bind a value")
        }
        try check(SQLExecute(handle), "cannot run a statement")
        if columns.isEmpty { columns = try describe() }
    }

    /// The next row; nil behind the last one.
    func fetch() throws(ConnectorError) -> [SQLValue]? {
        let code = SQLFetch(handle)
        if code == SQLRETURN(SQL_NO_DATA) { return nil }
        try check(code, "cannot fetch a row")
        var row: [SQLValue] = []
        row.reserveCapacity(columns.count)
        for index in columns.indices { row.append(try value(at: index)) }
        return row
    }

    /// Ends the reading of rows, so that the connection can do something else.
    func close() { SQLFreeStmt(handle, SQLUSMALLINT(SQL_CLOSE)) }

    private func check(_ code: SQLRETURN, _ action: String) throws(ConnectorError) {
        try connection.check(code, action, of: SQL_HANDLE_STMT, handle)
    }

    // MARK: Columns

    private func describe() throws(ConnectorError) -> [SQLColumn] {
        var count: SQLSMALLINT = 0
        try check(SQLNumResultCols(handle, &count), "cannot describe a result")
        var columns: [SQLColumn] = []
        for index in 0..<max(0, Int(count)) {
            columns.append(try column(at: index))
        }
        return columns
    }

    private func column(at index: Int) throws(ConnectorError) -> SQLColumn {
        let number = SQLUSMALLINT(index + 1)
        var narrow = [SQLCHAR](repeating: 0, count: 512)
        var wide = [SQLWCHAR](repeating: 0, count: 512)
        var length: SQLSMALLINT = 0
        var type: SQLSMALLINT = 0
        var size: SQLULEN = 0
        var digits: SQLSMALLINT = 0
        var nullable: SQLSMALLINT = 0
        let code =
            connection.isNarrow
            ? SQLDescribeCol(handle, number, &narrow, 512, &length, &type, &size, &digits, &nullable)
            : SQLDescribeColW(handle, number, &wide, 512, &length, &type, &size, &digits, &nullable)
        try check(code, "cannot describe a column")
        let used = min(Int(max(0, length)), 511)
        let name =
            connection.isNarrow
            ? String(decoding: narrow.prefix(used), as: UTF8.self) : String(decoding: wide.prefix(used), as: UTF16.self)
        return SQLColumn(name: name, type: SQLColumnType(code: type))
    }

    private func value(at index: Int) throws(ConnectorError) -> SQLValue {
        switch columns[index].type {
        case .real:
            var number = 0.0
            var indicator: SQLLEN = 0
            let code = SQLGetData(handle, SQLUSMALLINT(index + 1), ODBCType.double, &number, 8, &indicator)
            try check(code, "cannot read a value")
            return indicator == SQLLEN(SQL_NULL_DATA) ? .null : .real(number)
        case .binary:
            return try bytes(at: index, as: ODBCType.binary, terminator: 0).map(SQLValue.binary) ?? .null
        case .integer, .boolean, .decimal, .text, .date, .time, .timestamp:
            guard let text = try text(at: index) else { return .null }
            return columns[index].type == .integer ? Int64(text).map(SQLValue.integer) ?? .text(text) : .text(text)
        }
    }

    private func text(at index: Int) throws(ConnectorError) -> String? {
        if connection.isNarrow {
            return try bytes(at: index, as: ODBCType.characters, terminator: 1).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        return try bytes(at: index, as: ODBCType.wide, terminator: 2).map { bytes in
            bytes.withUnsafeBytes { String(decoding: $0.bindMemory(to: UInt16.self), as: UTF16.self) }
        }
    }

    /// A value of any length, piece by piece; nil for NULL. Each piece of text ends with a terminator.
    private func bytes(at index: Int, as type: SQLSMALLINT, terminator: Int) throws(ConnectorError) -> [UInt8]? {
        var whole: [UInt8] = []
        var room = 512
        while true {
            var indicator: SQLLEN = 0
            var buffer = [UInt8](repeating: 0, count: room)
            let code = SQLGetData(handle, SQLUSMALLINT(index + 1), type, &buffer, SQLLEN(room), &indicator)
            if code == SQLRETURN(SQL_NO_DATA) { return whole }
            try check(code, "cannot read a value")
            if indicator == SQLLEN(SQL_NULL_DATA) { return nil }
            let isLast = code == 0 || (indicator >= 0 && Int(indicator) <= room - terminator)
            whole += buffer.prefix(
                isLast && indicator >= 0 ? min(Int(indicator), room - terminator) : room - terminator)
            if isLast { return whole }
            guard whole.count <= Self.longestValue else {
                throw ConnectorError(
                    .configuration,
                    "a value of column '\(columns[index].name)' is longer than \(Self.longestValue) bytes; leave the column out"
                )
            }
            room = 64 << 10
        }
    }
}

/// The memory a bound value lives in until its statement has run.
private final class ParameterBuffer {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
    private let indicator = UnsafeMutablePointer<SQLLEN>.allocate(capacity: 1)

    deinit {
        memory.deallocate()
        indicator.deallocate()
    }

    func bind(
        _ value: SQLValue, at number: SQLUSMALLINT, of statement: SQLHANDLE?, isNarrow: Bool
    ) -> SQLRETURN {
        switch value {
        case .null:
            indicator.pointee = SQLLEN(SQL_NULL_DATA)
            return bind(number, statement, ODBCType.characters, ODBCType.variableText, size: 1)
        case .integer(let integer):
            withUnsafeBytes(of: integer) { store($0) }
            return bind(number, statement, ODBCType.signed64, ODBCType.bigInteger, size: 19)
        case .real(let real):
            withUnsafeBytes(of: real) { store($0) }
            return bind(number, statement, ODBCType.double, ODBCType.double, size: 15)
        case .text(let text) where isNarrow:
            let units = Array(text.utf8)
            units.withUnsafeBytes { store($0) }
            let type = units.count > 4_000 ? ODBCType.longNarrowText : ODBCType.variableText
            return bind(number, statement, ODBCType.characters, type, size: max(1, units.count))
        case .text(let text):
            let units = Array(text.utf16)
            units.withUnsafeBytes { store($0) }
            let type = units.count > 4_000 ? ODBCType.longText : ODBCType.text
            return bind(number, statement, ODBCType.wide, type, size: max(1, units.count))
        case .binary(let bytes):
            bytes.withUnsafeBytes { store($0) }
            let type = bytes.count > 4_000 ? ODBCType.longBinary : ODBCType.variableBinary
            return bind(number, statement, ODBCType.binary, type, size: max(1, bytes.count))
        }
    }

    private func store(_ bytes: UnsafeRawBufferPointer) {
        if memory.count < bytes.count {
            memory.deallocate()
            memory = .allocate(byteCount: bytes.count * 2, alignment: 8)
        }
        memory.copyMemory(from: bytes)
        indicator.pointee = SQLLEN(bytes.count)
    }

    private func bind(
        _ number: SQLUSMALLINT, _ statement: SQLHANDLE?, _ inMemory: SQLSMALLINT, _ type: SQLSMALLINT, size: Int
    ) -> SQLRETURN {
        SQLBindParameter(
            statement, number, SQLSMALLINT(SQL_PARAM_INPUT), inMemory, type, SQLULEN(size), 0, memory.baseAddress,
            SQLLEN(memory.count), indicator)
    }
}
