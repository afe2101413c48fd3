import Agent
import Node

extension ConnectorRegistry {
    static func filesSource(_ reader: ConfigurationReader) throws(ConfigurationError) -> SourceFactory {
        let path = trimmed(reader.required("path", .path))
        let pattern = reader.optional("pattern", .string)
        var settings = FilesSourceSettings(directory: path, mode: reader.required("mode", .word()))
        let isCSV = settings.mode == .csv
        settings.isRecursive = reader.value("recursive", .boolean, default: false)
        settings.stableFor = reader.value("stableFor", .duration(), default: settings.stableFor)
        settings.chunkBytes = reader.value(
            "chunkBytes", .byteSize(in: 1...FilesSourceSettings.largestChunk), default: settings.chunkBytes)
        settings.separator = reader.value("separator", .separator, default: settings.separator)
        settings.keyColumn = reader.optional("keyColumn", .string)
        settings.timeColumn = reader.optional("timeColumn", .string)
        settings.timeFormat = reader.value("timeFormat", .timeFormat, default: settings.timeFormat)
        settings.afterwards = reader.value("after", .word(), default: settings.afterwards)
        settings.moveTo = reader.value("moveTo", .string, default: settings.moveTo)
        if !isCSV && reader.isFaultless && (settings.keyColumn ?? settings.timeColumn) != nil {
            reader.report(
                "columns are known in mode csv only", at: settings.keyColumn != nil ? "keyColumn" : "timeColumn")
        }
        if (try? OutputName(settings.moveTo)) == nil {
            reader.report("must be a name below the directory, without '..'", at: "moveTo")
        }
        try reader.finish()
        let checked = settings
        return { () throws(ConnectorError) in
            FilesSource(try located(checked, path: path, pattern: pattern))
        }
    }

    static func filesSink(_ reader: ConfigurationReader) throws(ConfigurationError) -> SinkFactory {
        let directory = trimmed(reader.required("directory", .path))
        let mode: FilesSinkSettings.Mode = reader.value("mode", .word(), default: .append)
        let format: FilesSinkSettings.Format = reader.value("format", .word(), default: .lines)
        let usual = mode == .whole ? "{path}" : format == .csv ? "{topic}.csv" : "{topic}.log"
        let name = reader.value("name", .string, default: usual)
        let template = OutputTemplate(name)
        if template == nil {
            reader.report("may hold {topic}, {source} and {path} and no other braces", at: "name")
        }
        try reader.finish()
        guard let template else { throw ConfigurationError([]) }
        let settings = FilesSinkSettings(directory: directory, mode: mode, name: template, format: format)
        return { () throws(ConnectorError) in FilesSink(settings) }
    }

    /// A path without a pattern may be a directory or one file. One that is not there yet is taken for a file where
    /// its last part has a dot in it.
    private static func located(
        _ settings: FilesSourceSettings, path: String, pattern: String?
    ) throws(ConnectorError) -> FilesSourceSettings {
        var settings = settings
        if let pattern {
            settings.pattern = pattern
            return settings
        }
        let name = path.split(separator: "/").last ?? ""
        let isFile = try FileStatus.at(path).map { $0.kind != .directory } ?? name.contains(".")
        if isFile {
            let file = FilesSourceSettings(file: path, mode: settings.mode)
            (settings.directory, settings.pattern) = (file.directory, file.pattern)
        }
        return settings
    }

    private static func trimmed(_ path: String) -> String {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }
}

extension ConfigurationFormat where Value == UInt8 {
    /// The one character between the fields of a row.
    static var separator: Self {
        Self(provisional: UInt8(ascii: ",")) { text, _ throws(Mismatch) in
            if text == "tab" || text == "\\t" { return UInt8(ascii: "\t") }
            guard let byte = text.utf8.first, text.utf8.count == 1, byte >= 0x20, byte != UInt8(ascii: "\"") else {
                throw Mismatch("is not a separator; write one character such as ',' or ';', or the word tab")
            }
            return byte
        }
    }
}

extension ConfigurationFormat where Value == TimeFormat {
    /// A word or a pattern of a time.
    static var timeFormat: Self {
        Self(provisional: .iso8601) { text, _ throws(Mismatch) in
            guard let format = TimeFormat(text) else {
                throw Mismatch(
                    "is not a time format; write iso8601, unix, unixMilliseconds or a pattern such as '%d.%m.%Y %H:%M:%S'"
                )
            }
            return format
        }
    }
}
