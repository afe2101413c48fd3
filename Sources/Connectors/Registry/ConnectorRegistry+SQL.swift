import Agent
import Node

extension ConnectorRegistry {
    static func sqlSource(_ reader: ConfigurationReader) throws(ConfigurationError) -> SourceFactory {
        let connection = reader.required("connection", .secret)
        let table = reader.optional("table", .string)
        let query = reader.optional("query", .string)
        if (table == nil) == (query == nil) { reader.report("write either 'table' or 'query'") }
        let rows = query.map(SQLSourceSettings.Rows.query) ?? .table(table ?? "")
        var settings = SQLSourceSettings(
            connection: connection, rows: rows, increasing: reader.required("increasing", .string))
        settings.columns = reader.list("columns", of: .string)
        settings.keyColumns = reader.list("keyColumns", of: .string)
        settings.timeColumn = reader.optional("timeColumn", .string)
        settings.overlap = reader.optional("overlap", .overlap) ?? nil
        let needed = [settings.increasing] + settings.keyColumns + [settings.timeColumn].compactMap { $0 }
        if !settings.columns.isEmpty {
            for name in needed where !name.isEmpty && !settings.columns.contains(name) {
                reader.report("must hold '\(name)', which another key names", at: "columns")
            }
        }
        try reader.finish()
        let checked = settings
        return { () throws(ConnectorError) in SQLSource(checked) }
    }

    static func sqlSink(_ reader: ConfigurationReader) throws(ConfigurationError) -> SinkFactory {
        var settings = SQLSinkSettings(
            connection: reader.required("connection", .secret), table: reader.required("table", .string))
        settings.write = reader.value("write", .word(), default: settings.write)
        settings.key = keys(reader)
        settings.isCreated = reader.value("create", .boolean, default: false)
        settings.separator = reader.value("separator", .separator, default: settings.separator)
        if settings.write == .upsert && settings.key.isEmpty { reader.report("upsert needs a 'key'", at: "write") }
        try reader.finish()
        let checked = settings
        return { () throws(ConnectorError) in SQLSink(checked) }
    }

    /// One column, or a list of them.
    private static func keys(_ reader: ConfigurationReader) -> [String] {
        if case .sequence? = reader.node["key"]?.content { return reader.list("key", of: .string) }
        return reader.optional("key", .string).map { [$0] } ?? []
    }
}

extension ConfigurationFormat where Value == SQLOverlap? {
    /// A number, or a time span.
    static var overlap: Self {
        Self(provisional: nil) { text, _ throws(Mismatch) in
            guard let overlap = SQLOverlap(text) else {
                throw Mismatch("is not an overlap; write a number such as 500, or a time span such as 30s")
            }
            return overlap
        }
    }
}
