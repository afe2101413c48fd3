import Envelope
import FoundationEssentials
import Node
import Testing

@Suite struct ReportsTests {
    private func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func decode<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    /// The names are a contract: when this fails, raise the schema or take the change back.
    @Test func namesStayAsTheyAre() throws {
        let link = """
            {"asOf":"2026-11-21T09:52:39.123Z","bytesQueuedBack":3,"bytesQueuedForward":1,"costBack":12,\
            "costForward":10,"envelopesQueuedBack":4,"envelopesQueuedForward":2,"from":"plant-a/relay",\
            "oldestAgeSeconds":1.5,"reason":"no answer to ping","roundTripMicroseconds":800,"state":"half",\
            "to":"dmz/relay"}
            """
        #expect(try json(Samples.link) == link)
        let topology = """
            {"asOf":"2026-11-21T09:52:39.123Z","by":"dmz/relay","links":[\(link)],"schema":1,"zones":[{"name":"dmz",\
            "nodes":[{"name":"dmz/relay","role":"relay","state":"up","version":"0.1.0"}]},{"name":"plant-a",\
            "nodes":[{"name":"plant-a/relay","role":"relay","state":"down"}]}]}
            """
        #expect(try json(Samples.topology) == topology)
        let result = SendResult(stream: "ab", sequence: 1, records: 2, receipted: false)
        #expect(try json(result) == #"{"receipted":false,"records":2,"schema":1,"sequence":1,"stream":"ab"}"#)
        #expect(try json(Problem(error: "e")) == #"{"error":"e"}"#)
    }

    @Test func unknownNamesAreIgnored() throws {
        let problem: Problem = try decode(#"{"error":"e","hint":"h","later":[1]}"#)
        #expect(problem == Problem(error: "e", hint: "h"))
    }

    @Test func countersAddUpOrSaySo() {
        #expect(Samples.status.counters.isBalanced)
        #expect(CounterReport().isBalanced)
        #expect(!CounterReport(accepted: 1).isBalanced)
        #expect(!CounterReport(accepted: 2, delivered: .max, queued: 1).isBalanced)
    }

    @Test func bytesOfEveryLengthComeBack() throws {
        for count in 0..<70 {
            let bytes = MessageBytes((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) })
            #expect(try decode(json(bytes)) == bytes)
        }
        let text = MessageBytes("tab\t, ü, \u{1F600}")
        #expect(try json(text) == #"{"text":"tab\t, ü, 😀"}"#)
        #expect(try json(MessageBytes([0xFF])) == #"{"base64":"/w=="}"#)
    }

    @Test(arguments: ["A", "AB", "ABC", "AB=C", "A===", "====", "/x==", "AAF=", "AA A", "AAAA=", "_w=="])
    func badBase64IsRefused(_ text: String) {
        #expect(throws: DecodingError.self) {
            let _: MessageBytes = try decode("{\"base64\":\"\(text)\"}")
        }
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (1_795_254_759_123, "2026-11-21T09:52:39.123Z"),
    ])
    func timesAreRFC3339(_ milliseconds: Int64, _ text: String) throws {
        let time = WallTime(milliseconds: milliseconds)
        #expect(time.rfc3339 == text)
        #expect(WallTime(rfc3339: text) == time)
        #expect(try decode(json(time)) == time)
    }

    @Test func everyDayOfFourCenturiesComesBack() {
        for day in stride(from: Int64(-80_000), to: 80_000, by: 1) {
            let time = WallTime(milliseconds: day * 86_400_000 + 12_345)
            #expect(WallTime(rfc3339: time.rfc3339) == time)
        }
    }

    @Test(arguments: [
        "", "2026-11-21T09:52:39Z", "2026-11-21 09:52:39.123Z", "2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z",
        "2026-02-29T00:00:00.000Z", "2026-01-32T00:00:00.000Z", "2026-01-00T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
        "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "2026-01-01T00:00:00.000z", "2026-01-0üT00:00:00.00Z",
    ])
    func badTimesAreRefused(_ text: String) { #expect(WallTime(rfc3339: text) == nil) }

    @Test func timesOutOfRangeAreWrittenAsTheNearest() {
        #expect(WallTime(milliseconds: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(WallTime(milliseconds: .min).rfc3339 == "0000-01-01T00:00:00.000Z")
    }
}
