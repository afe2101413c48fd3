import Envelope
import Testing

@testable import Connectors

@Suite("Time formats")
struct TimeFormatTests {
    @Test(
        "Times are read",
        arguments: [
            ("iso8601", "1970-01-01", 0), ("iso8601", "2026-03-01T12:00:00Z", 1_772_366_400_000),
            ("iso8601", "2026-03-01 12:00", 1_772_366_400_000),
            ("iso8601", "2026-03-01T13:00:00.25+01:00", 1_772_366_400_250),
            ("iso8601", "2026-03-01T07:30:00-0430", 1_772_366_400_000),
            ("iso8601", "2026-03-01 12:00:00.123456+00", 1_772_366_400_123),
            ("iso8601", "2024-02-29T00:00:00", 1_709_164_800_000), ("unix", "1.5", 1_500), ("unix", "-2", -2_000),
            ("unixMilliseconds", "1772366400250", 1_772_366_400_250),
            ("%d.%m.%Y %H:%M:%S", "01.03.2026 12:00:00", 1_772_366_400_000),
            ("%Y%m%d%H%M%S.%f %%", "20260301120000.5 %", 1_772_366_400_500),
        ])
    func good(format: String, text: String, milliseconds: Int64) throws {
        let format = try #require(TimeFormat(format))
        #expect(format.time(of: text.utf8) == WallTime(milliseconds: milliseconds))
    }

    @Test(
        "What is no time is none",
        arguments: [
            ("iso8601", ""), ("iso8601", "2026-13-01"), ("iso8601", "2026-02-29"), ("iso8601", "2026-03-01T24:00:00Z"),
            ("iso8601", "2026-03-01T12:00:00Zx"), ("iso8601", "2026-03-01X12:00"), ("iso8601", "2026-03-01T12:00:00."),
            ("unix", "nan"), ("unix", "1e300"), ("unix", ""), ("unixMilliseconds", "1.5"), ("%Y", "20"),
            ("%d.%m", "1.2"),
        ])
    func bad(format: String, text: String) throws {
        #expect(try #require(TimeFormat(format)).time(of: text.utf8) == nil)
    }

    @Test("A word that is no format is none") func words() { #expect(TimeFormat("iso") == nil) }
}
