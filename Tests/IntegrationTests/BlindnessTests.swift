import Crypto
import Envelope
import Glibc
import Node
import Testing

extension IntegrationTests {
    /// A relay sees addresses, sizes and times, and nothing else: neither in its memory nor in its journal.
    @Suite(.serialized) struct BlindnessTests {
        @Test(.disabled(if: isSanitized, "a sanitizer's shadow has no end"), .timeLimit(.minutes(2)))
        func noRelayHoldsPlaintextOrKeys() async throws {
            try #require(getuid() == 0, "this test reads the memory of processes and needs root")
            let place = try TemporaryDirectory()
            try place.makeDirectory("input")
            let layout = try Layout.threeZones(
                jobs: [
                    "{name: lines, to: plant-b/agent-1, schedule: {every: 50ms}, compression: none, "
                        + "source: {kind: files, path: ../../input/lines.txt, mode: lines}}"
                ],
                sinks: [
                    "{name: lines, topics: [lines], sink: {kind: files, directory: ../../output, name: lines.txt}}"
                ],
                relayExtra: ["durability: storeFirst"])
            let bed = try await Testbed.make(layout, in: place)
            let marker = "MARKER-" + Hexadecimal.encode((0..<24).map { _ in UInt8.random(in: 0...255) })
            let text = Array((0..<2000).map { "\($0) \(marker)\n" }.joined().utf8)
            let secrets = try secrets(bed)
            let needles = [Array(marker.utf8)] + secrets
            let relays = ["plant-a/relay-1", "dmz/relay-1", "plant-b/relay-1"]
            func pid(_ name: String) throws -> pid_t { try #require(bed.process(name)?.pid) }
            func expectBlindRelays(_ when: String) throws {
                for name in relays {
                    #expect(try ProcessMemory(pid: pid(name)).search(for: needles) == [], "\(name)'s memory \(when)")
                    TemporaryDirectory.forEachFile(below: bed.directory(of: name)) { file, bytes in
                        for (index, needle) in needles.enumerated() {
                            #expect(!contains(bytes, needle), "needle \(index) lies in \(file) \(when)")
                        }
                    }
                }
            }

            // Once through all journals, then once more and kept, since the agent in plant-b is away.
            try await bed.startAll()
            try place.write(text, to: "input/lines.txt")
            try await bed.awaitFile("output/lines.txt", is: text)
            try expectBlindRelays("when all went through")
            #expect(
                try ProcessMemory(pid: pid("plant-b/agent-1")).search(for: [needles[0]]) == [0], "where it was opened")
            bed.kill("plant-b/agent-1")
            try place.write(text, to: "input/lines.txt", appending: true)
            try await eventually("a relay keeps it", detail: bed.tails) {
                try relays.contains { try bed.status($0).store.envelopes > 0 }
            }
            try expectBlindRelays("while it is kept")

            // The same searches find what is there: envelopes at the relays, keys at the agent, text at the sink.
            let source = NodeID(ofText: "plant-a/agent-1").value.bytes
            for name in relays {
                #expect(try ProcessMemory(pid: pid(name)).search(for: [source]) == [0], "a header in \(name)'s memory")
                var isStored = false
                TemporaryDirectory.forEachFile(below: bed.directory(of: name) + "/store") { _, bytes in
                    isStored = isStored || contains(bytes, source)
                }
                #expect(isStored, "\(name)'s journal")
            }
            #expect(
                try !ProcessMemory(pid: pid("plant-a/agent-1")).search(for: secrets).isEmpty, "the agent's own keys")
            try await bed.startAll()
            try await bed.awaitFile("output/lines.txt", is: text + text)
            #expect(contains(try #require(place.read("output/lines.txt")), needles[0]))
            try expectBlindRelays("in the end")
        }

        /// Keys and codes of both agents' grants and of the root key, as bytes and as digits.
        private func secrets(_ bed: Testbed) throws -> [[UInt8]] {
            var secrets: [[UInt8]] = []
            let files = ["plant-a/agent-1", "plant-b/agent-1"].map { bed.directory(of: $0) + "/keys.grant" }
            for file in files + [bed.place.path("mesh/authority/root.key")] {
                let text = String(decoding: try #require(TemporaryDirectory.contents(file)), as: UTF8.self)
                for line in text.split(separator: "\n") {
                    let name = line.prefix { $0 != ":" }
                    guard ["peer", "key-root", "code-root", "key", "code"].contains(name) else { continue }
                    for word in line.split(separator: " ") where word.count == 64 {
                        let bytes = try #require(Hexadecimal.decode(String(word)))
                        secrets += [bytes, Array(word.utf8)]
                    }
                }
            }
            try #require(secrets.count >= 12, "key and code of two grants and of the root: \(secrets.count / 2) found")
            return secrets
        }
    }
}
