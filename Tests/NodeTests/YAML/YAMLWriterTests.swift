import Testing

@testable import Node

@Suite struct YAMLWriterTests {
    private let environment = YAMLEnvironment(["A": "value"])

    private func parse(_ text: String) throws(ConfigurationError) -> YAMLNode {
        try YAMLNode.parse(Array(text.utf8), file: "f", environment: environment)
    }

    @Test(arguments: [
        "plain", "with space", " lead", "trail ", "-", "- x", "a: b", "a #b", "#", "~", "null", "true", "\"", "'", "\\",
        "\n", "a\nb\n", "\t", "\r\n", "\u{7}", "\u{85}", "\u{2028}x", "\u{FEFF}", "é€😀", "{a}", "[a]", "*a", "&a", "!a",
        "|", ">", "%a", "@a", "`a", "?", ":", "...", "---", "", "$", "$$", "${A}", "${", "1.5", "0x1", "a/b",
        "*/5 * * * *",
        "\u{FFFD}", "\u{1F}", "\u{7F}",
    ])
    func anyTextReadsBack(text: String) throws {
        let tree = YAMLNode.mapping([
            ("key", .text(text)), ("list", .list([.text(text), .list([.text(text)]), .mapping([("k", .text(text))])])),
        ])
        #expect(try parse(YAMLWriter.write(tree)) == tree)
    }

    @Test func writesBlockStyle() throws {
        let tree = try parse("a: {b: [1, {c: x, d: [y, [z]]}], e: [], f: {}, g: }\n\"odd key\": 'q'\n")
        let text = YAMLWriter.write(tree)
        #expect(
            text == """
                a:
                  b:
                    - 1
                    - c: x
                      d:
                        - y
                        - - z
                  e: []
                  f: {}
                  g: ~
                "odd key": "q"

                """)
        #expect(try parse(text) == tree)
    }

    @Test func keepsVariablesAsWritten() throws {
        let text = YAMLWriter.write(try parse("a: ${A}\nb: \"$${A} ${B:-c}\"\nd: ${UNSET}\n"))
        #expect(text == "a: \"${A}\"\nb: \"$${A} ${B:-c}\"\nd: \"${UNSET}\"\n")
    }

    @Test func writesScalarsAndEmptyContainersOnTop() {
        #expect(YAMLWriter.write(.text("x")) == "x\n")
        #expect(YAMLWriter.write(.list([])) == "[]\n")
        #expect(YAMLWriter.write(.mapping([])) == "{}\n")
    }
}
