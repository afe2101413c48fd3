import Agent
import CODBC

/// Codes of ODBC that are macros with casts, which Swift does not import.
enum ODBCType {
    static let bit: SQLSMALLINT = -7
    static let tinyInteger: SQLSMALLINT = -6
    static let bigInteger: SQLSMALLINT = -5
    static let longBinary: SQLSMALLINT = -4
    static let variableBinary: SQLSMALLINT = -3
    static let binary: SQLSMALLINT = -2
    static let longText: SQLSMALLINT = -10
    static let text: SQLSMALLINT = -9
    static let wide: SQLSMALLINT = -8
    static let characters: SQLSMALLINT = 1
    static let variableText: SQLSMALLINT = 12
    static let longNarrowText: SQLSMALLINT = -1
    static let numeric: SQLSMALLINT = 2
    static let decimal: SQLSMALLINT = 3
    static let integer: SQLSMALLINT = 4
    static let smallInteger: SQLSMALLINT = 5
    static let float: SQLSMALLINT = 6
    static let real: SQLSMALLINT = 7
    static let double: SQLSMALLINT = 8
    static let date: SQLSMALLINT = 91
    static let time: SQLSMALLINT = 92
    static let timestamp: SQLSMALLINT = 93
    /// A 64-bit integer in memory.
    static let signed64: SQLSMALLINT = -25
}

/// A connection to a database through unixODBC, closed when it is let go. Used on one thread.
final class ODBCConnection {
    /// Seconds to wait for a server that does not answer.
    private static let loginTimeout: UInt = 15

    private var environment: SQLHANDLE?
    private(set) var handle: SQLHANDLE?
    private let secrets: ConnectionSecrets
    /// True for a driver that takes UTF-8 and has no functions for UTF-16, as Debian's for SQLite: the driver
    /// manager would narrow each unit of UTF-16 to one byte on the way to it.
    private(set) var isNarrow: Bool

    /// - Parameter text: an ODBC connection string, such as `Driver=SQLite3;Database=/data/plant.db`.
    /// - Throws: ``ConnectorError`` that never holds the string or a password of it.
    init(_ text: String) throws(ConnectorError) {
        secrets = ConnectionSecrets(text)
        isNarrow = text.lowercased().contains("sqlite")
        guard SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_ENV), nil, &environment) == 0 else {
            throw ConnectorError(.transient, "unixODBC has no memory for an environment")
        }
        let version = UnsafeMutableRawPointer(bitPattern: 3)
        SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, version, 0)
        guard SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_DBC), environment, &handle) == 0 else {
            throw ConnectorError(.transient, "unixODBC has no memory for a connection")
        }
        SQLSetConnectAttr(handle, SQL_ATTR_LOGIN_TIMEOUT, UnsafeMutableRawPointer(bitPattern: Self.loginTimeout), 0)
        let code = connect(text)
        try check(code, "cannot connect")
        if product.lowercased().contains("sqlite") { isNarrow = true }
    }

    private func connect(_ text: String) -> SQLRETURN {
        let quietly = SQLUSMALLINT(SQL_DRIVER_NOPROMPT)
        if isNarrow {
            var narrow = Array(text.utf8)
            return SQLDriverConnect(handle, nil, &narrow, SQLSMALLINT(clamping: narrow.count), nil, 0, nil, quietly)
        }
        var wide = Array(text.utf16)
        return SQLDriverConnectW(handle, nil, &wide, SQLSMALLINT(clamping: wide.count), nil, 0, nil, quietly)
    }

    deinit {
        if let handle {
            // A connection with a transaction under way does not let itself be closed.
            SQLEndTran(SQLSMALLINT(SQL_HANDLE_DBC), handle, SQLSMALLINT(SQL_ROLLBACK))
            SQLDisconnect(handle)
            SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_DBC), handle)
        }
        if let environment { SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_ENV), environment) }
    }

    // MARK: Transactions

    /// From here on nothing is durable before ``commit()``.
    func beginTransaction() throws(ConnectorError) { try setAutomaticCommit(false) }

    func commit() throws(ConnectorError) {
        try check(SQLEndTran(SQLSMALLINT(SQL_HANDLE_DBC), handle, SQLSMALLINT(SQL_COMMIT)), "cannot commit")
        try setAutomaticCommit(true)
    }

    private func setAutomaticCommit(_ isOn: Bool) throws(ConnectorError) {
        let value = UnsafeMutableRawPointer(bitPattern: isOn ? UInt(SQL_AUTOCOMMIT_ON) : UInt(SQL_AUTOCOMMIT_OFF))
        let code = SQLSetConnectAttr(handle, SQL_ATTR_AUTOCOMMIT, value, SQL_IS_UINTEGER)
        try check(code, "cannot begin or end a transaction")
    }

    // MARK: Facts

    /// The product's own name, such as `PostgreSQL`.
    lazy var product: String = information(SQLUSMALLINT(SQL_DBMS_NAME))

    /// A name as an identifier, in the quotes the product takes; a dot parts schema and table.
    func quoted(_ name: String) -> String {
        let mark = quotationMark
        return name.split(separator: ".", omittingEmptySubsequences: false).map { part in
            mark + part.split(separator: mark, omittingEmptySubsequences: false).joined(separator: mark + mark) + mark
        }.joined(separator: ".")
    }

    /// A column's name as an identifier; a dot in it is part of the name.
    func quotedColumn(_ name: String) -> String {
        let mark = quotationMark
        return mark + name.split(separator: mark, omittingEmptySubsequences: false).joined(separator: mark + mark)
            + mark
    }

    /// Whether a table, given as a quoted name, can be read. Asked before it is made: making one needs a right that
    /// an account may well not have, even where the table is there already.
    func hasTable(_ table: String) -> Bool {
        do throws(ConnectorError) {
            try ODBCStatement.run("SELECT 1 FROM \(table) WHERE 1 = 0", on: self)
            return true
        } catch {
            return false
        }
    }

    private lazy var quotationMark: String = {
        let mark = information(SQLUSMALLINT(SQL_IDENTIFIER_QUOTE_CHAR))
        return mark.isEmpty || mark == " " ? "\"" : mark
    }()

    private func information(_ item: SQLUSMALLINT) -> String {
        var buffer = [SQLWCHAR](repeating: 0, count: 256)
        var length: SQLSMALLINT = 0
        guard (0...1).contains(SQLGetInfoW(handle, item, &buffer, SQLSMALLINT(buffer.count * 2), &length)) else {
            return ""
        }
        return String(decoding: buffer.prefix(max(0, Int(length) / 2)), as: UTF16.self)
    }

    // MARK: Errors

    func check(
        _ code: SQLRETURN, _ action: String, of kind: Int32 = SQL_HANDLE_DBC, _ subject: SQLHANDLE? = nil
    ) throws(ConnectorError) {
        if code == 0 || code == 1 || code == SQLRETURN(SQL_NO_DATA) { return }
        let diagnostic = ODBCDiagnostic(kind: SQLSMALLINT(kind), handle: subject ?? handle)
        throw diagnostic.error(action, secrets: secrets)
    }
}
