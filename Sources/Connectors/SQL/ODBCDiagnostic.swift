import Agent
import CODBC

/// What a driver says about a call that failed.
struct ODBCDiagnostic {
    var state: String
    var nativeCode: Int32
    var message: String

    init(state: String, nativeCode: Int32 = 0, message: String) {
        self.state = state
        self.nativeCode = nativeCode
        self.message = message
    }

    init(kind: SQLSMALLINT, handle: SQLHANDLE?) {
        var code = [SQLWCHAR](repeating: 0, count: 6)
        var text = [SQLWCHAR](repeating: 0, count: 1_024)
        var native: SQLINTEGER = 0
        var length: SQLSMALLINT = 0
        let result = SQLGetDiagRecW(
            kind, handle, 1, &code, &native, &text, SQLSMALLINT(text.count), &length)
        guard result == 0 || result == 1 else {
            self.init(state: "HY000", message: "the driver says nothing about it")
            return
        }
        let used = text.prefix(min(Int(max(0, length)), text.count - 1))
        self.init(
            state: String(decoding: code.prefix(5), as: UTF16.self), nativeCode: native,
            message: String(decoding: used, as: UTF16.self))
    }

    func error(_ action: String, secrets: ConnectionSecrets) -> ConnectorError {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return ConnectorError(kind, "\(action): \(secrets.hidden(in: line)) (SQLSTATE \(state), code \(nativeCode))")
    }

    /// By the class of the SQLSTATE; by the text where the driver has one state for all, as SQLite's has.
    var kind: ConnectorError.Kind {
        let text = message.lowercased()
        func says(_ phrases: String...) -> Bool { phrases.contains { text.contains($0) } }
        switch state.prefix(2) {
        case "22", "23", "44": return .rejected
        case "40", "53", "55", "57", "58": return .transient
        case "08":
            // Drivers report a refused password or a missing database as a failed connection.
            return says("authentication", "access denied", "does not exist", "unknown database")
                ? .configuration : .transient
        case "HY" where state == "HY000", "S1", "01":
            if says("constraint", "datatype mismatch", "string or blob too big", "incorrect", "out of range") {
                return .rejected
            }
            if says(
                "no such", "syntax error", "has no column", "unable to open", "readonly", "read-only", "can't open lib")
                || says("not a database", "already exists", "doesn't have a default")
            {
                return .configuration
            }
            return .transient
        case "HY": return .transient
        default: return .configuration
        }
    }
}

/// The passwords in a connection string, to be kept out of every message.
struct ConnectionSecrets {
    private var values: [String] = []

    init(_ connection: String) {
        for attribute in Self.attributes(of: connection) where Self.names.contains(attribute.name) {
            let value = attribute.value
            values.append(value)
            if value.hasPrefix("{"), value.hasSuffix("}") { values.append(String(value.dropFirst().dropLast())) }
        }
        values.removeAll { $0.isEmpty }
    }

    private static let names: Set<String> = [
        "pwd", "password", "passwd", "pass", "secret", "token", "accesstoken", "sslkeypassword", "authcode",
    ]

    func hidden(in text: String) -> String {
        values.reduce(text) { text, secret in
            text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***")
        }
    }

    /// `name=value` parts; a value in braces may hold semicolons.
    private static func attributes(of text: String) -> [(name: String, value: String)] {
        var attributes: [(String, String)] = []
        var rest = text[...]
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].lowercased().filter { $0 != " " && $0 != ";" }
            rest = rest[rest.index(after: equals)...]
            var end = rest.firstIndex(of: ";") ?? rest.endIndex
            if rest.first == "{", let brace = rest.firstIndex(of: "}") {
                end = rest[brace...].firstIndex(of: ";") ?? rest.endIndex
            }
            attributes.append((name, String(rest[..<end])))
            rest = end == rest.endIndex ? "" : rest[rest.index(after: end)...]
        }
        return attributes
    }
}
