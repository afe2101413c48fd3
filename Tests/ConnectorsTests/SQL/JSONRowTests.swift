import Testing

@testable import Connectors

@Suite("JSON rows")
struct JSONRowTests {
    private func parse(_ text: String) throws -> [String: JSONScalar] {
        Dictionary(try JSONRowParser.parse(Array(text.utf8)).map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }

    @Test("What is written is read back")
    func roundTrip() throws {
        let columns = ["n", "i", "r", "t", "b", "d", "f", "x"].enumerated().map { index, name in
            SQLColumn(name: name, type: [.text, .integer, .real, .text, .binary, .decimal, .boolean, .real][index])
        }
        let text = "a\"\\/\n\r\t\u{1}\u{7f}ü\u{1F600}"
        let bytes = JSONRow.encode(
            columns,
            [
                .null, .integer(.min), .real(-0.1), .text(text), .binary([0, 1, 255]), .text("00.5"), .text("1"),
                .real(.nan),
            ])
        let row = try parse(String(decoding: bytes, as: UTF8.self))
        #expect(row["n"] == .null && row["i"] == .number("-9223372036854775808") && row["r"] == .number("-0.1"))
        #expect(row["t"] == .string(text) && row["b"] == .string("AAH/") && row["d"] == .string("00.5"))
        #expect(row["f"] == .boolean(true) && row["x"] == .string("nan"))
    }

    @Test("Escapes of other writers are understood")
    func escapes() throws {
        #expect(
            try parse(#" { "aä" : "\/\b\f\u00e4\ud83d\ude00" , "b":1E+2 } "#) == [
                "aä": .string("/\u{8}\u{c}ä😀"), "b": .number("1E+2"),
            ])
        #expect(try parse("{}").isEmpty)
    }

    @Test(
        "What is no flat object is refused",
        arguments: [
            "", "{", "{}x", "[1]", #"{"a":}"#, #"{"a":1,}"#, #"{"a":01}"#, #"{"a":.5}"#, #"{"a":1.}"#, #"{"a":-}"#,
            #"{"a":{}}"#,
            #"{"a":[1]}"#, #"{"a":"\ud83d"}"#, #"{"a":"\ude00"}"#, #"{"a":"\x"}"#, "{\"a\":\"\n\"}", #"{"a":nul}"#,
            #"{"a" 1}"#,
            #"{"a":"b}"#, #"{a:1}"#, #"{"a":1e}"#,
        ])
    func malformed(text: String) {
        #expect(throws: JSONRowParser.Malformed.self) { try JSONRowParser.parse(Array(text.utf8)) }
    }

    @Test("Truncated at every byte, it throws and does not trap")
    func truncation() {
        let whole = Array(#"{"a":"x\u00e4\n","b":-1.5e+3,"c":null,"d":true}"#.utf8)
        for length in 0..<whole.count {
            #expect(throws: JSONRowParser.Malformed.self) { try JSONRowParser.parse(Array(whole[..<length])) }
        }
    }

    @Test("Base64 of every length, and nothing that is not base64")
    func base64() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            #expect(Base64Text.decode(Base64Text.encode(bytes)) == bytes)
        }
        #expect(Base64Text.encode(Array("foob".utf8)) == "Zm9vYg==")
        for wrong in ["Z", "Zg", "Zg=", "=g==", "Z===", "Zm9v!!!!"] { #expect(Base64Text.decode(wrong) == nil) }
    }
}
