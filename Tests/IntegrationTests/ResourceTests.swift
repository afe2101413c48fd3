import Glibc
import Node
import Testing

extension IntegrationTests {
    /// A relay's memory: little when idle, bounded however much goes through it.
    @Suite(.serialized, .disabled(if: isSanitized, "a sanitizer has memory of its own"))
    struct ResourceTests {
        @Test(.timeLimit(.minutes(1))) func anIdleRelayIsSmall() async throws {
            let place = try TemporaryDirectory()
            var layout = Layout()
            try layout.relay("dmz/relay-1")
            let bed = try await Testbed.make(layout, in: place)
            try await bed.startAll()
            let pid = try #require(bed.process("dmz/relay-1")?.pid)
            let memory = ProcessMemory(pid: pid)
            #expect(memory.residentBytes > 1 << 20, "it was measured")
            #expect(memory.residentBytes < 40 << 20)
            #expect(memory.peakResidentBytes < 40 << 20)
        }

        /// 1 GB (10 GB in the long form) from an agent through a relay to an agent.
        @Test(.timeLimit(.minutes(10))) func aRelayThatForwardsMuchStaysSmall() async throws {
            let place = try TemporaryDirectory()
            try place.makeDirectory("output")
            let recordBytes = 256 << 10
            let count = (isSoak ? 10_000_000_000 : 1_000_000_000) / recordBytes
            var layout = Layout()
            layout.defaults = ["store: {maxBytes: 256MiB, segmentBytes: 32MiB}"]
            try layout.relay("dmz/relay-1")
            layout.agent(
                "dmz/agent-1",
                jobs: [
                    "{name: load, to: dmz/agent-2, compression: none, batchBytes: 1MiB, "
                        + "source: {kind: synthetic, recordBytes: \(recordBytes), count: \(count)}}"
                ])
            layout.agent(
                "dmz/agent-2",
                sinks: [
                    "{name: all, topics: ['*'], "
                        + "sink: {kind: discard, statistics: ../../output/load.json, expected: \(count)}}"
                ])
            layout.link("dmz/agent-1", "dmz/relay-1")
            layout.link("dmz/agent-2", "dmz/relay-1")
            layout.flow("all", from: "dmz/agent-1", to: "dmz/agent-2")
            let bed = try await Testbed.make(layout, in: place)
            try await bed.startAll()
            let pid = try #require(bed.process("dmz/relay-1")?.pid)
            let memory = ProcessMemory(pid: pid)
            let begun = ContinuousClock.now
            try await eventually("all has arrived", within: .seconds(isSoak ? 500 : 120), detail: bed.tails) {
                try Statistics(place, "output/load.json")["distinct"] == count
            }
            let statistics = try Statistics(place, "output/load.json")
            print(
                "\(count * recordBytes / 1_000_000) MB in \(ContinuousClock.now - begun)",
                "relay at most \(memory.peakResidentBytes >> 20) MiB")
            #expect(memory.peakResidentBytes < 200 << 20)
            #expect(statistics["missing"] == 0)
            #expect(statistics["duplicates"] == 0)
        }
    }
}

/// What a discard sink has counted, from its file.
struct Statistics {
    private var figures: [String: Int] = [:]

    /// - Throws: where the file is not there yet.
    init(_ place: TemporaryDirectory, _ name: String) throws {
        guard let text = place.text(name) else { throw SystemFailure(text: "no file \(name)") }
        for line in text.split(separator: "\n") {
            let words = line.split { " \",:".contains($0) }
            if words.count == 2 { figures[String(words[0])] = Int(words[1]) }
        }
    }

    subscript(name: String) -> Int? { figures[name] }
}
