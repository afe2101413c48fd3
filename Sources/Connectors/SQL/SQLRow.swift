import Agent
import Envelope

/// A record as a row: names and values in order.
struct SQLRow {
    var names: [String]
    var values: [SQLValue]
    /// What the source says the columns hold; nil for one it does not tell.
    var types: [SQLColumnType?]

    /// The rows of a delivery: JSON objects as an SQL source makes them, or CSV rows with their header.
    /// - Throws: ``ConnectorError`` of the rejected kind for anything else.
    static func rows(of delivery: Delivery, separator: UInt8) throws(ConnectorError) -> [SQLRow] {
        var records = try DeliveredRecords(delivery)
        var rows: [SQLRow] = []
        var columns: [String: SQLColumnType] = [:]
        var header: (hash: UInt64, names: [String])?
        while let record = try records.next() {
            if let types = records.value(of: SQLHeaderName.columns) { columns = try Self.types(types) }
            guard let value = record.value else { continue }
            if let row = records.csvHeader, let hash = records.csvHeaderHash {
                if header?.hash != hash { header = (hash, CSVRow.names(of: row, separator: separator)) }
                // The empty end of a line that was delivered before.
                if value.isEmpty { continue }
                rows.append(try SQLRow(csv: value, names: header?.names ?? [], separator: separator))
            } else {
                rows.append(try SQLRow(json: value, types: columns))
            }
        }
        return rows
    }

    private init(json: [UInt8], types columns: [String: SQLColumnType]) throws(ConnectorError) {
        names = []
        values = []
        types = []
        do throws(JSONRowParser.Malformed) {
            for (name, value) in try JSONRowParser.parse(json) {
                names.append(name)
                types.append(columns[name])
                values.append(Self.value(of: value, as: columns[name]))
            }
        } catch {
            throw ConnectorError(.rejected, "a record is neither a flat JSON object nor a row with a header")
        }
        if names.isEmpty { throw ConnectorError(.rejected, "a record has no columns") }
    }

    /// Empty fields are NULL, as most programs that write CSV mean them.
    private init(csv: [UInt8], names: [String], separator: UInt8) throws(ConnectorError) {
        let fields = CSVRow.fields(of: csv, separator: separator)
        guard fields.count == names.count else {
            throw ConnectorError(.rejected, "a row has \(fields.count) fields under a header of \(names.count)")
        }
        self.names = names
        types = names.map { _ in nil }
        values = []
        for field in fields {
            guard let text = String(validating: field, as: UTF8.self) else {
                throw ConnectorError(.rejected, "a field of a row is not UTF-8")
            }
            values.append(text.isEmpty ? .null : .text(text))
        }
    }

    private static func types(_ json: [UInt8]) throws(ConnectorError) -> [String: SQLColumnType] {
        guard let members = try? JSONRowParser.parse(json) else {
            throw ConnectorError(.rejected, "the column types of a delivery cannot be read")
        }
        var types: [String: SQLColumnType] = [:]
        for (name, value) in members {
            if case .string(let word) = value { types[name] = SQLColumnType(rawValue: word) }
        }
        return types
    }

    private static func value(of scalar: JSONScalar, as type: SQLColumnType?) -> SQLValue {
        switch scalar {
        case .null: return .null
        case .boolean(let isTrue): return .integer(isTrue ? 1 : 0)
        case .string(let text) where type == .binary: return Base64Text.decode(text).map(SQLValue.binary) ?? .text(text)
        case .string(let text): return .text(text)
        // A decimal keeps its digits: as a binary fraction it would lose them.
        case .number(let digits) where type == .decimal: return .text(digits)
        case .number(let digits):
            if let integer = Int64(digits) { return .integer(integer) }
            return Double(digits).map(SQLValue.real) ?? .text(digits)
        }
    }
}
