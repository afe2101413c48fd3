import Agent
import Envelope
import Testing

@testable import Connectors

/// One suite, one test at a time: the servers are shared, and one of the tests throws everybody out.
@Suite("SQL", .serialized)
struct SQLTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func prepare(
        _ database: TestDatabase, _ table: String, _ columns: String
    ) throws -> (connection: ODBCConnection, text: String) {
        let text = try database.connection(in: directory)
        let connection = try ODBCConnection(text)
        for name in [table, "target", SQLMarks.table] { try connection.run("DROP TABLE IF EXISTS \(name)") }
        try connection.run("CREATE TABLE \(table) (\(columns))")
        return (connection, text)
    }

    private func source(
        _ text: String, _ table: String, by increasing: String = "id",
        _ change: (inout SQLSourceSettings) -> Void = { _ in }
    ) -> SQLSource {
        var settings = SQLSourceSettings(connection: text, rows: .table(table), increasing: increasing)
        change(&settings)
        return SQLSource(settings, clocks: TestClocks().clocks)
    }

    private func sink(
        _ text: String, _ table: String, _ change: (inout SQLSinkSettings) -> Void = { _ in }
    ) -> SQLSink {
        var settings = SQLSinkSettings(connection: text, table: table)
        change(&settings)
        return SQLSink(settings, clocks: TestClocks().clocks)
    }

    @Test("Values of every type cross two tables unchanged", arguments: TestDatabase.allCases)
    func types(database: TestDatabase) throws {
        let (connection, text) = try prepare(
            database, "types",
            "id BIGINT PRIMARY KEY, r DOUBLE PRECISION, d NUMERIC(30,10), t VARCHAR(300), b \(database.binaryType), "
                + "s TIMESTAMP NULL, day DATE")
        let long = String(repeating: "ß", count: 250)
        let values = [
            "-9223372036854775808, 0.1, 12345678901234567890.1234567891, 'plain', \(database.binary("00ff80")), "
                + "'2026-03-01 12:34:56', '2026-03-01'",
            "2, 0.30000000000000004, 0.5, 'Öl \u{1F6E2} \"quoted\"', \(database.binary("")), NULL, NULL",
            "3, 1e-300, -1, '\(long)', NULL, NULL, NULL",
            "4, NULL, NULL, '', NULL, NULL, NULL",
            "9223372036854775807, 5, 7, 'tab\tand \n line', NULL, '1999-12-31 23:59:59', '1999-12-31'",
        ]
        for row in values { try connection.run("INSERT INTO types VALUES (\(row))") }
        let drained = try source(text, "types") {
            $0.keyColumns = ["id"]
            $0.timeColumn = "s"
        }.drain()
        let records = try drained.records()
        #expect(records.count == 5)
        #expect(records.map(\.key) == ["-9223372036854775808", "2", "3", "4", "9223372036854775807"])
        #expect(records[0].value.hasPrefix("{\"id\":-9223372036854775808,\"r\":0.1,\"d\":"))
        #expect(records[0].value.contains("\"t\":\"plain\",\"b\":\"AP+A\",\"s\":\"2026-03-01 12:34:56"))
        if database != .sqlite { #expect(records[0].value.contains("\"d\":12345678901234567890.1234567891,")) }
        #expect(records[0].time == WallTime(milliseconds: 1_772_368_496_000))
        #expect(records[1].quality == .uncertain)
        #expect(records[1].value.contains("\"t\":\"Öl \u{1F6E2} \\\"quoted\\\"\",\"b\":\"\",\"s\":null"))
        // SQLite's driver hands reals over as text of 15 digits.
        let real = database == .sqlite ? "0.3" : "0.30000000000000004"
        #expect(records[1].value.contains("\"r\":\(real),"))
        #expect(records[2].value.contains(long))
        #expect(records[4].value.contains("\"t\":\"tab\\tand \\n line\""))

        let sink = sink(text, "target") { $0.isCreated = true }
        var stream = TestStream()
        try sink.apply(stream.deliveries(drained.batches))
        let copied = try source(text, "target") { $0.keyColumns = ["id"] }.drain().records()
        // The wider type of the copy may show more zeros; what a number is stays the same.
        func comparable(_ records: [Seen]) throws -> [[JSONScalar]] {
            try records.map { record in
                try JSONRowParser.parse(Array(record.value.utf8)).map { member in
                    if member.name == "s", case .string(let text) = member.value {
                        return .string(String(text.prefix(19)))
                    }
                    guard member.name == "d", case .number(let digits) = member.value, digits.contains(".") else {
                        return member.value
                    }
                    let trimmed = digits.reversed().drop { $0 == "0" }.reversed()
                    return .number(String(trimmed.last == "." ? trimmed.dropLast() : trimmed[...]))
                }
            }
        }
        #expect(try comparable(copied) == comparable(records))
    }

    @Test(
        "Rows that share a value are neither lost nor repeated, wherever a batch ends", arguments: TestDatabase.allCases
    )
    func ties(database: TestDatabase) throws {
        let (connection, text) = try prepare(database, "ties", "seen BIGINT, name VARCHAR(40)")
        var expected: [String] = []
        for value in 0..<8 {
            for number in 0..<5 {
                // Two of the five are equal in every column.
                let name = "row \(max(1, number))"
                try connection.run("INSERT INTO ties VALUES (\(value), '\(name)')")
                expected.append("{\"seen\":\(value),\"name\":\"\(name)\"}")
            }
        }
        let drained = try source(text, "ties", by: "seen").drain(limit: 150)
        #expect(drained.batches.count > 10)
        #expect(try drained.values().sorted() == expected.sorted())
        // A fresh source, after each place.
        var done = 0
        for (index, bytes) in drained.batches.enumerated() {
            var reader = try RecordBatch.Reader(bytes)
            done += try reader.remaining().count
            let rest = try source(text, "ties", by: "seen").drain(after: drained.checkpoints[index], limit: 150)
            #expect(try rest.values().count == expected.count - done)
        }
        // A late row at the last value is found; a NULL is not a place.
        try connection.run("INSERT INTO ties VALUES (7, 'late')")
        try connection.run("INSERT INTO ties VALUES (NULL, 'nowhere')")
        let late = try source(text, "ties", by: "seen").drain(after: drained.checkpoint)
        #expect(try late.values() == ["{\"seen\":7,\"name\":\"late\"}"])
        #expect(try source(text, "ties", by: "seen").drain(after: late.checkpoint).batches.isEmpty)
    }

    @Test("Rows committed late are found within the overlap", arguments: TestDatabase.allCases)
    func overlap(database: TestDatabase) throws {
        let (connection, text) = try prepare(database, "late", "id BIGINT, at TIMESTAMP NULL")
        func insert(_ numbers: some Swift.Sequence<Int>) throws {
            for number in numbers {
                let second = number < 10 ? "0\(number)" : "\(number)"
                try connection.run("INSERT INTO late VALUES (\(number), '2026-03-01 00:00:\(second)')")
            }
        }
        func read(_ place: Checkpoint?, by column: String, _ overlap: SQLOverlap) throws -> (Checkpoint?, [String?]) {
            let drained = try source(text, "late", by: column) {
                $0.overlap = overlap
                $0.keyColumns = ["id"]
            }.drain(after: place, limit: 200)
            return (drained.checkpoint ?? place, try drained.records().map(\.key))
        }
        try insert([1, 2, 3, 20, 25, 30])
        let (numbers, first) = try read(nil, by: "id", .number(10))
        let (times, second) = try read(nil, by: "at", .time(.seconds(10)))
        #expect(first == ["1", "2", "3", "20", "25", "30"] && second == first)
        try insert([15, 22, 29, 31])
        #expect(try read(numbers, by: "id", .number(10)).1 == ["22", "29", "31"])
        let (after, found) = try read(times, by: "at", .time(.seconds(10)))
        #expect(found == ["22", "29", "31"])
        #expect(try read(after, by: "at", .time(.seconds(10))).1.isEmpty)
        let error = try #require(throws: ConnectorError.self) { try read(numbers, by: "id", .time(.seconds(1))) }
        #expect(error.kind == .configuration)
    }

    @Test("A query is asked from like a table", arguments: TestDatabase.allCases)
    func query(database: TestDatabase) throws {
        let (connection, text) = try prepare(database, "raw", "id BIGINT, v DOUBLE PRECISION")
        for number in 1...4 { try connection.run("INSERT INTO raw VALUES (\(number), \(number).5)") }
        var settings = SQLSourceSettings(
            connection: text, rows: .query("SELECT id, v * 2 AS doubled FROM raw WHERE id <> 2"), increasing: "id")
        settings.columns = ["doubled", "id"]
        let drained = try SQLSource(settings).drain()
        #expect(
            try drained.values() == [
                "{\"doubled\":3.0,\"id\":1}", "{\"doubled\":7.0,\"id\":3}", "{\"doubled\":9.0,\"id\":4}",
            ])
    }

    @Test("Rows and mark are one: what fails before the commit leaves nothing", arguments: TestDatabase.allCases)
    func onceOnly(database: TestDatabase) throws {
        let (connection, text) = try prepare(database, "target2", "id BIGINT PRIMARY KEY, name VARCHAR(20)")
        try connection.run("DELETE FROM target2")
        let sink = sink(text, "target2")
        var stream = TestStream()
        let first = stream.delivery(try batch(["{\"id\":1,\"name\":\"a\"}", "{\"id\":2,\"name\":null}"]))
        let second = stream.delivery(try batch(["{\"id\":3,\"name\":\"c\"}"]))
        sink.willCommit = { () throws(ConnectorError) in throw ConnectorError(.transient, "cut") }
        #expect(throws: ConnectorError.self) { try sink.apply([first]) }
        sink.willCommit = { () throws(ConnectorError) in }
        #expect(try connection.rows("SELECT id FROM target2").isEmpty)
        #expect(try sink.mark(of: stream.stream) == .none)
        try sink.apply([first])
        try sink.apply([first, second])
        try self.sink(text, "target2").apply([first, second])
        #expect(
            try connection.rows("SELECT id FROM target2 ORDER BY id") == [[.integer(1)], [.integer(2)], [.integer(3)]])
        #expect(try self.sink(text, "target2").mark(of: stream.stream) == Sequence(2))
        // The same key again can never be taken; the good delivery before it is not taken alone.
        let good = stream.delivery(try batch(["{\"id\":4,\"name\":\"d\"}"]))
        let bad = stream.delivery(try batch(["{\"id\":1,\"name\":\"again\"}"]))
        let error = try #require(throws: ConnectorError.self) { try sink.apply([good, bad]) }
        #expect(error.kind == .rejected, "\(error)")
        #expect(try connection.rows("SELECT id FROM target2 WHERE id = 4").isEmpty)
        try sink.apply([good])
        #expect(try connection.rows("SELECT id FROM target2").count == 4)
    }

    @Test("An upsert replaces the row with the key", arguments: TestDatabase.allCases)
    func upsert(database: TestDatabase) throws {
        let (connection, text) = try prepare(database, "source", "x BIGINT")
        let sink = sink(text, "target") {
            $0.write = .upsert
            $0.key = ["tag", "unit"]
            $0.isCreated = true
        }
        var stream = TestStream()
        try sink.apply([
            stream.delivery(
                try batch([
                    #"{"tag":"T1","unit":"C","value":1.5}"#, #"{"tag":"T1","unit":"K","value":2}"#,
                    #"{"tag":"T1","unit":"C","value":3.25}"#,
                ]))
        ])
        let rows = try connection.rows("SELECT unit, value FROM target ORDER BY unit")
        #expect(rows == [[.text("C"), .real(3.25)], [.text("K"), .real(2)]])
        let error = try #require(throws: ConnectorError.self) {
            try sink.apply([stream.delivery(try batch([#"{"tag":null,"unit":"C","value":1}"#]))])
        }
        #expect(error.kind == .rejected)
    }

    @Test("CSV rows make a table with fitting columns and go in as what they are", arguments: TestDatabase.allCases)
    func csvRows(database: TestDatabase) throws {
        let (connection, text) = try prepare(database, "source", "x BIGINT")
        let header = [RecordHeader("csv-header", "number,level,code,note")]
        var stream = TestStream()
        let sink = sink(text, "target") { $0.isCreated = true }
        try sink.apply([
            stream.delivery(try batch(["1,2.5,007,\"a,b\"", "2,-3,010,"], headers: header))
        ])
        #expect(
            try connection.rows("SELECT number, level, code, note FROM target ORDER BY number") == [
                [.integer(1), .real(2.5), .text("007"), .text("a,b")], [.integer(2), .real(-3), .text("010"), .null],
            ])
        for wrong in ["1,2", "{}"] {
            let error = try #require(throws: ConnectorError.self) {
                try sink.apply([stream.delivery(try batch([wrong], headers: wrong == "{}" ? [] : header))])
            }
            #expect(error.kind == .rejected)
        }
    }

    @Test("What a person must mend is told as such", arguments: TestDatabase.allCases)
    func configurationErrors(database: TestDatabase) throws {
        let (_, text) = try prepare(database, "source", "x BIGINT")
        var stream = TestStream()
        let missing = try #require(throws: ConnectorError.self) {
            try sink(text, "no_such_table").apply([stream.delivery(try batch([#"{"a":1}"#]))])
        }
        #expect(missing.kind == .configuration, "\(missing)")
        let column = try #require(throws: ConnectorError.self) {
            try sink(text, "source").apply([stream.delivery(try batch([#"{"no_such_column":1}"#]))])
        }
        // SQLite takes an unknown name in double quotes for a text; the insert then tells.
        #expect(column.kind == .configuration, "\(column)")
        let table = try #require(throws: ConnectorError.self) { try source(text, "no_such_table").drain() }
        #expect(table.kind == .configuration, "\(table)")
    }

    @Test(
        "A lost connection is transient, and the next call makes a new one",
        arguments: [TestDatabase.postgreSQL, .mariaDB])
    func lostConnection(database: TestDatabase) throws {
        let (connection, text) = try prepare(database, "source", "id BIGINT, name VARCHAR(20)")
        let sink = sink(text, "source")
        let source = source(text, "source")
        var stream = TestStream()
        try sink.apply([stream.delivery(try batch([#"{"id":1,"name":"a"}"#]))])
        let first = try source.drain()
        switch database {
        case .postgreSQL, .sqlite:
            _ = try connection.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'postgres'"
            )
        case .mariaDB:
            let others = try connection.rows(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND USER = 'root'")
            for case .integer(let number)? in others.map(\.first) { try connection.run("KILL \(number)") }
        }
        let second = stream.delivery(try batch([#"{"id":2,"name":"b"}"#]))
        let error = try #require(throws: ConnectorError.self) { try sink.apply([second]) }
        #expect(error.kind == .transient, "\(error)")
        let reading = try #require(throws: ConnectorError.self) { try source.drain(after: first.checkpoint) }
        #expect(reading.kind == .transient, "\(reading)")
        try sink.apply([second])
        #expect(try source.drain(after: first.checkpoint).values() == [#"{"id":2,"name":"b"}"#])
    }
}
