import Node
import TestSupport
import Testing

extension IntegrationTests {
    /// What is collected arrives once, row for row and byte for byte, whatever is killed.
    @Suite(.serialized) struct DeliveryTests {
        private func makeBed(_ place: TemporaryDirectory, reactors: Int) async throws -> Testbed {
            let layout = try Layout.threeZones(
                jobs: DataSet.jobs + [DataSet.databaseJob(place)], sinks: DataSet.sinks + DataSet.databaseSinks(place),
                reactors: reactors)
            return try await Testbed.make(layout, in: place)
        }

        @Test(.timeLimit(.minutes(3)), arguments: [1, 3]) func everyRowAndByteArrivesOnce(reactors: Int) async throws {
            let place = try TemporaryDirectory()
            var data = try await DataSet(in: place, seed: 1)
            let bed = try await makeBed(place, reactors: reactors)
            try await bed.startAll()
            for round in 1...3 { try await data.grow(round: round) }
            try await data.awaitDelivery(bed)
            for name in Layout.threeZoneNodes {
                let status = try bed.status(name)
                #expect(status.counters.isBalanced, "\(name): \(status.counters)")
                #expect(status.counters.quarantined == 0)
                #expect(status.reactors == reactors)
            }
        }

        /// Twenty times: data is added, and a random process dies at a random moment and is started again.
        @Test(.timeLimit(.minutes(10)), arguments: [1, 3])
        func killingAnyProcessAtAnyMomentLosesAndRepeatsNothing(reactors: Int) async throws {
            let seed = makeSeed("killingAnyProcess")
            var generator = SeededGenerator(seed)
            let place = try TemporaryDirectory()
            var data = try await DataSet(in: place, seed: seed)
            let bed = try await makeBed(place, reactors: reactors)
            try await bed.startAll()
            for round in 1...(isSoak ? 200 : 20) {
                try await data.grow(round: round)
                // The moment of the fault, not a wait for something.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...250, using: &generator)))
                let victim = Layout.threeZoneNodes.randomElement(using: &generator) ?? ""
                bed.kill(victim)
                // Now and then a second one, while the first is away.
                let second = Layout.threeZoneNodes.randomElement(using: &generator) ?? ""
                if round % 4 == 0, second != victim { bed.kill(second) }
                try await bed.startAll()
            }
            try await data.awaitDelivery(bed, within: .seconds(120))
        }
    }
}
