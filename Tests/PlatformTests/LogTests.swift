import Envelope
import Glibc
import Synchronization
import Testing

@testable import Platform

struct LogTests {
    /// A log whose lines and clock the test holds.
    final class Desk: Sendable {
        private let text = Mutex("")
        private let time = Mutex(Instant.zero)

        func log(_ format: Log.Format = .text, level: Log.Level = .debug) -> Log {
            Log(
                level: level, format: format,
                output: .function { bytes in self.text.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }
            ) {
                let now = self.time.withLock { $0 }
                return (now, WallTime(milliseconds: 1_769_847_330_250 + now.nanoseconds / 1_000_000))
            }
        }

        var lines: [String] {
            text.withLock { $0 }.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        func pass(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
    }

    @Test func writesATextLine() {
        let desk = Desk()
        desk.log().info(
            "link.up", "link is up", ["peer": "plant-a/relay-1", "rtt_ms": 3, "via proxy": true, "none": ""])
        #expect(
            desk.lines == [
                #"2026-01-31T08:15:30.250Z info link.up: link is up peer=plant-a/relay-1 rtt_ms=3 via_proxy=true none="""#,
                "",
            ])
    }

    @Test func writesAJSONLine() {
        let desk = Desk()
        desk.log(.json).warning(
            "store.full", "no room", ["bytes": 12, "share": 0.5, "ok": false, "level": "x", "nan": Double.nan])
        #expect(
            desk.lines == [
                #"{"time":"2026-01-31T08:15:30.250Z","level":"warning","event":"store.full","message":"no room","#
                    + #""bytes":12,"share":0.5,"ok":false,"level_":"x","nan":"nan"}"#, "",
            ])
    }

    @Test(arguments: [Log.Format.text, .json])
    func noValueEndsTheLineOrPassesForAnother(format: Log.Format) {
        let desk = Desk()
        let evil = "a\nb\r\t\u{1b}[31m\"quote\" back\\slash \u{7f}\u{9b}\u{2028}\u{202e} é = 漢"
        desk.log(format).error("evil", evil, ["value": evil, "na me=\n\"x": 1])
        #expect(desk.lines.count == 2)
        let line = desk.lines[0]
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
        #expect(!line.unicodeScalars.contains { (0x2028...0x202e).contains($0.value) })
        let escaped = #"a\nb\r\t\u001b[31m\"quote\" back\\slash \u007f\u009b\u2028\u202e é = 漢"#
        switch format {
        case .text:
            #expect(line.hasSuffix("value=\"\(escaped)\" na_me___x=1"))
        case .json:
            #expect(line.contains("\"message\":\"\(escaped)\",\"value\":\"\(escaped)\",\"na me=\\n\\\"x\":1}"))
        }
    }

    @Test func leavesOutWhatIsBelowTheLevel() {
        let desk = Desk()
        let log = desk.log(level: .notice)
        var computed = 0
        func message() -> String {
            computed += 1
            return "text"
        }
        log.debug("a", message())
        log.info("b", message())
        log.notice("c", message())
        #expect(computed == 1)
        #expect(desk.lines.count == 2)
    }

    @Test func countsRepeatsInsteadOfWritingThem() {
        let desk = Desk()
        let log = desk.log()
        for number in 0..<50 {
            log.info("often", "again", ["number": number])
            if number == 30 { log.info("seldom", "once") }
        }
        #expect(desk.lines.count == 20 + 1 + 1)
        desk.pass(.milliseconds(999))
        log.info("often", "still the same second")
        #expect(desk.lines.count == 22)
        desk.pass(.milliseconds(1))
        log.info("seldom", "later")
        #expect(desk.lines.count == 24)
        #expect(desk.lines[21].hasSuffix("warning log.suppressed: lines of one event were left out of=often count=31"))
        log.info("often", "let through again")
        #expect(desk.lines[23].hasSuffix("often: let through again"))
        for _ in 0..<25 { log.info("often", "again") }
        log.flush()
        #expect(desk.lines[desk.lines.count - 2].hasSuffix("of=often count=6"))
        log.flush()
        #expect(desk.lines.filter { $0.contains("log.suppressed") }.count == 2)
    }

    @Test func writesEachLineWithOneCall() throws {
        var ends: [Int32] = [0, 0]
        // Each write of a datagram socket arrives as one piece.
        try #require(socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        let log = Log(output: .descriptor(ends[0]))
        log.info("first", "one", ["field": 1])
        log.info("second", "two")
        for event in ["first: one field=1\n", "second: two\n"] {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(ends[1], &buffer, buffer.count, Int32(MSG_DONTWAIT))
            #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).hasSuffix(event))
        }
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_767_225_599_000, "2025-12-31T23:59:59.000Z"),
        ] as [(Int64, String)])
    func datesAreTheCalendars(milliseconds: Int64, text: String) {
        #expect(WallTime(milliseconds: milliseconds).timestamp == text)
    }

    @Test func levelsReadTheirWords() {
        for level in Log.Level.allCases { #expect(Log.Level(level.description) == level) }
        #expect(Log.Level("loud") == nil)
    }
}
