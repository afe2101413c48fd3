import Admin
import Node
import TestSupport
import Testing

extension IntegrationTests {
    /// What a table does not take is kept aside, and has its effect once after the table was mended.
    @Suite(.serialized) struct QuarantineTests {
        private func sqlite(_ place: TemporaryDirectory, _ name: String, _ statements: String) async throws -> String {
            try await mustRun(["sqlite3", "-cmd", ".timeout 20000", place.path(name), statements])
        }

        @Test(.timeLimit(.minutes(2))) func aRejectedRowArrivesOnceItsTableIsMended() async throws {
            let place = try TemporaryDirectory()
            for name in ["input", "output"] { try place.makeDirectory(name) }
            _ = try await sqlite(
                place, "input/source.db",
                "CREATE TABLE readings(id INTEGER PRIMARY KEY, value REAL); INSERT INTO readings VALUES (1, 1), (2, 500), (3, 3)"
            )
            _ = try await sqlite(
                place, "output/sink.db", "CREATE TABLE readings(id INTEGER, value REAL CHECK (value < 100))")
            func connection(_ name: String) -> String { "Driver=SQLite3;Database=\(place.path(name));Timeout=10000" }
            let job =
                "{name: table, to: plant-b/agent-1, schedule: {every: 100ms}, batchBytes: 1, linger: 0ms, source: {kind: sql, "
                + "connection: \"\(connection("input/source.db"))\", table: readings, increasing: id}}"
            let sink =
                "{name: table, topics: [table], onReject: quarantine, sink: {kind: sql, "
                + "connection: \"\(connection("output/sink.db"))\", table: readings, write: insert}}"
            let bed = try await Testbed.make(try Layout.threeZones(jobs: [job], sinks: [sink]), in: place)
            try await bed.startAll()
            let agent = bed.client("plant-b/agent-1")
            try await eventually("the others have arrived", detail: bed.tail(of: "plant-b/agent-1")) {
                try agent.quarantine().envelopes.count == 1 && agent.status().sinks.contains { $0.records == 2 }
            }
            let entry = try #require(try agent.quarantine().envelopes.first)
            #expect(entry.kind == "rejected" && entry.topic == "table" && entry.sink == "table")
            #expect(entry.source == "plant-a/agent-1" && entry.reason.contains("CHECK"))
            // It is there after a crash, sealed as it came.
            bed.kill("plant-b/agent-1")
            try await bed.startAll()
            try await eventually("the agent answers") { (try? agent.quarantine().envelopes.count) == 1 }
            #expect(try agent.quarantined(entry.id).count == entry.bytes)
            #expect(try agent.retry(entry.id).outcome == .kept)
            _ = try await sqlite(
                place, "output/sink.db",
                """
                BEGIN IMMEDIATE; CREATE TABLE mended(id INTEGER, value REAL); INSERT INTO mended SELECT * FROM readings;
                DROP TABLE readings; ALTER TABLE mended RENAME TO readings; COMMIT
                """)
            // The sink lets its stream rest for a while after a rejection; a new process does not know of it.
            bed.kill("plant-b/agent-1")
            try await bed.startAll()
            try await eventually("the agent answers") { (try? agent.quarantine().envelopes.count) == 1 }
            #expect(try agent.retry(entry.id).outcome == .delivered)
            #expect(try agent.quarantine().envelopes.isEmpty)
            let rows = try await sqlite(place, "output/sink.db", "SELECT id, value FROM readings ORDER BY id")
            #expect(rows.split(separator: "\n") == ["1|1.0", "2|500.0", "3|3.0"])
        }
    }
}
