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

        /// Adds data ten times, spread over a while.
        private func growDuring(_ span: Duration, _ data: inout DataSet) async throws {
            for round in 1...10 {
                try await data.grow(round: round)
                try await Task.sleep(for: span / 10)
            }
        }
    }
}
