import Testing

@testable import Node

@Suite struct YAMLParserTests {
    private func parse(_ text: String, _ variables: [String: String] = [:]) throws(ConfigurationError) -> YAMLNode {
        try YAMLNode.parse(Array(text.utf8), file: "f.yaml", environment: YAMLEnvironment(variables))
    }

    private func problem(_ text: String) -> String {
        do throws(ConfigurationError) {
            let node = try parse(text)
            return "accepted: \(node)"
        } catch {
            return error.description
        }
    }

    @Test func keepsMarksOfEveryNode() throws {
        let node = try parse("a: 1\nlist:\n  - x\n  - {é: 'q', k: \"w\"}\n")
        #expect(node.mark == YAMLMark(file: "f.yaml", line: 1, column: 1))
        #expect(node["a"]?.mark.description == "f.yaml:1:4")
        guard case .sequence(let items)? = node["list"]?.content else {
            Issue.record("no list")
            return
        }
        #expect(items[0].mark.description == "f.yaml:3:5")
        #expect(items[1]["é"]?.mark.description == "f.yaml:4:9")
        #expect(items[1]["k"]?.mark.description == "f.yaml:4:17")
        #expect(items[1]["k"]?.scalar?.style == .doubleQuoted)
    }

    @Test func tellsNothingFromTheEmptyText() throws {
        let node = try parse("a:\nb: ~\nc: ''\nd: 'null'\ne: null\n")
        #expect(["a", "b", "c", "d", "e"].map { node[$0]?.scalar?.isNull } == [true, true, false, false, true])
    }

    @Test(arguments: [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' stands here twice; it is on line 1 already"),
        ("a: &x 1\n", "f.yaml:1:4: an anchor ('&name') is not supported; write the value where it is used"),
        ("a: *x\n", "f.yaml:1:4: an alias ('*name') is not supported; write the value itself"),
        ("a: !!int 1\n", "f.yaml:1:4: a tag ('!name') is not supported; write the value without it"),
        ("a: &x [1]\n", "f.yaml:1:4: an anchor ('&name') is not supported; write the value where it is used"),
        ("a: !m {b: 1}\n", "f.yaml:1:4: a tag ('!name') is not supported; write the value without it"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document ('---') begins here; a file holds one"),
        ("{[a, b]: 1}\n", "f.yaml:1:2: a list or mapping as a key is not supported; a key is one word"),
        ("", "f.yaml:1:1: the file is empty"),
        ("# nothing but a comment\n", "f.yaml:1:1: the file is empty"),
        ("a: \"x\\0y\"\n", "f.yaml:1:4: a value holds a NUL character; leave it out"),
    ])
    func refuses(text: String, message: String) {
        #expect(problem(text) == message)
    }

    @Test func namesThePlaceOfASyntaxError() {
        #expect(
            problem("a: 1\nb: [1, 2\nc: 3\n").hasPrefix("f.yaml:3:2: not valid YAML: did not find expected ',' or ']'"))
        #expect(
            problem("a: 1\n\tb: 2\n").hasPrefix(
                "f.yaml:2:1: not valid YAML: found a tab character that violates indentation"))
    }

    @Test func namesThePlaceOfAByteThatIsNoText() {
        let bytes = Array("a: 1\nbc: ".utf8) + [0xC3, 0x28]
        let error = #expect(throws: ConfigurationError.self) { try YAMLNode.parse(bytes, file: "f.yaml") }
        #expect(error?.description == "f.yaml:2:6: not a text in UTF-8: invalid trailing UTF-8 octet")
    }

    @Test func boundsDepthAndSize() {
        let deep = String(repeating: "[", count: 33) + String(repeating: "]", count: 33)
        #expect(problem(deep) == "f.yaml:1:33: nested deeper than 32 levels")
        #expect(problem(String(repeating: "[", count: 100_000)).contains("nested deeper than 32 levels"))
        let large = [UInt8](repeating: UInt8(ascii: "#"), count: (4 << 20) + 1)
        let error = #expect(throws: ConfigurationError.self) { try YAMLNode.parse(large, file: "f.yaml") }
        #expect(error?.description == "f.yaml: the file has 4194305 bytes; the most is 4194304")
        let many = "[" + String(repeating: "1,", count: 200_001) + "]"
        #expect(problem(many).contains("more than 200000 values; divide the file"))
    }

    @Test func neverTrapsOnAnyPrefixOrFlippedByte() {
        let bytes = Array("a: {b: [1, 'x', \"y\\n\"], c: |\n  text\n d: ${E:-x}\n}\n".utf8)
        var accepted = 0
        for length in 0...bytes.count {
            if (try? YAMLNode.parse(Array(bytes[..<length]), file: "f.yaml")) != nil { accepted += 1 }
        }
        for index in bytes.indices {
            for flip in [UInt8(1), 0x80, 0xFF] {
                var copy = bytes
                copy[index] ^= flip
                if (try? YAMLNode.parse(copy, file: "f.yaml")) != nil { accepted += 1 }
            }
        }
        #expect(accepted < bytes.count * 4 + 1)
    }

    @Test func equalityIgnoresPlaceAndStyle() throws {
        #expect(try parse("a: [1, x]\n") == parse("\n'a':\n  - \"1\"\n  - 'x'\n"))
        #expect(try parse("a: ''\n") != parse("a:\n"))
        #expect(try parse("a: 1\n") != parse("a: 2\n"))
    }
}
