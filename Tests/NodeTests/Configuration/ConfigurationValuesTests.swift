import Envelope
import Testing

@testable import Node

@Suite struct ConfigurationValuesTests {
    @Test(arguments: [
        (0, "0B"), (1, "1B"), (1023, "1023B"), (1024, "1KiB"), (10_000_000, "10MB"), (1 << 40, "1TiB"), (1000, "1kB"),
        (Int.max, "9223372036854775807B"),
    ])
    func spellsSizesSoThatTheyReadBack(bytes: Int, text: String) throws {
        #expect(Quantity.spell(bytes: bytes) == text)
        #expect(try Quantity.bytes(text, what: "a size", example: "1B", in: 0...Int.max) == bytes)
    }

    @Test(arguments: [
        (Duration.zero, "0s"), (.microseconds(1), "1us"), (.milliseconds(1500), "1500ms"), (.seconds(60), "1m"),
        (.seconds(90), "90s"), (.seconds(7200), "2h"), (.seconds(86_400), "1d"),
    ])
    func spellsSpansSoThatTheyReadBack(span: Duration, text: String) throws {
        #expect(Quantity.spell(span) == text)
        #expect(try Quantity.duration(text, in: .zero ... .seconds(1 << 20)) == span)
    }

    @Test func allowsOneSpaceBeforeAUnit() throws {
        #expect(try Quantity.bytes("10 MB", what: "", example: "", in: 0...Int.max) == 10_000_000)
        #expect(throws: ConfigurationFormat<Int>.Mismatch.self) {
            try Quantity.bytes("10  MB", what: "", example: "", in: 0...Int.max)
        }
    }

    @Test(arguments: [
        ("cots", "cost"), ("COST", "cost"), ("cst", "cost"), ("costs", "cost"), ("durabilty", "durability"),
        ("hold_time", "holdTime"), ("listne", "listen"),
    ])
    func findsTheNearestWord(typed: String, meant: String) {
        #expect(NearestWord.of(typed, in: ["listen", "holdTime", "durability", "cost"]) == meant)
    }

    @Test func findsNoWordThatIsFarOff() {
        #expect(NearestWord.of("xyz", in: ["cost", "peer"]) == nil)
        #expect(NearestWord.of("", in: ["cost"]) == nil)
        #expect(NearestWord.of("cost", in: []) == nil)
        #expect(NearestWord.of(String(repeating: "x", count: 100_000), in: ["cost"]) == nil)
    }

    @Test func patternsMatchAsFlowsDo() throws {
        let node = try NodeName("plant-a/agent-1")
        for text in ["*", "plant-a/*", "plant-a/agent-1"] {
            let pattern = try #require(NodePattern(text))
            #expect(pattern.description == text)
            #expect(pattern.matches(node))
        }
        for text in ["plant-b/*", "plant-a/agent-2", "plant/*"] {
            #expect(try #require(NodePattern(text)).matches(node) == false)
        }
        for text in ["", "/", "*/x", "a/b*", "plant-*/x", "a", "a/b/*", "A/*", "**"] {
            #expect(NodePattern(text) == nil)
        }
    }

    @Test(arguments: [
        ("*", "a/b", true), ("a/*", "a/b", true), ("a/*", "b/*", false), ("a/*", "a/*", true), ("a/b", "a/c", false),
        ("a/b", "*", true), ("a/b", "b/*", false),
    ])
    func patternsOverlapWhereANodeFitsBoth(one: String, two: String, overlap: Bool) throws {
        let (left, right) = (try #require(NodePattern(one)), try #require(NodePattern(two)))
        #expect(left.overlaps(right) == overlap)
        #expect(right.overlaps(left) == overlap)
    }
}
