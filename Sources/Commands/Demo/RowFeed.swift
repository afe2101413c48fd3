import Glibc

/// Rows of a CSV file that are given out in portions: as they stand, or as rows of a table.
struct RowFeed: Sendable {
    let header: [UInt8]
    /// With their line ends, so that all together are the file byte for byte.
    let rows: [[UInt8]]
    private(set) var fed = 0

    init(_ bytes: [UInt8]) {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(Array(rest[...end]))
            rest = rest[(end + 1)...]
        }
        if !rest.isEmpty { lines.append(Array(rest)) }
        header = lines.first ?? []
        rows = Array(lines.dropFirst())
    }

    var isOver: Bool { fed == rows.count }

    /// How many rows stand before a share of the whole.
    func mark(_ share: Double) -> Int { Int((Double(rows.count) * min(1, max(0, share))).rounded()) }

    /// The rows up to a place, from the last one given out.
    mutating func take(to mark: Int) -> [[UInt8]] {
        let end = min(max(mark, fed), rows.count)
        defer { fed = end }
        return Array(rows[fed..<end])
    }
}

/// The two sources of the demo in plant-a.
struct DemoInput {
    private(set) var temperatures: RowFeed
    private(set) var weather: RowFeed
    let place: DemoPlace

    static let weatherColumns = "id, date, precipitation, temp_max, temp_min, wind, weather"

    init(_ place: DemoPlace, _ sources: DemoSources) throws(Failure) {
        self.place = place
        temperatures = RowFeed(try LocalFile.read(sources.temperatures, limit: 64 << 20))
        weather = RowFeed(try LocalFile.read(sources.weather, limit: 64 << 20))
    }

    /// Makes the file with its header row, and the table, both without rows.
    func create() throws(Failure) {
        try LocalFile.write(temperatures.header, to: place.temperatures, mode: 0o600, replaces: true)
        _ = try SQLiteTool.run(
            """
            CREATE TABLE weather (id INTEGER PRIMARY KEY, date TEXT NOT NULL, precipitation REAL, temp_max REAL,
                temp_min REAL, wind REAL, weather TEXT);
            """, on: place.weather)
    }

    /// Appends and inserts up to a share of all rows.
    mutating func feed(to share: Double) throws(Failure) {
        let lines = temperatures.take(to: temperatures.mark(share))
        if !lines.isEmpty { try append(Array(lines.joined())) }
        let first = weather.fed + 1
        let rows = weather.take(to: weather.mark(share))
        // A command line has an end.
        for start in stride(from: 0, to: rows.count, by: 500) {
            let part = rows[start..<min(start + 500, rows.count)]
            let tuples = zip((first + start)..., part).map { Self.tuple(id: $0, $1) }
            _ = try SQLiteTool.run(
                "INSERT INTO weather (\(Self.weatherColumns)) VALUES " + tuples.joined(separator: ",") + ";",
                on: place.weather)
        }
    }

    /// Ends the last row of the file where it has no line end, so that others may append theirs.
    func endLine() throws(Failure) {
        if let last = temperatures.rows.last, last.last != UInt8(ascii: "\n") { try append([UInt8(ascii: "\n")]) }
    }

    /// A row of the weather file as values of a statement: the date, four figures, a word.
    static func tuple(id: Int, _ row: [UInt8]) -> String {
        let text = String(decoding: row, as: UTF8.self)
        let fields = text.split(separator: ",", omittingEmptySubsequences: false).map { field in
            let trimmed = field.filter { $0 != "\n" && $0 != "\r" && $0 != "\r\n" }
            return Double(trimmed) != nil ? trimmed : "'" + trimmed.replacing("'", with: "''") + "'"
        }
        return "(\(id)," + fields.joined(separator: ",") + ")"
    }

    private func append(_ bytes: [UInt8]) throws(Failure) {
        let descriptor = open(place.temperatures, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure("cannot write \(place.temperatures): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            throw Failure("cannot write \(place.temperatures): \(String(cString: strerror(errno)))")
        }
    }
}
