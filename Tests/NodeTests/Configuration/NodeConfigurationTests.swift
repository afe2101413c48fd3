import Envelope
import Testing

@testable import Node

@Suite struct NodeConfigurationTests {
    static let relay = """
        node: dmz/relay-1
        role: relay
        identity: {certificate: c.pem, key: k.pem, authority: a.pem}
        listen:
          - {host: 127.0.0.1, port: 17401}
        links:
          - peer: plant-a/relay-1
          - peer: cloud-a/relay-1
            dial: {host: cloud.example, port: 443}
            cost: 5
            proxy: {host: proxy.example, port: 3128, user: u, password: "${PROXY_PASSWORD}"}
        attach: [dmz/*]
        flows:
          - {name: plants, from: [plant-a/*], to: [plant-b/*], lane: bulk, limit: 10MB/s,
             maxBytes: 2GiB, maxEnvelopes: 1000, maxAge: 1h, durability: cutThrough}
        store: {directory: store, maxBytes: 1GiB, segmentBytes: 32MiB}
        durability: storeFirst
        quotas: {live: {maxBytes: 3GiB}, bulk: {maxAge: 2d}, source: {maxEnvelopes: 5000}}
        history: {after: 5m, share: 25, rate: 1MB/s}
        holdTime: {minimum: 5ms, maximum: 1s}
        memory: 16MiB
        reactors: 3
        admin: {socket: run/admin.sock}
        metrics: {listen: {host: 127.0.0.1, port: 9464}}
        log: {level: warning, format: json}
        lifetime: 3d
        resendAfter: 30s

        """

    static let agent = """
        node: plant-a/agent-1
        role: agent
        identity: {certificate: c.pem, key: k.pem, authority: a.pem}
        links:
          - {peer: plant-a/relay-1, dial: {host: localhost, port: 17401}}
        store: {directory: store}
        keys: keys.grant
        jobs:
          - name: temperature
            to: plant-b/agent-1
            schedule: {every: 5s}
            freshFirst: true
            source: {kind: files, path: data.csv}
          - name: orders
            topic: erp.orders
            to: plant-b/agent-1
            lane: bulk
            schedule: {cron: "*/5 * * * *"}
            compression: none
            batchBytes: 64KiB
            linger: 0s
            lifetime: 1h
            readAhead: 2GiB
            source: {kind: sql, connection: "DSN=erp;PWD=${ERP_PASSWORD}", table: orders}
          - name: new
            to: plant-b/agent-1
            schedule: {onChange: true}
            source: {kind: synthetic, recordBytes: 64}
        sinks:
          - {name: here, topics: [weather], from: [plant-b/*], sink: {kind: discard}}
          - {name: rest, topics: ['*'], sink: {kind: mailbox}}

        """

    static let environment = YAMLEnvironment(["PROXY_PASSWORD": "hunter2", "ERP_PASSWORD": "hunter3"])

    static func decode(_ text: String, file: String = "node.yaml") throws(ConfigurationError) -> NodeConfiguration {
        try NodeConfiguration.decode(Array(text.utf8), file: file, environment: environment)
    }

    static func problems(_ text: String) -> [String] {
        do throws(ConfigurationError) {
            _ = try decode(text)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func readsEveryKeyOfARelay() throws {
        let node = try Self.decode(Self.relay, file: "/etc/gridrelay/node.yaml")
        #expect(node.node.description == "dmz/relay-1")
        #expect(node.role == .relay)
        #expect(node.identity.certificate == "/etc/gridrelay/c.pem")
        #expect(node.identity.key == "/etc/gridrelay/k.pem")
        #expect(node.identity.authority == "/etc/gridrelay/a.pem")
        #expect(node.listen == [.init(host: "127.0.0.1", port: 17401)])
        #expect(node.links[0].dial == nil)
        #expect(node.links[0].cost == 10)
        #expect(node.links[1].dial?.description == "cloud.example:443")
        #expect(node.links[1].cost == 5)
        #expect(node.links[1].proxy?.password == "hunter2")
        #expect(node.links[1].proxy?.description == "proxy proxy.example:3128")
        #expect(node.attach.map(\.description) == ["dmz/*"])
        #expect(node.flows[0].lane == .bulk)
        #expect(node.flows[0].limit == 10_000_000)
        #expect(node.flows[0].allows(from: try NodeName("plant-a/x"), to: try NodeName("plant-b/y")))
        #expect(!node.flows[0].allows(from: try NodeName("plant-b/x"), to: try NodeName("plant-b/y")))
        #expect(node.store == .init(directory: "/etc/gridrelay/store", maxBytes: 1 << 30, segmentBytes: 32 << 20))
        #expect(node.flows[0].quota == .init(maxBytes: 2 << 30, maxEnvelopes: 1000, maxAge: .seconds(3600)))
        #expect(node.flows[0].durability == .cutThrough)
        #expect(node.durability == .storeFirst)
        #expect(node.quotas.live == .init(maxBytes: 3 << 30))
        #expect(node.quotas.bulk == .init(maxAge: .seconds(2 * 86_400)))
        #expect(node.quotas.source == .init(maxEnvelopes: 5000))
        #expect(node.history == .init(after: .seconds(300), share: 25, rate: 1_000_000))
        #expect(node.holdTime == .milliseconds(5) ... .seconds(1))
        #expect(node.memory == 16 << 20)
        #expect(node.reactors == .fixed(3))
        #expect(node.adminSocket == "/etc/gridrelay/run/admin.sock")
        #expect(node.metrics == .init(host: "127.0.0.1", port: 9464))
        #expect(node.log == .init(level: .warning, format: .json))
        #expect(node.lifetime == .seconds(3 * 86_400))
        #expect(node.resendAfter == .seconds(30))
        #expect(node.agent == nil)
    }

    @Test func readsEveryKeyOfAnAgent() throws {
        let node = try Self.decode(Self.agent)
        let agent = try #require(node.agent)
        #expect(agent.keys == "keys.grant")
        #expect(agent.jobs.map(\.topic) == ["temperature", "erp.orders", "new"])
        #expect(agent.jobs.map(\.schedule.rule) == [.every(.seconds(5)), .cron("*/5 * * * *"), .onChange])
        #expect(agent.jobs.map(\.compression) == [.zstd, .none, .zstd])
        #expect(agent.jobs.map(\.batchBytes) == [256 << 10, 64 << 10, 256 << 10])
        #expect(agent.jobs.map(\.linger) == [.milliseconds(5), .zero, .milliseconds(5)])
        #expect(agent.jobs.map(\.lifetime) == [nil, .seconds(3600), nil])
        #expect(agent.jobs.map(\.lane) == [.live, .bulk, .live])
        #expect(agent.jobs.map(\.freshFirst) == [true, false, false])
        #expect(agent.readAhead == ["orders": 2 << 30, "new": 8 << 20])
        #expect(agent.jobs[1].source["connection"]?.scalar?.text == "DSN=erp;PWD=hunter3")
        #expect(agent.jobs[1].sourcePath == "jobs[1].source")
        #expect(
            agent.jobs[1].schedule.error("no").description == "node.yaml:18:22: jobs[1].schedule.cron: no")
        #expect(agent.sinks.map(\.sinkPath) == ["sinks[0].sink", "sinks[1].sink"])
        let (a, b) = (try NodeName("plant-a/x"), try NodeName("plant-b/x"))
        #expect(agent.sink(for: "weather", from: b)?.name == "here")
        #expect(agent.sink(for: "weather", from: a)?.name == "rest")
        #expect(agent.sink(for: "other", from: b)?.name == "rest")
    }

    @Test func hasDefaults() throws {
        let node = try Self.decode(Self.agent)
        #expect(node.durability == .cutThrough)
        #expect(node.quotas == .init() && node.history == .init(after: .seconds(60), share: 10))
        #expect(node.holdTime == .milliseconds(20) ... .seconds(2))
        #expect(node.memory == 64 << 20)
        #expect(node.reactors == .automatic)
        #expect(node.store.maxBytes == 10 << 30)
        #expect(node.store.segmentBytes == 32 << 20)
        #expect(node.adminSocket == "admin.sock")
        #expect(node.metrics == nil)
        #expect(node.log == .init(level: .info, format: .text))
        #expect(node.lifetime == .seconds(7 * 86_400))
        #expect(node.resendAfter == .seconds(60))
    }

    @Test func aConnectorReadsItsOwnMapping() throws {
        let job = try #require(try Self.decode(Self.agent).agent?.jobs.first)
        let reader = ConfigurationReader(job.source, path: job.sourcePath)
        _ = reader.required("kind", .string)
        _ = reader.required("pathh", .path)
        let error = #expect(throws: ConfigurationError.self) { try reader.finish() }
        #expect(
            error?.problems.map(\.description) == [
                "node.yaml:13:13: jobs[0].source.pathh: missing; write 'pathh: …'",
                "node.yaml:13:27: jobs[0].source.path: unknown key; did you mean 'pathh'?",
            ])
    }
}
