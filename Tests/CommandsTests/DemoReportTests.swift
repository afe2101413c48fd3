import Testing

@testable import Commands

@Suite struct DemoReportTests {
    @Test func exactRows() {
        let account = RowAccount(read: ["a", "b", "b"], delivered: ["a", "b", "b"])
        #expect(account.isExact)
        #expect(account.read == 3)
        #expect(account.delivered == 3)
    }

    @Test(arguments: [
        (["a", "b", "c"], ["a", "c"], 1, 0, 0), (["a", "b"], ["a", "b", "b"], 0, 1, 0),
        (["a", "b"], ["a", "b", "x"], 0, 0, 1), (["a", "b"], ["b", "a"], 0, 0, 0), ([], [], 0, 0, 0),
        (["a", "b"], ["a", "a", "x"], 1, 1, 1),
    ])
    func inexactRows(_ read: [String], _ delivered: [String], _ missing: Int, _ repeated: Int, _ foreign: Int) {
        let account = RowAccount(read: read, delivered: delivered)
        #expect(!account.isExact)
        #expect((account.missing, account.repeated, account.foreign) == (missing, repeated, foreign))
    }

    private static func good() -> DemoReport {
        let rows = RowAccount(read: ["a"], delivered: ["a"])
        return DemoReport(
            temperatures: rows, weather: rows, inputHash: "1", outputHash: "1", shippedHash: "1",
            blindness: .init(
                memory: .init(bytes: 9, hits: 0), journal: .init(bytes: 9, hits: 0), wire: .init(bytes: 9, hits: 0),
                control: .init(bytes: 9, hits: 1), keys: .init(bytes: 9, hits: 0), keyControl: .init(bytes: 9, hits: 2)),
            disturbance: .init(waited: 4, storedBefore: 3, storedAfter: 3), recognised: 2, dropped: 0, quarantined: 0)
    }

    @Test func allAsPromised() {
        #expect(Self.good().complaints.isEmpty)
        var report = Self.good()
        // What a user may not look into is no reason to complain.
        (report.blindness.memory, report.blindness.control) = (nil, nil)
        #expect(report.complaints.isEmpty)
        #expect(report.lines.contains { $0.text.contains("not searched: this user may not read it") })
    }

    @Test(
        arguments: [
            { @Sendable in $0.temperatures = RowAccount(read: ["a"], delivered: []) },
            { @Sendable in $0.weather = RowAccount(read: ["a"], delivered: ["a", "a"]) },
            { @Sendable in $0.outputHash = "2" }, { @Sendable in $0.shippedHash = "2" },
            { @Sendable in $0.blindness.memory?.hits = 1 }, { @Sendable in $0.blindness.journal.hits = 1 },
            { @Sendable in $0.blindness.wire.hits = 1 }, { @Sendable in $0.blindness.wire.bytes = 0 },
            { @Sendable in $0.blindness.journal.bytes = 0 }, { @Sendable in $0.blindness.control?.hits = 0 },
            { @Sendable in $0.disturbance.waited = 0 }, { @Sendable in $0.disturbance.storedBefore = 0 },
            { @Sendable in $0.disturbance.storedAfter = 0 }, { @Sendable in $0.dropped = 1 },
            { @Sendable in $0.quarantined = 1 }, { @Sendable in $0.blindness.keys?.hits = 1 },
            { @Sendable in $0.blindness.keyControl?.hits = 0 },
        ] as [@Sendable (inout DemoReport) -> Void])
    func everyBreachIsToldOf(_ breach: @Sendable (inout DemoReport) -> Void) {
        var report = Self.good()
        breach(&report)
        #expect(report.complaints.count == 1)
    }

    @Test func linesTellTheFigures() {
        let text = Self.good().lines.map(\.text).joined(separator: "\n")
        #expect(text.contains("rows read        2  (1 CSV + 1 table)"))
        #expect(text.contains("repeated         0  (2 envelopes came again and had no effect)"))
        #expect(text.contains("3 envelopes in its store before, 3 after the restart"))
    }
}
