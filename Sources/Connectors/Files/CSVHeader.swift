import Agent
import Envelope

/// The first row of a CSV file, and where the columns that matter are.
struct CSVHeader {
    /// As in the file, without its line end.
    var row: [UInt8]
    var extent: RecordExtent
    private var keyIndex: Int?
    private var timeIndex: Int?
    private let separator: UInt8
    private let timeFormat: TimeFormat

    /// nil where the file does not hold the whole row yet.
    init?(_ file: OpenFile, settings: FilesSourceSettings) throws(ConnectorError) {
        let window = RecordWindow(file, at: 0, kind: .row(separator: settings.separator))
        guard let (content, extent) = try window.next() else { return nil }
        row = Array(window.bytes[content])
        self.extent = extent
        separator = settings.separator
        timeFormat = settings.timeFormat
        let names = CSVRow.names(of: row, separator: separator)
        keyIndex = try Self.index(of: settings.keyColumn, in: names, file: file.path)
        timeIndex = try Self.index(of: settings.timeColumn, in: names, file: file.path)
    }

    /// True where fields must be taken apart to make a record.
    var hasColumns: Bool { keyIndex != nil || timeIndex != nil }

    /// Key and time of a row. The time is nil where there is no time column, and unreadable where it holds
    /// something else.
    func keyAndTime(of row: ArraySlice<UInt8>) -> (key: [UInt8]?, time: ColumnTime) {
        let fields = CSVRow.fields(of: row, separator: separator)
        let key = keyIndex.flatMap { $0 < fields.count ? fields[$0] : nil }
        guard let timeIndex else { return (key, .none) }
        let time = timeIndex < fields.count ? timeFormat.time(of: fields[timeIndex]) : nil
        return (key, time.map(ColumnTime.at) ?? .unreadable)
    }

    enum ColumnTime {
        case none, unreadable
        case at(WallTime)
    }

    private static func index(of column: String?, in names: [String], file: String) throws(ConnectorError) -> Int? {
        guard let column else { return nil }
        if let index = names.firstIndex(of: column) { return index }
        throw ConnectorError(
            .configuration,
            "'\(file)' has no column '\(column)'; its header has: \(names.prefix(20).joined(separator: ", "))")
    }
}
