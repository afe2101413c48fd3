import Envelope
import Testing

@testable import Node

@Suite struct ConfigurationReaderTests {
    private func reader(_ text: String) throws -> ConfigurationReader {
        ConfigurationReader(
            try YAMLNode.parse(Array(text.utf8), file: "relay.yaml", environment: YAMLEnvironment(["N": "7"])))
    }

    private func problems(_ text: String, _ read: (ConfigurationReader) -> Void) throws -> [String] {
        let reader = try reader(text)
        read(reader)
        do throws(ConfigurationError) {
            try reader.finish()
            return []
        } catch {
            return error.description.split(separator: "\n").map(String.init)
        }
    }

    @Test func readsEveryKindOfValue() throws {
        let reader = try reader(
            """
            text: a b
            number: -${N}
            flag: true
            wait: 20ms
            size: 64KiB
            rate: 10MB/s
            lane: bulk
            node: plant-a/agent-1
            from: [plant-a/*, '*']
            path: store
            """)
        #expect(reader.required("text", .string) == "a b")
        #expect(reader.required("number", .integer(in: -10...10)) == -7)
        #expect(reader.required("flag", .boolean))
        #expect(reader.required("wait", .duration()) == .milliseconds(20))
        #expect(reader.required("size", .byteSize()) == 65_536)
        #expect(reader.required("rate", .byteRate()) == 10_000_000)
        #expect(reader.required("lane", .word(Lane.self)) == .bulk)
        #expect(reader.required("node", .nodeName).description == "plant-a/agent-1")
        #expect(reader.list("from", of: .nodePattern).map(\.description) == ["plant-a/*", "*"])
        #expect(reader.value("path", .path, default: "x") == "store")
        #expect(reader.value("absent", .integer(), default: 5) == 5)
        #expect(reader.optional("absent", .string) == nil)
        try reader.finish()
    }

    @Test func namesTheNearestValidKey() throws {
        let found = try problems("links:\n  - peer: a/b\n    cots: 3\n  - peer: a/c\n    zzzzz: 1\n") { reader in
            _ = reader.list("links") { link in
                _ = link.required("peer", .nodeName)
                _ = link.value("cost", .integer(), default: 10)
            }
        }
        #expect(
            found == [
                "relay.yaml:3:5: links[0].cots: unknown key; did you mean 'cost'?",
                "relay.yaml:5:5: links[1].zzzzz: unknown key; known here: peer, cost",
            ])
    }

    @Test func tracksPathsThroughListsAndMappings() throws {
        let found = try problems("links:\n- dial: {host: h, port: 70000}\n- dial: {host: h}\n- dial: 5\n- 6\n") {
            reader in
            _ = reader.list("links") { link in
                link.nestedIfPresent("dial") { dial in
                    _ = dial.required("host", .string)
                    _ = dial.required("port", .integer(in: 1...65_535))
                }
            }
        }
        #expect(
            found == [
                "relay.yaml:2:25: links[0].dial.port: '70000' is out of range; write 1 to 65535",
                "relay.yaml:3:9: links[1].dial.port: missing; write 'port: …'",
                "relay.yaml:4:9: links[2].dial: here stands a single value; write a mapping, one 'key: value' a line",
                "relay.yaml:5:3: links[3]: here stands a single value; write a mapping, one 'key: value' a line",
            ])
    }

    @Test(arguments: [
        ("a: x", "a: 'x' is not a whole number; write digits, such as 1"),
        ("a: 0x10", "a: '0x10' is not a whole number; write digits, such as 1"),
        ("a: 010", "a: '010' begins with 0, which some take for octal; write it without"),
        ("a: 99999999999999999999", "a: '99999999999999999999' is out of range; write 1 to 9"),
        ("a: -3", "a: '-3' is out of range; write 1 to 9"),
        ("a:", "a: has no value; write one or leave the key out"),
        ("a: [1]", "a: here stands a list; write a single value"),
        ("a: {b: 1}", "a: here stands a mapping; write a single value"),
    ])
    func refusesIntegers(text: String, message: String) throws {
        let found = try problems(text) { _ = $0.required("a", .integer(in: 1...9)) }
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix(message) == true)
    }

    @Test(arguments: [
        ("5", "'5' has no unit; write one of us, ms, s, m, h, d behind it, such as 5s"),
        (
            "5 parsecs",
            "'5 parsecs' is not a time span; write a whole number and a unit, such as 20ms, 5s, 10m, 2h or 3d"
        ),
        ("soon", "'soon' is not a time span; write a whole number and a unit, such as 20ms, 5s, 10m, 2h or 3d"),
        ("3d", "'3d' is out of range; write 1s to 1d"),
        ("1ms", "'1ms' is out of range; write 1s to 1d"),
        ("99999999999999999999d", "'99999999999999999999d' is out of range; write 1s to 1d"),
        ("9223372036854775807d", "'9223372036854775807d' is out of range; write 1s to 1d"),
    ])
    func refusesDurations(value: String, message: String) throws {
        let found = try problems("a: \(value)") {
            _ = $0.required("a", .duration(in: .seconds(1) ... .seconds(86_400)))
        }
        #expect(found == ["relay.yaml:1:4: a: \(message)"])
    }

    @Test(arguments: [
        ("1QiB", "'1QiB' is not a size; write a whole number and a unit, such as 64KiB, 10MB or 1GiB"),
        ("-1", "'-1' is not a size; write a whole number and a unit, such as 64KiB, 10MB or 1GiB"),
        ("1", "'1' is out of range; write 4KiB to 1GiB"),
        ("2GiB", "'2GiB' is out of range; write 4KiB to 1GiB"),
        ("9223372036854775807TiB", "'9223372036854775807TiB' is out of range; write 4KiB to 1GiB"),
    ])
    func refusesSizes(value: String, message: String) throws {
        let found = try problems("a: \(value)") { _ = $0.required("a", .byteSize(in: 4096...(1 << 30))) }
        #expect(found == ["relay.yaml:1:4: a: \(message)"])
    }

    @Test func refusesOtherValues() throws {
        let found = try problems("a: yes\nb: blk\nc: sideways\nd: Plant/x\ne: a/**/b\nf: ''\ng: one\n") { reader in
            _ = reader.required("a", .boolean)
            _ = reader.required("b", .word(Lane.self))
            _ = reader.required("c", .word(Lane.self))
            _ = reader.required("d", .nodeName)
            _ = reader.required("e", .nodePattern)
            _ = reader.required("f", .string)
            _ = reader.list("g", of: .string)
        }
        #expect(
            found == [
                "relay.yaml:1:4: a: 'yes' is neither true nor false; write one of them",
                "relay.yaml:2:4: b: 'blk' is not known here; did you mean 'bulk'?",
                "relay.yaml:3:4: c: 'sideways' is not known here; write one of control, live, bulk",
                "relay.yaml:4:4: d: 'Plant/x' is not a node's name; write zone/name in lower-case letters, digits "
                    + "and '-', such as plant-a/relay-1",
                "relay.yaml:5:4: e: 'a/**/b' names no nodes; write zone/name, zone/* for all of a zone, or '*' for all",
                "relay.yaml:6:4: f: '' is empty; write a text or leave the key out",
                "relay.yaml:7:4: g: here stands a single value; write a list, one '- …' a line, or [a, b]",
            ])
    }

    @Test func showsNoSecret() throws {
        let format = ConfigurationFormat<String>(provisional: "", isShown: false) {
            _, _ throws(ConfigurationFormat<String>.Mismatch) in
            throw .init("is wrong")
        }
        #expect(
            try problems("a: hunter2") { _ = $0.required("a", format) } == ["relay.yaml:1:4: a: the value is wrong"])
    }

    @Test func showsTwentyProblemsAndCountsTheRest() throws {
        let text = (1...25).map { "k\($0): x" }.joined(separator: "\n")
        let found = try problems(text) { reader in
            for number in (1...25).reversed() { _ = reader.required("k\(number)", .integer()) }
        }
        #expect(found.count == 21)
        #expect(found.first?.hasPrefix("relay.yaml:1:5: k1:") == true)
        #expect(found.last == "and 5 more; mend these first")
    }

    @Test func takesPathsFromTheDirectoryOfTheFile() throws {
        let node = try YAMLNode.parse(Array("a: store\nb: /abs\n".utf8), file: "/etc/gridrelay/node.yaml")
        let reader = ConfigurationReader(node)
        #expect(reader.required("a", .path) == "/etc/gridrelay/store")
        #expect(reader.required("b", .path) == "/abs")
        try reader.finish()
    }

    @Test func wantsAMappingOnTop() throws {
        let expected = ["relay.yaml:1:1: here stands a list; write a mapping, one 'key: value' a line"]
        #expect(try problems("- a\n") { _ in } == expected)
    }
}
