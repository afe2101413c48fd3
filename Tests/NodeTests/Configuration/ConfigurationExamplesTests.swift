import Envelope
import Glibc
import Testing

@testable import Node

/// The example topologies are read, checked and unfolded, so that none of them can go wrong unseen.
@Suite struct ConfigurationExamplesTests {
    static let directory =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
        .joined(separator: "/") + "/topology"

    static let examples: [String] = {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".yaml") { names.append(name) }
        }
        return names.sorted()
    }()

    @Test func allThreeAreThere() {
        #expect(Set(Self.examples).isSuperset(of: ["plant-dmz-plant.yaml", "three-clouds.yaml", "two-zones.yaml"]))
    }

    @Test(arguments: examples)
    func parsesAndRendersAlsoWithoutSecrets(example: String) throws {
        let topology = try TopologyFile.load(path: "\(Self.directory)/\(example)", environment: YAMLEnvironment())
        #expect(topology.warnings.map(\.description) == [])
        #expect(!topology.nodes.isEmpty)
        #expect(try topology.layout(in: "run").count == topology.nodes.count)
        let secrets = YAMLEnvironment(["ERP_PASSWORD": "one$two", "CLOUD_PASSWORD": "\"three\""])
        for node in topology.nodes {
            let text = try topology.render(node: node.name)
            let decoded = try NodeConfiguration.decode(Array(text.utf8), file: "run/n/node.yaml", environment: secrets)
            #expect(decoded.node == node.name)
            #expect(decoded.role == node.role)
            #expect(decoded.listen == node.listen)
            #expect(decoded.store.directory == "run/n/store")
            #expect(decoded.agent?.jobs.map(\.name) == node.agent?.jobs.map(\.name))
            #expect(decoded.agent?.sinks.map(\.name) == node.agent?.sinks.map(\.name))
        }
    }

    @Test func theDemoIsWhatTheDemoExpects() throws {
        let topology = try TopologyFile.load(
            path: "\(Self.directory)/plant-dmz-plant.yaml", environment: YAMLEnvironment())
        #expect(
            topology.nodes.map(\.name.description) == [
                "plant-a/relay-1", "plant-a/agent-1", "dmz/relay-1", "plant-b/relay-1", "plant-b/agent-1",
            ])
        #expect(topology.links.filter { $0.to.zone.description == "dmz" }.count == 2)
        #expect(!topology.links.contains { $0.from.zone.description == "dmz" })
        let demo = YAMLEnvironment(["GRIDRELAY_DEMO": "/demo"])
        let agent = try NodeConfiguration.decode(
            Array(topology.render(node: try NodeName("plant-a/agent-1")).utf8), file: "n/node.yaml", environment: demo)
        #expect(agent.agent?.jobs.first?.source["path"]?.scalar?.text == "/demo/input/seattle-temps.csv")
        #expect(agent.resendAfter == .seconds(10))
        #expect(agent.store.maxBytes == 2 << 30)
        #expect(agent.links.first?.dial == .init(host: "127.0.0.1", port: 17401))
        let relay = try NodeConfiguration.decode(
            Array(topology.render(node: try NodeName("dmz/relay-1")).utf8), file: "n/node.yaml", environment: demo)
        #expect(relay.links.map(\.dial) == [nil, nil])
        #expect(relay.attach == [])
        #expect(relay.flows.map(\.name) == ["a-to-b"])
    }
}
