import Admin
import Envelope
import Glibc
import Keyring
import Node
import Testing

@testable import Commands

@Suite struct ConfigurationTests {
    private static let mesh = """
        mesh: test
        zones:
          plant-a:
            nodes:
              relay: {role: relay}
              agent: {role: agent}
              spare: {role: agent}
          plant-b:
            nodes:
              relay: {role: relay, listen: ["127.0.0.1:7100"]}
              agent: {role: agent}
        links:
          - {from: plant-a/agent, to: plant-a/relay}
        """

    private static func file(_ name: String) -> String {
        let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(tests)/topology/\(name)"
    }

    @Test(arguments: ["two-zones.yaml", "plant-dmz-plant.yaml", "three-clouds.yaml"])
    func rendersEveryExample(_ name: String) throws {
        let stage = try Stage()
        let render = ["config", "render", "--topology", Self.file(name), "--out", stage.directory + "/m", "-o", "json"]
        let first = stage.run(render)
        #expect(first.code == .ok)
        #expect(first.output.contains("\"made\""))
        #expect(!first.output.contains("\"kept\""))
        let topology = try TopologyFile.load(path: Self.file(name))
        for layout in try topology.layout(in: stage.directory + "/m") {
            let check = stage.run(["config", "check", layout.configuration])
            // A password's variable is set where the node runs, not here.
            let lines = check.talk.split(separator: "\n").filter { $0.hasPrefix("error") }
            #expect(lines.allSatisfy { $0.contains("is not set") })
            #expect(check.output.hasSuffix("\(layout.node)\n") || !lines.isEmpty)
            #expect(LocalFile.exists(layout.keys) == (topology[layout.node]?.role == .agent))
        }
        let second = stage.run(render)
        #expect(!second.output.contains("\"made\""))
        #expect(!second.output.contains("\"changed\""))
    }

    @Test func mendsWhatIsMissing() throws {
        let stage = try Stage()
        let render = ["config", "render", "--topology", Self.file("two-zones.yaml"), "--out", stage.directory + "/m"]
        #expect(stage.run(render).code == .ok)
        unlink(stage.directory + "/m/plant-a-relay-1/key.pem")
        unlink(stage.directory + "/m/plant-b-agent-1/keys.grant")
        try LocalFile.write([35], to: stage.directory + "/m/plant-b-relay-1/node.yaml", mode: 0o600, replaces: true)
        let lines = stage.run(render).output.split(separator: "\n").filter { !$0.hasPrefix("kept") }
        let expected = [
            "changed  \(stage.directory)/m/plant-a-relay-1/certificate.pem",
            "changed  \(stage.directory)/m/plant-b-relay-1/node.yaml",
            "made     \(stage.directory)/m/plant-b-agent-1/keys.grant",
        ]
        #expect(lines.map(String.init) == expected)
    }

    @Test func rendersOneNodeAndAsksIt() throws {
        let stage = try Stage()
        let directory = stage.directory + "/m"
        let render = ["config", "render", "--topology", Self.file("two-zones.yaml"), "--out", directory]
        #expect(stage.run(render + ["--node", "plant-a/relay-1"]).code == .ok)
        #expect(LocalFile.exists(directory + "/plant-a-relay-1/node.yaml"))
        #expect(!LocalFile.exists(directory + "/plant-b-relay-1"))
        let server = Server()
        try server.start(socket: directory + "/plant-a-relay-1/admin.sock", handler: Samples.mesh)
        defer { server.stop() }
        let asked = stage.run(["queue", "list", "--node", directory + "/plant-a-relay-1"], environment: [:])
        #expect(asked.output.hasPrefix("DESTINATION"))
        let wrong = stage.run(render + ["--node", "plant-a/relay-2"])
        #expect(wrong.talk.contains("has no node plant-a/relay-2\nhint:  did you mean 'plant-a/relay-1'?"))
    }

    @Test func grantsByTheFlowsOfATopology() throws {
        let stage = try Stage()
        let root = stage.directory + "/root.key"
        _ = stage.run(["key", "create", "--out", root])
        let grant = ["key", "grant", "--root", root, "--topology", Self.file("two-zones.yaml")]
        let good = stage.run(grant + ["plant-b/agent-1", "--out", stage.directory + "/b"])
        #expect(good.output.contains("plant-b/agent-1 may speak with: plant-a/agent-1\n"))
        let relay = stage.run(grant + ["plant-b/relay-1", "--out", stage.directory + "/r"])
        #expect(relay.code == .badConfiguration)
    }

    @Test func everyErrorHasItsPlace() throws {
        let stage = try Stage()
        let path = stage.directory + "/mesh.yaml"
        try LocalFile.write(Array((Self.mesh + "\nlinx: 1\nflows: 3\n").utf8), to: path, mode: 0o600, replaces: true)
        let outcome = stage.run(["config", "check", path])
        #expect(outcome.code == .badConfiguration)
        #expect(outcome.output == "")
        #expect(outcome.talk.contains("error: \(path):14:1: linx: "))
        #expect(outcome.talk.contains("error: \(path):15:8: flows: "))
        let render = stage.run(["config", "render", "--topology", path, "--out", stage.directory + "/m"])
        #expect(render.code == .badConfiguration)
        #expect(!LocalFile.exists(stage.directory + "/m"))
        #expect(stage.run(["config", "check", stage.directory + "/none"]).code == .badConfiguration)
        #expect(stage.run(["config", "check", stage.directory]).code == .badConfiguration)
    }
}
