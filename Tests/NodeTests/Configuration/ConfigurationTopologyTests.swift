import Envelope
import Testing

@testable import Node

@Suite struct ConfigurationTopologyTests {
    /// A good topology; tests change a line of it. Lines 1 to 23.
    private static let good = """
        mesh: m
        zones:
          a:
            nodes:
              r: {role: relay, listen: [{host: 127.0.0.1, port: 1}]}
              x:
                role: agent
                jobs:
                - {name: j, to: b/x, source: {kind: sql, connection: "PWD=${SECRET}$$"}}
          b:
            nodes:
              r:
                role: relay
                listen: [{host: 127.0.0.1, port: 2}]
              x:
                role: agent
                sinks: [{name: s, topics: [j], sink: {kind: discard}}]
        links:
        - {from: a/x, to: a/r}
        - {from: b/x, to: b/r}
        - {from: a/r, to: b/r}
        flows:
        - {name: f, from: [a/x], to: [b/x]}

        """

    private func decode(_ text: String) throws(ConfigurationError) -> TopologyFile {
        try TopologyFile.decode(Array(text.utf8), file: "dir/t.yaml", environment: YAMLEnvironment())
    }

    private func replaced(_ line: Int, _ text: String) -> String {
        var lines = Self.good.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines[line - 1] = text
        return lines.joined(separator: "\n")
    }

    private func problems(_ text: String) -> [String] {
        do throws(ConfigurationError) {
            return try decode(text).warnings.map { "warning: \($0)" }
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func theSampleIsGood() throws {
        let topology = try decode(Self.good)
        #expect(topology.warnings == [])
        #expect(topology.name == "m")
        #expect(topology.zones.map(\.description) == ["a", "b"])
        #expect(topology.nodes.map(\.name.description) == ["a/r", "a/x", "b/r", "b/x"])
    }

    @Test(arguments: [
        (1, "mesch: m", ["dir/t.yaml:1:1: mesch: unknown key; did you mean 'mesh'?"]),
        (
            5, "      r: {role: relay, listne: []}",
            ["dir/t.yaml:5:24: zones.a.nodes.r.listne: unknown key; did you mean 'listen'?"]
        ),
        (
            5, "      r:",
            ["dir/t.yaml:5:9: zones.a.nodes.r: here stands nothing; write a mapping, one 'key: value' a line"]
        ),
        (
            3, "  A:",
            [
                "dir/t.yaml:3:3: zones.A: the name 'A' may hold lower-case letters, digits and '-', begins with a letter "
                    + "and does not end with '-'"
            ]
        ),
        (
            14, "        listen: [{host: 127.0.0.1, port: 1}]",
            ["dir/t.yaml:14:18: zones.b.nodes.r.listen[0]: a/r listens on 127.0.0.1:1 already"]
        ),
        (
            14, "        memory: 99",
            ["dir/t.yaml:14:17: zones.b.nodes.r.memory: '99' is out of range; write 16MiB to 1TiB"]
        ),
        (
            14, "        attach: [b/y]",
            [
                "dir/t.yaml:14:17: zones.b.nodes.r.attach: has a link to b/x, but lets it not attach; add 'b/x'",
                "dir/t.yaml:20:19: links[1].to: b/r does not listen; write listen: [{host: …, port: …}] under it, or let it dial",
                "dir/t.yaml:21:19: links[2].to: b/r does not listen; write listen: [{host: …, port: …}] under it, or let it dial",
            ]
        ),
        (
            14, "        listen: [{host: 0.0.0.0, port: 1}]",
            [
                "dir/t.yaml:20:19: links[1].to: b/r listens on every address of its machine; write address: "
                    + "{host: …, port: …} under it",
                "dir/t.yaml:21:19: links[2].to: b/r listens on every address of its machine; write address: "
                    + "{host: …, port: …} under it",
            ]
        ),
        (
            16, "        role: relay",
            ["dir/t.yaml:17:16: zones.b.nodes.x.sinks: only an agent has sinks; leave it out, or write role: agent"]
        ),
        (
            9, "        - {name: j, to: b/y, source: {kind: sql}}",
            ["dir/t.yaml:9:25: zones.a.nodes.x.jobs[0].to: no node 'b/y'; did you mean 'b/x'?"]
        ),
        (
            9, "        - {name: j, to: b/r, source: {kind: sql}}",
            ["dir/t.yaml:9:25: zones.a.nodes.x.jobs[0].to: b/r is a relay; data goes to agents"]
        ),
        (
            9, "        - {name: k, to: b/x, source: {kind: sql}}",
            [
                "warning: dir/t.yaml:9:9: zones.a.nodes.x.jobs[0]: b/x has no sink for the topic 'k'; its data will wait there "
                    + "until there is one"
            ]
        ),
        (
            19, "- {from: a/x, to: a/q}",
            [
                "dir/t.yaml:19:19: links[0].to: no node 'a/q'; did you mean 'a/r'?"
            ]
        ),
        (
            21, "- {from: a/x, to: a/r}",
            ["dir/t.yaml:21:3: links[2]: a second link between a/x and a/r; keep one, whoever dials"]
        ),
        (
            21, "- {from: a/r, to: a/r}",
            ["dir/t.yaml:21:19: links[2].to: a link from a node to itself; write another node"]
        ),
        (
            21, "- {from: a/x, to: b/x, dial: {host: h, port: 1}}",
            ["dir/t.yaml:21:3: links[2]: joins two agents; agents attach to relays only"]
        ),
        (
            21, "- {from: a/r, to: b/r, cost: 0}",
            ["dir/t.yaml:21:30: links[2].cost: '0' is out of range; write 1 to 65535"]
        ),
        (
            19, "- {from: a/x, to: a/r, carried: true}",
            ["dir/t.yaml:19:33: links[0].carried: is carried from relay to relay; leave it out"]
        ),
        (
            19, "",
            ["dir/t.yaml:7:9: zones.a.nodes.x: no link joins this agent to a relay; add {from: a/x, to: …} to links"]
        ),
        (
            21, "",
            [
                "dir/t.yaml:9:25: zones.a.nodes.x.jobs[0].to: no links lead from a/x to b/x; add the missing one to links"
            ]
        ),
        (
            23, "- {name: f, from: [b/x], to: [a/x]}",
            [
                "dir/t.yaml:9:25: zones.a.nodes.x.jobs[0].to: no flow lets a/x send to b/x in the live lane; add one to flows"
            ]
        ),
        (
            23, "- {name: f, from: [a/x], to: [b/x], lane: bulk}",
            [
                "dir/t.yaml:9:25: zones.a.nodes.x.jobs[0].to: no flow lets a/x send to b/x in the live lane; add one to flows"
            ]
        ),
        (
            23, "- {name: f, from: [a/x, c/*], to: [b/x]}",
            ["warning: dir/t.yaml:23:19: flows[0].from: no agent of this file is meant by 'c/*'"]
        ),
        (9, "        - {name: j, to: b/x, lane: bulk, source: {kind: sql}}", []),
        (9, "        - {name: j, to: '${UNSET}', source: {kind: sql}}", []),
        (
            16, "        role: agent\n        keys: k",
            ["dir/t.yaml:17:15: zones.b.nodes.x.keys: is keys.grant in the agent's directory always; leave it out"]
        ),
    ])
    func finds(line: Int, text: String, expected: [String]) {
        #expect(problems(replaced(line, text)) == expected)
    }

    @Test func findsTwoNodesWithOneDirectory() {
        let text = """
            zones:
              a-b: {nodes: {c: {role: relay}}}
              a: {nodes: {b-c: {role: relay}}}
            """
        #expect(
            problems(text) == [
                "dir/t.yaml:3:20: zones.a.nodes.b-c: its directory 'a-b-c' is that of a-b/c too; rename one of them"
            ])
        #expect(
            problems("mesh: m") == [
                "dir/t.yaml:1:1: zones: names no node; write zones: {plant-a: {nodes: {relay-1: …}}}"
            ])
    }

    @Test func rendersWhatTheNodeReadsBack() throws {
        let text = replaced(
            21,
            "- {from: a/r, to: b/r, cost: 7, dial: {host: fw, port: 9}, proxy: {host: p, port: 8, user: u, password: '${P}'}}"
        )
        .replacing("mesh: m", with: "defaults: {store: {maxBytes: 1GiB}, log: {format: json}, resendAfter: 9s}")
        .replacing(
            "listen: [{host: 127.0.0.1, port: 2}]",
            with:
                "listen: [{host: '::', port: 2}]\n        address: {host: b.example, port: 22}\n        store: {directory: /data/b}\n        log: {level: debug}"
        )
        let topology = try decode(text)
        let secrets = YAMLEnvironment(["SECRET": "s", "P": "p"])
        func node(_ name: String) throws -> NodeConfiguration {
            let rendered = try topology.render(node: try NodeName(name))
            #expect(rendered.hasPrefix("# \(name) in the mesh 'mesh', made from t.yaml by relayctl"))
            return try NodeConfiguration.decode(Array(rendered.utf8), file: "n/node.yaml", environment: secrets)
        }
        let relayA = try node("a/r")
        #expect(relayA.links.map(\.peer.description) == ["a/x", "b/r"])
        #expect(relayA.links.map(\.dial?.description) == [nil, "fw:9"])
        #expect(relayA.links.map(\.cost) == [10, 7])
        #expect(relayA.links[1].proxy?.password == "p")
        #expect(relayA.attach.map(\.description) == ["a/x"])
        #expect(relayA.flows == topology.flows)
        #expect(relayA.store == .init(directory: "n/store", maxBytes: 1 << 30, segmentBytes: 32 << 20))
        #expect(relayA.adminSocket == "n/admin.sock")
        #expect(
            relayA.identity == .init(certificate: "n/certificate.pem", key: "n/key.pem", authority: "n/authority.pem"))
        let relayB = try node("b/r")
        #expect(relayB.store == .init(directory: "/data/b", maxBytes: 1 << 30, segmentBytes: 32 << 20))
        #expect(relayB.log == .init(level: .debug, format: .json))
        #expect(relayB.links.map(\.dial) == [nil, nil])
        let agentA = try node("a/x")
        #expect(agentA.agent?.keys == "n/keys.grant")
        #expect(agentA.agent?.jobs[0].source["connection"]?.scalar?.text == "PWD=s$")
        #expect(agentA.resendAfter == .seconds(9))
        let agentB = try node("b/x")
        #expect(agentB.links[0].dial?.description == "b.example:22")
        #expect(agentB.agent?.sinks.map(\.name) == ["s"])
        #expect(agentB.flows.map(\.name) == ["f"])
        #expect(agentB.attach == [])
    }

    @Test func rendersOnlyNodesItHas() throws {
        let topology = try decode(Self.good)
        let error = #expect(throws: ConfigurationError.self) { try topology.render(node: try NodeName("a/rr")) }
        #expect(error?.description == "dir/t.yaml: has no node 'a/rr'; did you mean 'a/r'?")
    }

    @Test func laysOutOneDirectoryANode() throws {
        let topology = try decode(
            replaced(14, "        listen: [{host: h, port: 1}]\n        admin: {socket: /run/b.sock}"))
        let layouts = try topology.layout(in: "run")
        #expect(layouts.map(\.directory) == ["run/a-r", "run/a-x", "run/b-r", "run/b-x"])
        #expect(layouts[0].configuration == "run/a-r/node.yaml")
        #expect(layouts[0].certificate == "run/a-r/certificate.pem")
        #expect(layouts[0].key == "run/a-r/key.pem")
        #expect(layouts[0].authority == "run/a-r/authority.pem")
        #expect(layouts[1].keys == "run/a-x/keys.grant")
        #expect(layouts[0].store == "run/a-r/store")
        #expect(
            layouts.map(\.adminSocket) == [
                "run/a-r/admin.sock", "run/a-x/admin.sock", "/run/b.sock", "run/b-x/admin.sock",
            ])
        let long = String(repeating: "d", count: 93)
        #expect(try topology.layout(in: String(long.dropLast())).count == 4)
        let error = #expect(throws: ConfigurationError.self) { try topology.layout(in: long) }
        #expect(error?.problems.count == 3)
        #expect(
            error?.problems.first?.description.hasPrefix(
                "dir/t.yaml:5:10: zones.a.nodes.r: its admin socket \(long)/a-r/admin.sock has 108 bytes, Linux allows 107"
            )
                == true)
    }
}
