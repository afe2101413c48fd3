import Node
import TestSupport
import Testing

extension IntegrationTests {
    /// Two relays in the middle: a ring of four. What breaks is routed round.
    @Suite(.serialized) struct RedundancyTests {
        @Test(.timeLimit(.minutes(3))) func aRingRoutesRoundACutLinkAndADeadRelay() async throws {
            let place = try TemporaryDirectory()
            var data = try await DataSet(in: place, seed: 4)
            var layout = try Layout.threeZones(
                jobs: DataSet.jobs + [DataSet.databaseJob(place)], sinks: DataSet.sinks + DataSet.databaseSinks(place))
            try layout.relay("dmz/relay-2")
            let first = try FaultProxy(to: #require(layout["dmz/relay-1"]).port)
            let second = try FaultProxy(to: #require(layout["dmz/relay-2"]).port)
            layout.dial("plant-a/relay-1", "dmz/relay-1", through: first.port)
            layout.link("plant-a/relay-1", "dmz/relay-2", cost: 30, dial: second.port)
            layout.link("plant-b/relay-1", "dmz/relay-2", cost: 30)
            let bed = try await Testbed.make(layout, in: place)
            try await bed.startAll()
            for relay in ["dmz/relay-1", "dmz/relay-2"] {
                try await bed.awaitLink("plant-a/relay-1", relay)
                try await bed.awaitLink("plant-b/relay-1", relay)
            }
            var round = 0
            /// Sends more and says through which of the two it went.
            func way() async throws -> Int {
                let before = (first.bytes, second.bytes)
                round += 1
                try await data.grow(round: round)
                try await data.awaitDelivery(bed)
                return first.bytes - before.0 > second.bytes - before.1 ? 1 : 2
            }
            #expect(try await way() == 1, "the cheaper way")
            first.mode = .cut
            #expect(try await way() == 2, "round the cut link")
            first.mode = .passing
            try await eventually("back on the cheaper way") { try await way() == 1 }
            bed.kill("dmz/relay-1")
            #expect(try await way() == 2, "round the dead relay")
            try await bed.startAll()
            try await eventually("back through the relay that was dead") { try await way() == 1 }
            for name in bed.names { #expect(try bed.status(name).counters.isBalanced) }
        }

        /// Both ways come and go at random while data flows: never lost, never twice.
        @Test(.timeLimit(.minutes(3))) func aRingWhoseLinksFlapLosesAndRepeatsNothing() async throws {
            let seed = makeSeed("aRingWhoseLinksFlap")
            var generator = SeededGenerator(seed)
            let place = try TemporaryDirectory()
            var data = try await DataSet(in: place, seed: seed)
            var layout = try Layout.threeZones(
                jobs: DataSet.jobs + [DataSet.databaseJob(place)], sinks: DataSet.sinks + DataSet.databaseSinks(place))
            try layout.relay("dmz/relay-2")
            let proxies = try ["dmz/relay-1", "dmz/relay-2", "dmz/relay-1", "dmz/relay-2"].map { name in
                try FaultProxy(to: #require(layout[name]).port)
            }
            layout.dial("plant-a/relay-1", "dmz/relay-1", through: proxies[0].port)
            layout.link("plant-a/relay-1", "dmz/relay-2", dial: proxies[1].port)
            layout.dial("plant-b/relay-1", "dmz/relay-1", through: proxies[2].port)
            layout.link("plant-b/relay-1", "dmz/relay-2", dial: proxies[3].port)
            let bed = try await Testbed.make(layout, in: place)
            try await bed.startAll()
            for round in 1...(isSoak ? 200 : 20) {
                try await data.grow(round: round)
                for proxy in proxies { proxy.mode = Bool.random(using: &generator) ? .passing : .cut }
                // How long this state of the links lasts.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...300, using: &generator)))
            }
            for proxy in proxies { proxy.mode = .passing }
            try await data.awaitDelivery(bed)
        }
    }
}
