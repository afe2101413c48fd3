import Testing

@testable import Node

@Suite struct NodeConfigurationCheckTests {
    private static let head = """
        node: a/r
        role: relay
        identity: {certificate: c, key: k, authority: a}
        store: {directory: s}

        """
    private static let agentHead = """
        node: a/x
        role: agent
        identity: {certificate: c, key: k, authority: a}
        store: {directory: s}
        links: [{peer: a/r, dial: {host: h, port: 1}}]

        """

    private func problems(_ text: String) -> [String] { NodeConfigurationTests.problems(text) }

    @Test func theSmallestFilesAreGood() {
        #expect(problems(Self.head) == [])
        #expect(problems(Self.agentHead) == [])
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.0.9", true), ("\"::1\"", true), ("0.0.0.0", false), ("10.0.0.5", false),
        ("\"::\"", false), ("localhost", false), ("127.0.0.1.example", false), ("127.0.0", false),
        ("127.0.0.256", false),
    ]) func metricsAreForThisMachineAlone(host: String, isGood: Bool) {
        let found = problems(Self.head + "metrics: {listen: {host: \(host), port: 9464}}\n")
        #expect(found.isEmpty == isGood, "\(found)")
        #expect(found.allSatisfy { $0.contains("metrics.listen: metrics are served without a password") }, "\(found)")
    }

    @Test func anEmptyMappingLacksEverythingRequired() {
        #expect(
            problems("{}") == [
                "node.yaml:1:1: node: missing; write 'node: …'",
                "node.yaml:1:1: role: missing; write 'role: …'",
                "node.yaml:1:1: identity: missing; write 'identity: …'",
                "node.yaml:1:1: store: missing; write 'store: …'",
            ])
    }

    @Test(arguments: [
        (
            "listen: [{host: h, port: 1}, {host: h, port: 1}]",
            ["node.yaml:5:30: listen[1]: line 5 listens on h:1 already"]
        ),
        (
            "listen: [{host: h, port: 0}]",
            ["node.yaml:5:26: listen[0].port: '0' is out of range; write 1 to 65535"]
        ),
        (
            "listen: [{host: 'h:1', port: 1}]",
            [
                "node.yaml:5:17: listen[0].host: 'h:1' is no host; write a name or an address without a port, "
                    + "such as 10.0.0.5 or fd00::5"
            ]
        ),
        (
            "links: [{peer: a/r, dial: {host: h, port: 1}}]",
            ["node.yaml:5:16: links[0].peer: a link to this node itself; write another node's name"]
        ),
        (
            "links:\n- {peer: a/b, dial: {host: h, port: 1}}\n- {peer: a/b, dial: {host: i, port: 1}}",
            ["node.yaml:7:3: links[1]: line 6 is a link to a/b already; keep one of them"]
        ),
        (
            "links:\n- {peer: a/b, dial: {host: h, port: 1}}\n- {peer: a/c, dial: {host: h, port: 1}}",
            ["node.yaml:7:3: links[1]: line 6 dials h:1 already; two peers cannot be at one address"]
        ),
        (
            "links: [{peer: a/b}]",
            [
                "node.yaml:5:9: links[0]: nobody dials on this link: write dial: {host: …, port: …}, or listen for a/b "
                    + "to dial in"
            ]
        ),
        (
            "listen: [{host: h, port: 1}]\nlinks: [{peer: a/b, proxy: {host: p, port: 1, password: x}}]",
            [
                "node.yaml:6:28: links[0].proxy: a password without a user; write user beside it",
                "node.yaml:6:28: links[0].proxy: a proxy is for dialling; write dial beside it, or leave the proxy out",
            ]
        ),
        (
            "flows:\n- {name: f, from: [a/x], to: [b/x]}\n- {name: f, from: [a/x], to: [b/x]}",
            ["node.yaml:7:3: flows[1]: line 6 is a flow 'f' already; choose another name"]
        ),
        (
            "flows: [{name: f, from: [], lane: lve}]",
            [
                "node.yaml:5:9: flows[0].to: names no node; write a list such as [plant-a/*]",
                "node.yaml:5:25: flows[0].from: names no node; write a list such as [plant-a/*]",
                "node.yaml:5:35: flows[0].lane: 'lve' is not known here; did you mean 'live'?",
            ]
        ),
        (
            "durability: durable",
            ["node.yaml:5:13: durability: 'durable' is not known here; write one of cutThrough, storeFirst"]
        ),
        (
            "durability: storefirst",
            ["node.yaml:5:13: durability: 'storefirst' is not known here; did you mean 'storeFirst'?"]
        ),
        (
            "holdTime: {minimum: 3s}",
            []
        ),
        (
            "holdTime: {minimum: 3s, maximum: 1s}",
            ["node.yaml:5:21: holdTime.minimum: is longer than maximum; write the shorter time first"]
        ),
        ("reactors: 65", ["node.yaml:5:11: reactors: '65' is out of range; write 1 to 64, or auto"]),
        ("reactors: 0", ["node.yaml:5:11: reactors: '0' is out of range; write 1 to 64, or auto"]),
        (
            "reactors: Auto",
            ["node.yaml:5:11: reactors: 'Auto' is not a whole number; write digits, such as 1, or auto"]
        ),
        ("memory: 1MiB", ["node.yaml:5:9: memory: '1MiB' is out of range; write 16MiB to 1TiB"]),
        (
            "lifetime: 20y",
            [
                "node.yaml:5:11: lifetime: '20y' is not a time span; write a whole number and a unit, such as 20ms, 5s, "
                    + "10m, 2h or 3d"
            ]
        ),
        ("lifetime: 4000d", ["node.yaml:5:11: lifetime: '4000d' is out of range; write 1s to 3650d"]),
        ("jobs: []", ["node.yaml:5:7: jobs: only an agent has jobs; leave it out, or write role: agent"]),
        ("keys: k", ["node.yaml:5:7: keys: only an agent has keys; leave it out, or write role: agent"]),
        ("liften: []", ["node.yaml:5:1: liften: unknown key; did you mean 'listen'?"]),
        ("log: {levl: info}", ["node.yaml:5:7: log.levl: unknown key; did you mean 'level'?"]),
        (
            "resendAfter: ${NOT_SET}",
            [
                "node.yaml:5:14: resendAfter: the environment variable NOT_SET is not set; set it, or write "
                    + "${NOT_SET:-default}"
            ]
        ),
    ])
    func ofARelay(text: String, expected: [String]) {
        #expect(problems(Self.head + text + "\n") == expected)
    }

    @Test(arguments: [
        (
            "attach: [a/*]",
            ["node.yaml:6:9: attach: agents attach to relays only; leave it out, or write role: relay"]
        ),
        (
            "jobs: [{name: j, to: a/x, source: {kind: synthetic}}]",
            ["node.yaml:6:22: jobs[0].to: a job to this node itself; write another node's name"]
        ),
        (
            "jobs:\n- {name: j, to: b/x, source: {kind: sql}}\n- {name: j, to: b/x, source: {kind: sql}}",
            ["node.yaml:8:3: jobs[1]: line 7 is a job 'j' already; choose another name"]
        ),
        (
            "jobs: [{name: 'a b', to: b/x, lane: control, source: {kind: fils}}]",
            [
                "node.yaml:6:15: jobs[0].name: 'a b' is no name; write 1 to 63 letters, digits, '.', '_' or '-'",
                "node.yaml:6:37: jobs[0].lane: 'control' is for the mesh itself; write live or bulk",
                "node.yaml:6:61: jobs[0].source.kind: 'fils' is not known here; did you mean 'files'?",
            ]
        ),
        (
            "jobs: [{name: j, to: b/x, lane: bulk, freshFirst: true, source: {kind: synthetic}}]",
            [
                "node.yaml:6:51: jobs[0].freshFirst: nothing in bulk is fresh: write lane: live, or leave freshFirst out"
            ]
        ),
        (
            "jobs: [{name: j, to: b/x, schedule: {every: 5s, cron: '* * * * *'}, source: {path: x}}]",
            [
                "node.yaml:6:37: jobs[0].schedule: write exactly one of every: 5s, cron: \"*/5 * * * *\", onChange: true",
                "node.yaml:6:77: jobs[0].source.kind: missing; write 'kind: …'",
            ]
        ),
        (
            "jobs: [{name: j, to: b/x, schedule: {}, source: oracle}]",
            [
                "node.yaml:6:37: jobs[0].schedule: write exactly one of every: 5s, cron: \"*/5 * * * *\", onChange: true",
                "node.yaml:6:49: jobs[0].source: here stands a single value; write a mapping, one 'key: value' a line",
            ]
        ),
        (
            "jobs: [{name: j, to: b/x, schedule: {onChange: false}, source: {kind: sql, connection: 'P=${NOT_SET}'}}]",
            [
                "node.yaml:6:48: jobs[0].schedule.onChange: write onChange: true, or every or cron in its place",
                "node.yaml:6:88: jobs[0].source.connection: the environment variable NOT_SET is not set; set it, or write "
                    + "${NOT_SET:-default}",
            ]
        ),
        (
            "sinks: [{name: s, topics: [], from: [], sink: {kind: kafka}}]",
            [
                "node.yaml:6:27: sinks[0].topics: names no topic; write a list of topics, or ['*'] for all",
                "node.yaml:6:37: sinks[0].from: names no node; write a list such as [plant-a/*], or leave it out for all",
                "node.yaml:6:54: sinks[0].sink.kind: 'kafka' is not known here; write one of files, sql, mailbox, discard",
            ]
        ),
        (
            "sinks:\n- {name: s, topics: [t], from: [b/*], sink: {kind: discard}}\n"
                + "- {name: u, topics: [t], from: [b/x], sink: {kind: discard}}",
            [
                "node.yaml:8:21: sinks[1].topics: sink 's' takes the topic 't' from the same nodes; a topic goes to one sink"
            ]
        ),
        (
            "sinks:\n- {name: s, topics: ['*'], sink: {kind: discard}}\n- {name: s, topics: ['*'], sink: {kind: discard}}",
            [
                "node.yaml:8:3: sinks[1]: line 7 is a sink 's' already; choose another name",
                "node.yaml:8:21: sinks[1].topics: sink 's' takes all topics from the same nodes; a topic goes to one sink",
            ]
        ),
        (
            "sinks:\n- {name: s, topics: [t], from: [b/*], sink: {kind: discard}}\n"
                + "- {name: u, topics: [t], from: [c/*], sink: {kind: discard}}\n"
                + "- {name: v, topics: ['*'], sink: {kind: discard}}",
            []
        ),
    ])
    func ofAnAgent(text: String, expected: [String]) {
        #expect(problems(Self.agentHead + text + "\n") == expected)
    }

    @Test func anAgentNeedsALink() {
        let text = Self.agentHead.split(separator: "\n").dropLast().joined(separator: "\n")
        #expect(
            problems(text) == [
                "node.yaml:1:1: links: an agent needs a link to a relay; write links: with peer and dial"
            ])
    }

    @Test func aStoreNeedsRoomForFourSegments() {
        let text = Self.head.split(separator: "\n").dropLast().joined(separator: "\n")
        #expect(
            problems(text + "\nstore: {directory: s, maxBytes: 64MiB}\n") == [
                "node.yaml:4:33: store.maxBytes: has no room for four segments; write 128MiB or more, or smaller segmentBytes"
            ])
    }

    @Test func aSocketPathMustFitTheKernel() {
        let long = "/" + String(repeating: "d", count: 107)
        #expect(problems(Self.head + "admin: {socket: \(long.dropLast())}\n") == [])
        #expect(
            problems(Self.head + "admin: {socket: \(long)}\n") == [
                "node.yaml:5:8: admin: the socket's path has 108 bytes, Linux allows 107; write a shorter one in admin.socket, "
                    + "such as /run/gridrelay/admin.sock"
            ])
    }

    @Test func noProblemTellsASecret() {
        let text =
            Self.agentHead + """
                jobs:
                  - name: j
                    to: b/x
                    source: {kind: sql, connection: "PWD=${ERP_PASSWORD}", table: t}
                    lane: ${ERP_PASSWORD}
                    linger: ${ERP_PASSWORD}
                    topic: "${ERP_PASSWORD} "
                sinks: ${ERP_PASSWORD}
                resendAfter: "${PROXY_PASSWORD}"
                """
        let found = problems(text)
        #expect(found.count == 5)
        #expect(!found.contains { $0.contains("hunter") })
        #expect(
            found.contains(
                "node.yaml:10:11: jobs[0].lane: '${ERP_PASSWORD}' is not known here; write one of control, live, bulk"))
    }

    @Test func aFileThatCannotBeReadSaysWhy() {
        let missing = #expect(throws: ConfigurationError.self) {
            try NodeConfiguration.load(path: "/nowhere/node.yaml")
        }
        #expect(missing?.description == "/nowhere/node.yaml: cannot be read: No such file or directory")
        let directory = #expect(throws: ConfigurationError.self) { try NodeConfiguration.load(path: "/") }
        #expect(directory?.description == "/: cannot be read: Is a directory")
    }

    @Test func neverTrapsOnAnyPrefixOrFlippedByte() {
        for sample in [NodeConfigurationTests.relay, NodeConfigurationTests.agent] {
            let bytes = Array(sample.utf8)
            var refused = 0
            for length in stride(from: 0, to: bytes.count - 1, by: 3) {
                if !problems(String(decoding: bytes[..<length], as: UTF8.self)).isEmpty { refused += 1 }
            }
            #expect(refused > 50)
            for index in stride(from: 0, to: bytes.count, by: 2) {
                var copy = bytes
                copy[index] ^= 4
                _ = try? NodeConfiguration.decode(copy, file: "f", environment: NodeConfigurationTests.environment)
            }
        }
    }
}
