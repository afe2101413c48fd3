import Admin
import Envelope
import Node
import Synchronization
import Testing

@testable import Commands

@Suite struct RendererTests {
    private static let red = "\u{1B}[1;31m"

    @Test(
        arguments: [
            ([], [:], false, false), ([], [:], true, true), ([], ["NO_COLOR": "1"], true, false),
            ([], ["NO_COLOR": ""], true, true), ([], ["TERM": "dumb"], true, false),
            (["--color", "always"], ["NO_COLOR": "1"], false, true), (["--colour=never"], [:], true, false),
            ([], ["RELAY_COLOR": "always"], false, true),
        ] as [([String], [String: String], Bool, Bool)])
    func colour(_ words: [String], _ environment: [String: String], _ isTerminal: Bool, _ isColoured: Bool) throws {
        let stage = try Stage(Samples.mesh)
        let all = environment.merging(["RELAY_SOCKET": stage.socket]) { first, _ in first }
        let outcome = stage.run(["topology"] + words, environment: all, isTerminal: isTerminal)
        #expect(outcome.output.contains(Self.red + "down") == isColoured)
        // The words say it too.
        #expect(outcome.output.contains("down"))
    }

    @Test func asciiWhereTheLocaleAsksForIt() throws {
        let stage = try Stage(Samples.mesh)
        let outcome = stage.run(["topology"], environment: ["RELAY_SOCKET": stage.socket, "LC_ALL": "C"])
        #expect(outcome.output.contains("plant-a --> dmz <x- plant-b"))
        #expect(outcome.output.contains("`- relay  relay  up"))
    }

    @Test func watchGoesOnThroughFailures() throws {
        let looks = Mutex(0)
        let stage = try Stage { request in
            let look = looks.withLock {
                $0 += 1
                return $0
            }
            return look == 2 ? .problem(status: 503, "restarting", hint: "wait") : Samples.mesh(request)
        }
        let outcome = stage.run(["queue", "list", "--no-headers", "--watch", "5"], looks: 3)
        let row = "plant-a/agent  control  forwarding      1  0     96 B           -  2 min 5 s  plant-a/relay\n"
        #expect(outcome.code == .ok)
        #expect(outcome.output.split(separator: "\n\n").count == 3)
        #expect(outcome.output.hasPrefix(row))
        #expect(outcome.output.contains("\n\nrestarting\nwait\n\n" + row))
        looks.withLock { $0 = 0 }
        let lines = stage.run(["queue", "list", "-o", "json", "-w"], looks: 3)
        #expect(lines.output.split(separator: "\n").map { $0.hasPrefix("{\"asOf\"") } == [true, true])
        #expect(lines.talk == "restarting\n")
    }

    @Test func watchOnATerminalClearsTheScreen() throws {
        let outcome = try Stage(Samples.mesh).run(["queue", "list", "-w", "--color=never"], isTerminal: true, looks: 2)
        #expect(outcome.output.split(separator: "\u{1B}[H\u{1B}[2J").count == 2)
    }

    @Test func strangersCannotSteerTheTerminal() throws {
        let stage = try Stage { _ in
            .json(
                status: 200,
                TopologyReport(
                    asOf: Samples.now, by: "a/b\u{1B}]0;x\u{7}", zones: [],
                    links: [
                        LinkReport(from: "a\n/b", to: "c/d\u{202E}", state: .up, asOf: Samples.now, reason: "\u{9B}2J")
                    ]))
        }
        let outcome = stage.run(["topology", "-o", "wide"])
        let isHarmless = outcome.output.unicodeScalars.allSatisfy { scalar in
            scalar == "\n" || ![.control, .format].contains(scalar.properties.generalCategory)
        }
        #expect(isHarmless)
        #expect(outcome.output.contains("a\u{FFFD}/b"))
        let refused = try Stage { _ in .problem(status: 500, "x\u{1B}[2J") }.run(["topology"])
        #expect(refused.talk == "error: x\u{FFFD}[2J\n")
    }

    @Test(arguments: [
        "plain", "a/b", "two words", "", "true", "No", "~", "1", "1.5e3", "-", "- a", "a: b", "#", "a #b", " x", "x ",
        "\"", "\\", "\n", "\t", "\u{85}", "\u{1}", "ü", "null", "'", "{", "[", "*", "&a", "!", "|", ">", "%", "@", "`",
        "2026-11-21", "0x1f", ".inf", "=",
    ])
    func yamlTextReadsBackAsItself(_ text: String) throws {
        let document = YAMLText.write(.object([("key", .text(text)), ("list", .list([.text(text)]))]))
        let tree = try YAMLNode.parse(Array(document.utf8), file: "test")
        #expect(tree["key"]?.scalar?.raw == text)
        guard case .sequence(let items)? = tree["list"]?.content else {
            Issue.record("no list in \(document)")
            return
        }
        #expect(items.first?.scalar?.raw == text)
    }

    @Test func yamlOfEveryShape() throws {
        let value = JSONValue.object([
            ("a", .list([])), ("b", .object([])),
            ("c", .list([.list([.integer(-1), .null]), .object([("d", .bool(true))])])),
            ("e", .number(1.5)), ("f", .unsigned(.max)),
        ])
        let expected = """
            a: []
            b: {}
            c:
              - - -1
                - null
              - d: true
            e: 1.5
            f: 18446744073709551615

            """
        #expect(YAMLText.write(value) == expected)
    }
}

@Suite struct QuantityTests {
    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_023_948, "999.9 KiB"), (1_048_575, "1.0 MiB"),
            (1 << 40, "1.0 TiB"), (.max, "16384.0 PiB"),
        ] as [(UInt64, String)])
    func bytes(_ count: UInt64, _ text: String) { #expect(Commands.Quantity.bytes(count) == text) }

    @Test(
        arguments: [
            (0, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (60, "1 min"), (95, "1 min 35 s"), (599, "9 min 59 s"),
            (600, "10 min"), (7300, "2 h 1 min"), (172_800, "2 d 0 h"), (-1, "?"), (.nan, "?"), (.infinity, "?"),
        ] as [(Double, String)])
    func age(_ seconds: Double, _ text: String) { #expect(Commands.Quantity.age(seconds: seconds) == text) }

    @Test func roundTripsAndCounts() {
        #expect(Commands.Quantity.roundTrip(microseconds: 0) == "0.00 ms")
        #expect(Commands.Quantity.roundTrip(microseconds: 999_949) == "999.9 ms")
        #expect(Commands.Quantity.roundTrip(microseconds: .max).hasSuffix(" s"))
        #expect(Commands.Quantity.count(0) == "0")
        #expect(Commands.Quantity.count(999) == "999")
        #expect(Commands.Quantity.count(.max) == "18,446,744,073,709,551,615")
        #expect(Commands.Quantity.ago(WallTime(milliseconds: .max), now: Samples.now) == "now")
        #expect(Commands.Quantity.ago(WallTime(milliseconds: .min), now: Samples.now) == "now")
    }
}
