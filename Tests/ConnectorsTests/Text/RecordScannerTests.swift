import Testing

@testable import Connectors

@Suite("Records in text")
struct RecordScannerTests {
    /// All records found when the text arrives in pieces of `step` bytes, and what is left.
    private func scan(_ text: String, _ kind: RecordScanner.Kind, step: Int) -> (records: [String], rest: Int) {
        let bytes = Array(text.utf8)
        var scanner = RecordScanner(kind)
        var records: [String] = []
        var start = 0
        for end in stride(from: step, through: bytes.count + step - 1, by: step) {
            let arrived = Array(bytes[..<min(end, bytes.count)])
            while let extent = arrived.withUnsafeBytes({ scanner.next(in: $0, from: start) }) {
                records.append(String(decoding: arrived[start..<start + extent.content], as: UTF8.self))
                start += extent.total
            }
        }
        return (records, bytes.count - start)
    }

    @Test("Rows end outside of quotes only, whatever pieces they come in", arguments: 1...12)
    func rows(step: Int) {
        let text = "a,\"b\nc\",\"d\"\"\n\"\r\n5\" pipe,x\n\"\"\n,\"q\"tail\nrest"
        let found = scan(text, .row(separator: 44), step: step)
        #expect(found.records == ["a,\"b\nc\",\"d\"\"\n\"", "5\" pipe,x", "\"\"", ",\"q\"tail"])
        #expect(found.rest == 4)
    }

    @Test("Lines end at each line feed", arguments: 1...5)
    func lines(step: Int) {
        let found = scan("a\n\r\n\"b\nc\r\rd\r\ne", .line, step: step)
        #expect(found.records == ["a", "", "\"b", "c\r\rd"])
        #expect(found.rest == 1)
    }

    @Test(
        "Fields are taken apart",
        arguments: [
            ("a,b", ["a", "b"]), ("", [""]), (",", ["", ""]), ("\"a,b\",c", ["a,b", "c"]), ("\"a\"\"b\"", ["a\"b"]),
            ("5\" pipe,x", ["5\" pipe", "x"]), ("\"a\nb\",\"\"", ["a\nb", ""]), ("\"open,x", ["open,x"]),
            ("\"a\"b,c", ["ab", "c"]),
        ])
    func fields(row: String, fields: [String]) {
        #expect(CSVRow.fields(of: Array(row.utf8), separator: 44).map { String(decoding: $0, as: UTF8.self) } == fields)
    }

    @Test("A byte order mark is no part of a name")
    func names() {
        #expect(CSVRow.names(of: Array("\u{feff}\"a\";b".utf8), separator: 59) == ["a", "b"])
    }
}
