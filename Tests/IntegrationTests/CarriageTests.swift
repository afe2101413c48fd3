import Admin
import Node
import Testing

extension IntegrationTests {
    /// Zones that no link ever reaches: people carry envelopes there and receipts back.
    @Suite(.serialized) struct CarriageTests {
        private static let source = "plant-a/agent-1"
        private static let destination = "plant-b/agent-1"
        private static let relays = ["plant-a/relay-1", "plant-b/relay-1"]

        /// Two zones, each a relay and an agent, and nothing between them.
        private func islands(in place: TemporaryDirectory, flowTo: String) async throws -> Testbed {
            var layout = Layout()
            for relay in Self.relays { try layout.relay(relay) }
            layout.agent(
                Self.source,
                jobs: [
                    "{name: lines, to: \(Self.destination), schedule: {every: 50ms}, batchBytes: 2KiB, linger: 0ms, "
                        + "source: {kind: files, path: ../../input/lines.txt, mode: lines}}"
                ])
            layout.agent(
                Self.destination,
                sinks: ["{name: all, topics: ['*'], sink: {kind: files, directory: ../../output, name: lines.txt}}"])
            layout.link(Self.source, Self.relays[0])
            layout.link(Self.destination, Self.relays[1])
            layout.carry(Self.relays[0], Self.relays[1])
            layout.flow("a-to-b", from: Self.source, to: flowTo)
            for name in ["input", "output", "medium"] { try place.makeDirectory(name) }
            let bed = try await Testbed.make(layout, in: place)
            try await bed.startAll()
            return bed
        }

        private func lines(_ range: Range<Int>) -> [UInt8] {
            Array(range.map { "line \($0) \(String(repeating: "x", count: $0 % 90))\n" }.joined().utf8)
        }

        /// - Parameter receipted: envelopes that have their receipts.
        private func awaitRead(_ records: Int, receipted: UInt64 = 0, _ bed: Testbed) async throws {
            try await eventually("the agent has all \(records) in its outbox", detail: bed.tails) {
                guard let job = try bed.status(Self.source).jobs.first, job.records == records else { return false }
                return job.unreceipted + receipted == job.envelopes
            }
        }

        @discardableResult
        private func relayctl(_ words: String, _ file: String, at node: String, _ bed: Testbed) async throws -> String {
            try await mustRun(
                [Program.relayctl.path] + words.split(separator: " ").map(String.init)
                    + [bed.place.path("medium/" + file), "--node", bed.directory(of: node)])
        }

        @Test(.timeLimit(.minutes(3))) func envelopesGoByHandAndReceiptsComeBack() async throws {
            let place = try TemporaryDirectory()
            let bed = try await islands(in: place, flowTo: Self.destination)
            var wanted = lines(0..<2000)
            try place.write(wanted, to: "input/lines.txt")
            try await eventually("the relay has it all", detail: bed.tails) {
                let job = try bed.status(Self.source).jobs.first
                let made = job?.envelopes ?? 0
                return try job?.records == 2000 && bed.status(Self.relays[0]).store.envelopes == made
            }
            let told = try await relayctl("journal export", "1.carry", at: Self.relays[0], bed)
            #expect(told.contains("live") && told.contains("envelopes"))
            try await relayctl("journal import", "1.carry", at: Self.relays[1], bed)
            try await bed.awaitFile("output/lines.txt", is: wanted)

            // The receipts wait for a way back, and find it in a pocket.
            try await eventually("the receipts wait", detail: bed.tails) {
                try bed.status(Self.relays[1]).store.envelopes > 0
            }
            try await eventually("all is carried back", detail: bed.tails) {
                try await self.relayctl("journal export --force", "back.carry", at: Self.relays[1], bed)
                try await self.relayctl("journal import", "back.carry", at: Self.relays[0], bed)
                return try bed.status(Self.source).jobs.first?.unreceipted == 0
                    && bed.status(Self.relays[0]).store.envelopes == 0
            }

            // A relay that was killed still knows the names; the same file twice has its effect once; an agent whose
            // relay is gone is copied from itself.
            bed.kill(Self.relays[1])
            bed.kill(Self.relays[0])
            try bed.start(Self.relays[1])
            try await bed.awaitUp(Self.relays[1])
            try await relayctl("journal import", "1.carry", at: Self.relays[1], bed)
            let before = try #require(try bed.status(Self.source).jobs.first).envelopes
            let more = lines(2000..<2500)
            wanted += more
            try place.write(more, to: "input/lines.txt", appending: true)
            try await awaitRead(2500, receipted: before, bed)
            try await relayctl("journal export", "2.carry", at: Self.source, bed)
            try await relayctl("journal import", "2.carry", at: Self.relays[1], bed)
            try await bed.awaitFile("output/lines.txt", is: wanted)
            #expect(try bed.status(Self.destination).counters.quarantined == 0)
        }

        /// The relay of an island has never heard of the other zone: flows that name zones hold all the same.
        @Test(.timeLimit(.minutes(2))) func zonesAreKnownByTheNamesThatAreCarriedToo() async throws {
            let place = try TemporaryDirectory()
            let bed = try await islands(in: place, flowTo: "'plant-b/*'")
            let wanted = lines(0..<300)
            try place.write(wanted, to: "input/lines.txt")
            try await awaitRead(300, bed)
            try await relayctl("journal export", "1.carry", at: Self.source, bed)
            // Carried to its own relay first, which stores what it can only send on by hand.
            try await relayctl("journal import", "1.carry", at: Self.relays[0], bed)
            bed.kill(Self.relays[0])
            try await bed.startAll()
            try await relayctl("journal export --to plant-b/*", "2.carry", at: Self.relays[0], bed)
            try await relayctl("journal import", "2.carry", at: Self.relays[1], bed)
            try await bed.awaitFile("output/lines.txt", is: wanted)
        }

        /// A medium that was damaged on the way costs what is damaged; the originals are still there.
        @Test(.timeLimit(.minutes(2))) func aDamagedMediumIsTold() async throws {
            let place = try TemporaryDirectory()
            let bed = try await islands(in: place, flowTo: Self.destination)
            let wanted = lines(0..<1000)
            try place.write(wanted, to: "input/lines.txt")
            try await awaitRead(1000, bed)
            try await relayctl("journal export", "1.carry", at: Self.source, bed)
            let good = try #require(place.read("medium/1.carry"))
            var bad = good
            bad[good.count / 2] ^= 1
            try place.write(bad, to: "medium/bad.carry")
            try place.write(Array(good.dropLast(100)), to: "medium/short.carry")
            try place.write("nothing of ours", to: "medium/foreign.carry")
            for name in ["bad", "short", "foreign"] {
                await #expect(throws: (any Error).self) {
                    try await self.relayctl("journal import", "\(name).carry", at: Self.relays[1], bed)
                }
            }
            try await relayctl("journal import", "1.carry", at: Self.relays[1], bed)
            try await bed.awaitFile("output/lines.txt", is: wanted)
        }
    }
}
