import TestSupport

/// Everything that plant-a collects in the tests of delivery, and what must be in plant-b in the end: lines and rows of
/// growing files, whole files, rows of a database.
///
/// Input lies in `input`, output in `output`, both beside the mesh's own directory.
struct DataSet {
    private let place: TemporaryDirectory
    private var generator: SeededGenerator
    private(set) var lines: [UInt8] = []
    private(set) var rows: [UInt8] = Array("id,time,value\n".utf8)
    private(set) var files: [String: [UInt8]] = [:]
    private(set) var databaseRows = 0
    private var rowCount = 0

    static let jobs = [
        job("lines", "{kind: files, path: ../../input/lines.txt, mode: lines}"),
        job("rows", "{kind: files, path: ../../input/rows.csv, mode: csv, keyColumn: id}"),
        job("whole", "{kind: files, path: ../../input/whole, mode: whole, chunkBytes: 32KiB, stableFor: 100ms}"),
    ]

    static let sinks = [
        "{name: lines, topics: [lines], sink: {kind: files, directory: ../../output/lines, name: lines.txt}}",
        "{name: rows, topics: [rows], sink: {kind: files, directory: ../../output/rows, format: csv, name: rows.csv}}",
        "{name: whole, topics: [whole], sink: {kind: files, directory: ../../output/whole, mode: whole}}",
    ]

    /// Jobs and sinks of the database need the whole path of its file.
    static func databaseJob(_ place: TemporaryDirectory) -> String {
        let connection = "Driver=SQLite3;Database=\(place.path("input/source.db"));Timeout=10000"
        return job("table", "{kind: sql, connection: \"\(connection)\", table: readings, increasing: id}")
    }

    /// The same rows twice: inserted, where a repeated one would show, and with a key, where one would be replaced.
    static func databaseSinks(_ place: TemporaryDirectory) -> [String] {
        let connection = "Driver=SQLite3;Database=\(place.path("output/sink.db"));Timeout=10000"
        return [
            "{name: table, topics: [table], sink: {kind: sql, connection: \"\(connection)\", table: readings, "
                + "write: insert, create: true}}"
        ]
    }

    private static func job(_ name: String, _ source: String) -> String {
        "{name: \(name), to: plant-b/agent-1, schedule: {every: 100ms}, batchBytes: 8KiB, linger: 0ms, "
            + "source: \(source)}"
    }

    init(in place: TemporaryDirectory, seed: UInt64) async throws {
        self.place = place
        generator = SeededGenerator(seed)
        for name in ["input", "input/whole", "output", "output/whole"] { try place.makeDirectory(name) }
        try place.write("", to: "input/lines.txt")
        try place.write(rows, to: "input/rows.csv")
        try await sqlite("input/source.db", "CREATE TABLE readings(id INTEGER PRIMARY KEY, name TEXT, value REAL)")
    }

    /// Appends to every source.
    mutating func grow(round: Int, lines lineCount: Int = 300, rows addedRows: Int = 300) async throws {
        var text = ""
        for _ in 0..<lineCount {
            text +=
                "round \(round) \(generator.next()) "
                + String(repeating: "x", count: Int.random(in: 0...120, using: &generator)) + "\n"
        }
        try place.write(text, to: "input/lines.txt", appending: true)
        lines += Array(text.utf8)
        text = ""
        for _ in 0..<addedRows {
            rowCount += 1
            text += "\(rowCount),2026-11-21T09:00:00Z,\"quoted, \(generator.next())\"\n"
        }
        try place.write(text, to: "input/rows.csv", appending: true)
        rows += Array(text.utf8)
        let bytes = (0..<Int.random(in: 1...150_000, using: &generator)).map { _ in
            UInt8(truncatingIfNeeded: generator.next())
        }
        try place.write(bytes, to: "input/whole/file-\(round).bin")
        files["file-\(round).bin"] = bytes
        databaseRows += addedRows
        try await sqlite(
            "input/source.db",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(addedRows)) "
                + "INSERT INTO readings(name, value) SELECT 'round \(round) row ' || i, i * 0.5 FROM n")
    }

    /// Runs statements in a database file and gives what they answer.
    @discardableResult
    func sqlite(_ name: String, _ statements: String) async throws -> String {
        try await mustRun(["sqlite3", "-cmd", ".timeout 20000", place.path(name), statements])
    }

    /// Waits until everything is in plant-b, once and equal.
    func awaitDelivery(_ bed: Testbed, within limit: Duration = .seconds(60)) async throws {
        try await bed.awaitFile("output/lines/lines.txt", is: lines, within: limit)
        try await bed.awaitFile("output/rows/rows.csv", is: rows, within: limit)
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            try await bed.awaitFile("output/whole/\(name)", is: bytes, within: limit)
        }
        try await awaitRows(bed, within: limit)
        // The sink's own notes lie in a hidden directory.
        let extra = TemporaryDirectory.files(below: place.path("output/whole")).filter { path in
            !path.contains("/.") && files[path.split(separator: "/").last.map(String.init) ?? ""] == nil
        }
        guard extra.isEmpty else { throw SystemFailure(text: "files that nobody sent: \(extra)") }
    }

    private func awaitRows(_ bed: Testbed, within limit: Duration) async throws {
        var last = ""
        try await eventually("all rows are in the database", within: limit, detail: "\(last)\n\(bed.tails)") {
            last = try await sqlite("output/sink.db", "SELECT count(*), count(DISTINCT id) FROM readings")
            return (Int(last.prefix { $0 != "|" }) ?? 0) >= databaseRows
        }
        let wanted = try await sqlite("input/source.db", "SELECT id, name, value FROM readings ORDER BY id")
        let found = try await sqlite("output/sink.db", "SELECT id, name, value FROM readings ORDER BY id")
        guard wanted == found else {
            let repeated = try await sqlite(
                "output/sink.db", "SELECT id, count(*) FROM readings GROUP BY id HAVING count(*) > 1 LIMIT 5")
            throw SystemFailure(
                text:
                    "the tables differ: \(wanted.utf8.count) bytes as text in plant-a, \(found.utf8.count) in plant-b; "
                    + "repeated: \(repeated)")
        }
    }
}
