import Agent
import Envelope
import Testing

@testable import Connectors

@Suite("Files from source to sink")
struct FilesRoundTripTests {
    /// A small generator with a seed, so that a failure can be run again.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private func randomFile(_ dice: inout Dice) -> [UInt8] {
        let fragments: [String] = [
            "a", "1.5", ",", ",", "\"", "\"\"", "\n", "\r\n", "\r", "\"x\ny\"", "\"a,b\"", "ü", " ", ";", "\u{0}",
        ]
        let text = (0..<Int.random(in: 1...200, using: &dice)).map { _ in fragments.randomElement(using: &dice) ?? "" }
        return Array(("h1,h2\n" + text.joined()).utf8)
    }

    @Test("Any file is rebuilt byte for byte, by lines and by rows", arguments: 1...60 as ClosedRange<UInt64>)
    func byteForByte(seed: UInt64) throws {
        var dice = Dice(state: seed)
        for mode in [FilesSourceSettings.Mode.lines, .csv] {
            let directory = try TemporaryDirectory()
            var files: [String: [UInt8]] = [:]
            for name in ["a.csv", "b.csv", "c.csv"] {
                // A file that holds a header row and nothing else has no records.
                files[name] = randomFile(&dice)
                try directory.write(files[name] ?? [], to: "in/" + name)
            }
            let source = FilesSource(
                FilesSourceSettings(directory: directory.path("in"), mode: mode), clocks: TestClocks().clocks)
            let batches = try source.drain(limit: Int.random(in: 150...4_000, using: &dice)).batches
            let sink = FilesSink(
                FilesSinkSettings(
                    directory: directory.path("out"), mode: .append, name: try #require(OutputTemplate("{path}")),
                    format: mode == .csv ? .csv : .lines))
            var stream = TestStream()
            for bytes in batches { try sink.apply([stream.delivery(bytes)]) }
            for (name, content) in files { #expect(directory.read("out/" + name) == content, "\(name) seed \(seed)") }
        }
    }
}
