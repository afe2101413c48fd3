import Node
import Testing

extension IntegrationTests {
    /// The zone in the middle goes away and comes back.
    @Suite(.serialized) struct OutageTests {
        private static let outage: Duration = isSoak ? .seconds(60) : .seconds(10)

        @Test(.timeLimit(.minutes(5))) func theMiddleZoneStopsForAWhile() async throws {
            let place = try TemporaryDirectory()
            var data = try await DataSet(in: place, seed: 2)
            let bed = try await Testbed.make(
                Layout.threeZones(
                    jobs: DataSet.jobs + [DataSet.databaseJob(place)],
                    sinks: DataSet.sinks + DataSet.databaseSinks(place)), in: place)
            try await bed.startAll()
            try await data.grow(round: 0)
            try await data.awaitDelivery(bed)
            bed.kill("dmz/relay-1")
            try await growDuring(Self.outage, &data)
            try await bed.startAll()
            try await data.awaitDelivery(bed)
            #expect(try bed.status("plant-b/agent-1").counters.quarantined == 0)
        }

        @Test(.timeLimit(.minutes(5)), arguments: [FaultProxy.Mode.cut, .silent])
        func theLinkToTheMiddleBreaksForAWhile(_ mode: FaultProxy.Mode) async throws {
            let place = try TemporaryDirectory()
            var data = try await DataSet(in: place, seed: 3)
            var layout = try Layout.threeZones(
                jobs: DataSet.jobs + [DataSet.databaseJob(place)], sinks: DataSet.sinks + DataSet.databaseSinks(place))
            guard let middle = layout["dmz/relay-1"] else { throw SystemFailure(text: "no relay in the middle") }
            let proxy = try FaultProxy(to: middle.port)
            layout.dial("plant-a/relay-1", "dmz/relay-1", through: proxy.port)
            let bed = try await Testbed.make(layout, in: place)
            try await bed.startAll()
            try await data.grow(round: 0)
            try await data.awaitDelivery(bed)
            #expect(proxy.bytes > 100_000, "the data goes through the proxy")
            proxy.mode = mode
            // Noticed at once, or after Limits.silence.
            try await bed.awaitLink("plant-a/relay-1", "dmz/relay-1", state: .down)
            try await growDuring(Self.outage, &data)
            let before = try #require(place.read("output/lines/lines.txt"))
            #expect(before.count < data.lines.count, "nothing can have come through")
            proxy.mode = .passing
            try await data.awaitDelivery(bed)
        }

        /// The relay drains the backlog slowly, so that receipts for what is old come while more of it waits.
        @Test(.timeLimit(.minutes(2))) func whatIsFreshOvertakesTheBacklogOfItsJob() async throws {
            let records = 1500
            let place = try TemporaryDirectory()
            try place.makeDirectory("output")
            var layout = Layout()
            try layout.relay("dmz/relay-1", extra: ["history: {after: 1s}"])
            layout.agent(
                "plant-a/agent-1",
                jobs: [
                    "{name: load, to: dmz/agent-2, compression: none, batchBytes: 1, freshFirst: true, "
                        + "source: {kind: synthetic, recordBytes: 1000, rate: 200, count: \(records)}}"
                ], extra: ["history: {after: 1s}"])
            layout.agent(
                "dmz/agent-2",
                sinks: [
                    "{name: all, topics: ['*'], sink: {kind: discard, statistics: ../../output/load.json, "
                        + "expected: \(records)}}"
                ])
            layout.link("plant-a/agent-1", "dmz/relay-1")
            layout.link("dmz/agent-2", "dmz/relay-1")
            layout.flow("all", from: "plant-a/agent-1", to: "dmz/agent-2", extra: "limit: 500KB/s")
            let bed = try await Testbed.make(layout, in: place)
            for name in ["dmz/relay-1", "dmz/agent-2"] { try bed.start(name) }
            try await bed.awaitLink("dmz/agent-2", "dmz/relay-1")
            bed.kill("dmz/agent-2")
            try bed.start("plant-a/agent-1")
            try await eventually("three seconds' worth waits", detail: bed.tails) {
                try bed.status("plant-a/agent-1").jobs.first?.unreceipted ?? 0 > 600
            }
            try bed.start("dmz/agent-2")
            try await eventually("a backlog is overtaken", detail: bed.tail(of: "plant-a/agent-1")) {
                !bed.lines("job.overtakes", of: "plant-a/agent-1").isEmpty
            }
            try await eventually("all has arrived", within: .seconds(60), detail: bed.tails) {
                try Statistics(place, "output/load.json")["distinct"] == records
            }
            let statistics = try Statistics(place, "output/load.json")
            #expect(statistics["missing"] == 0 && statistics["duplicates"] == 0)
        }

        /// One relay, an agent with the job, and one that counts what it gets.
        private func counting(_ records: Int, _ job: String, in place: TemporaryDirectory) async throws -> Testbed {
            try place.makeDirectory("output")
            var layout = Layout()
            try layout.relay("dmz/relay-1")
            layout.agent(
                "plant-a/agent-1",
                jobs: [
                    "{name: load, to: dmz/agent-2, compression: none, \(job), "
                        + "source: {kind: synthetic, recordBytes: 50000, count: \(records)}}"
                ])
            layout.agent(
                "dmz/agent-2",
                sinks: [
                    "{name: all, topics: ['*'], sink: {kind: discard, statistics: ../../output/load.json, "
                        + "expected: \(records)}}"
                ])
            layout.link("plant-a/agent-1", "dmz/relay-1")
            layout.link("dmz/agent-2", "dmz/relay-1")
            layout.flow("all", from: "plant-a/agent-1", to: "dmz/agent-2")
            return try await Testbed.make(layout, in: place)
        }

        @Test(.timeLimit(.minutes(2))) func aSourceKeepsWhatItsJobMayNotReadAhead() async throws {
            let records = 2000
            let place = try TemporaryDirectory()
            let bed = try await counting(records, "readAhead: 1MiB", in: place)
            try bed.start("plant-a/agent-1")
            try await eventually("the job waits", detail: bed.tails) {
                try bed.status("plant-a/agent-1").jobs.first?.state == "waiting"
            }
            // Besides what may wait, only what is on its way to the disk.
            let read = try bed.status("plant-a/agent-1").jobs.first?.records ?? 0
            #expect(read > 0 && read < records / 2)
            for name in ["dmz/relay-1", "dmz/agent-2"] { try bed.start(name) }
            try await eventually("all has arrived", within: .seconds(60), detail: bed.tails) {
                try Statistics(place, "output/load.json")["distinct"] == records
            }
            #expect(try Statistics(place, "output/load.json")["duplicates"] == 0)
        }

        @Test(.timeLimit(.minutes(2))) func aSourceHearsOfWhatExpiredAtARelay() async throws {
            let place = try TemporaryDirectory()
            let bed = try await counting(5, "batchBytes: 1, lifetime: 3s", in: place)
            for name in ["dmz/relay-1", "dmz/agent-2"] { try bed.start(name) }
            try await bed.awaitLink("dmz/agent-2", "dmz/relay-1")
            bed.kill("dmz/agent-2")
            try bed.start("plant-a/agent-1")
            try await eventually("the relay tells it", within: .seconds(60), detail: bed.tails) {
                bed.lines("notice", of: "plant-a/agent-1").contains { $0.contains("dmz/relay-1") }
            }
            #expect(!bed.lines("envelope.expired", of: "dmz/relay-1").isEmpty)
            // It gives them up by itself.
            try await eventually("nothing is kept", within: .seconds(60), detail: bed.tails) {
                try bed.status("plant-a/agent-1").jobs.first?.unreceipted == 0
            }
        }

        /// Adds data ten times, spread over a while.
        private func growDuring(_ span: Duration, _ data: inout DataSet) async throws {
            for round in 1...10 {
                try await data.grow(round: round)
                try await Task.sleep(for: span / 10)
            }
        }
    }
}
