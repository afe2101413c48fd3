import Node
import Testing

extension IntegrationTests {
    /// Several agents, topics and meshes side by side.
    @Suite(.serialized) struct SharingTests {
        /// Two agents on one relay send under the same topic to one agent, which keeps them apart by their source.
        @Test(.timeLimit(.minutes(2))) func twoAgentsOnOneRelayWithTheSameTopic() async throws {
            let place = try TemporaryDirectory()
            try place.makeDirectory("input")
            var layout = Layout()
            try layout.relay("plant-a/relay-1")
            for number in 1...2 {
                try place.write("of \(number)\n", to: "input/\(number).txt")
                layout.agent(
                    "plant-a/agent-\(number)",
                    jobs: [
                        "{name: lines, to: plant-a/agent-3, schedule: {every: 50ms}, "
                            + "source: {kind: files, path: ../../input/\(number).txt, mode: lines}}"
                    ])
            }
            layout.agent(
                "plant-a/agent-3",
                sinks: (1...2).map { number in
                    "{name: of-\(number), topics: [lines], from: [plant-a/agent-\(number)], "
                        + "sink: {kind: files, directory: ../../output/\(number), name: lines.txt}}"
                })
            for number in 1...3 { layout.link("plant-a/agent-\(number)", "plant-a/relay-1") }
            layout.flow("all", from: "'plant-a/*'", to: "plant-a/agent-3")
            let bed = try await Testbed.make(layout, in: place)
            try place.makeDirectory("output")
            try await bed.startAll()
            for number in 1...2 {
                try await bed.awaitFile("output/\(number)/lines.txt", is: Array("of \(number)\n".utf8))
            }
            #expect(try bed.status("plant-a/agent-3").counters.quarantined == 0)
        }

        /// Two meshes with the same names beside each other: their nodes do not let each other in.
        @Test(.timeLimit(.minutes(2))) func twoMeshesDoNotMix() async throws {
            let places = [try TemporaryDirectory(), try TemporaryDirectory()]
            var beds: [Testbed] = []
            for (number, place) in places.enumerated() {
                try place.makeDirectory("input")
                try place.write("mesh \(number)\n", to: "input/lines.txt")
                let layout = try Layout.threeZones(
                    jobs: [
                        "{name: lines, to: plant-b/agent-1, schedule: {every: 50ms}, "
                            + "source: {kind: files, path: ../../input/lines.txt, mode: lines}}"
                    ],
                    sinks: [
                        "{name: lines, topics: [lines], "
                            + "sink: {kind: files, directory: ../../output, name: lines.txt}}"
                    ])
                beds.append(try await Testbed.make(layout, in: place))
            }
            // An agent of the second mesh is sent to a relay of the first.
            let agent = "plant-a/agent-1"
            let path = "mesh/plant-a-agent-1/node.yaml"
            let good = try #require(places[1].text(path))
            let ports = try (beds[0].port(of: "plant-a/relay-1"), beds[1].port(of: "plant-a/relay-1"))
            try places[1].write(good.replacing("\(ports.1)", with: "\(ports.0)"), to: path)
            for bed in beds { try await bed.startAll() }
            try await places[0].awaitText("output/lines.txt", "mesh 0\n", beds[0])
            try await eventually("the relay tells why it lets nobody in", detail: beds[0].tails) {
                beds[0].lines("link.refused", of: "plant-a/relay-1").contains { $0.contains("another authority") }
            }
            #expect(try beds[1].status(agent).links.allSatisfy { $0.state == .down })
            #expect(places[1].read("output/lines.txt") == nil)
            // Put right, it arrives where it should.
            try places[1].write(good, to: path)
            beds[1].kill(agent)
            try await beds[1].startAll()
            try await places[1].awaitText("output/lines.txt", "mesh 1\n", beds[1])
            #expect(places[0].text("output/lines.txt") == "mesh 0\n")
        }
    }
}

extension TemporaryDirectory {
    fileprivate func awaitText(_ name: String, _ text: String, _ bed: Testbed) async throws {
        try await bed.awaitFile(name, is: Array(text.utf8))
    }
}
