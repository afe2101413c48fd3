import Platform
import Testing

@testable import Commands

struct OutagePlanTests {
    private func relay(
        _ name: String = "a/relay", rate: Double, limit: UInt64 = 1_000_000, stored: UInt64 = 0
    ) -> OutagePlan.Node {
        OutagePlan.Node(
            name: name, isRelay: true, upstream: nil, storedBytes: stored, limitBytes: limit, bytesInPerSecond: rate)
    }

    private func agent(_ name: String, by upstream: String?, rate: Double, limit: UInt64) -> OutagePlan.Node {
        OutagePlan.Node(
            name: name, isRelay: false, upstream: upstream, storedBytes: 0, limitBytes: limit, bytesInPerSecond: rate)
    }

    @Test func aStoreThatIsLargeEnoughRefusesNothing() throws {
        let plan = OutagePlan([relay(rate: 100, stored: 50_000)], seconds: 1000, drain: 1100)
        let node = try #require(plan.nodes.first)
        #expect(node.fullAfterSeconds == nil && node.refusedBytes == 0)
        #expect(node.storedBytesAtEnd == 150_000)
        #expect(node.drainsInSeconds == 150)
    }

    @Test func aFullStoreRefusesWhatComesBehind() throws {
        let plan = OutagePlan([relay(rate: 1000, stored: 400_000)], seconds: 1000, drain: nil)
        let node = try #require(plan.nodes.first)
        #expect(node.fullAfterSeconds == 600)
        #expect(node.storedBytesAtEnd == 1_000_000 && node.refusedBytes == 400_000)
        #expect(node.drainsInSeconds == nil)
    }

    @Test func anAgentFillsOnceItsRelayIsFull() throws {
        let plan = OutagePlan(
            [
                agent("a/agent", by: "a/relay", rate: 500, limit: 100_000), relay(rate: 2000),
                agent("a/other", by: nil, rate: 500, limit: 100_000),
            ], seconds: 1000, drain: 10_000)
        #expect(plan.nodes.map(\.node) == ["a/other", "a/relay", "a/agent"])
        #expect(plan.nodes.map(\.fullAfterSeconds) == [200, 500, 700])
        #expect(plan.nodes[2].fillsFromSeconds == 500 && plan.nodes[2].refusedBytes == 150_000)
    }

    @Test func anAgentOfARelayWithRoomKeepsNothing() {
        let plan = OutagePlan(
            [relay(rate: 1), agent("a/agent", by: "a/relay", rate: 1, limit: 100)], seconds: 1000, drain: nil)
        #expect(plan.nodes.map(\.storedBytesAtEnd) == [0, 1000])
        #expect(plan.nodes.allSatisfy { $0.fullAfterSeconds == nil })
    }

    @Test func aBacklogBesideTooMuchNewDataNeverEnds() {
        let plan = OutagePlan([relay(rate: 100)], seconds: 10, drain: 100)
        #expect(plan.nodes[0].drainsInSeconds == nil)
        // A node that is full beyond its limit has no room, and nothing comes of no rate.
        let full = OutagePlan([relay(rate: 0, limit: 10, stored: 20)], seconds: 10, drain: 5)
        #expect(full.nodes[0].freeBytes == 0 && full.nodes[0].drainsInSeconds == 4)
    }

    // MARK: The command

    /// The directory of an agent whose socket is the stage's.
    private func configure(_ stage: Stage, jobs: String = "[]") throws {
        let text = """
            node: plant-a/agent
            role: agent
            identity: {certificate: c.pem, key: k.pem, authority: a.pem}
            links: [{peer: plant-a/relay, dial: {host: localhost, port: 1}}]
            store: {directory: store, maxBytes: 1GiB}
            admin: {socket: \(stage.socket)}
            keys: k.grant
            jobs: \(jobs)

            """
        try Files.replace(stage.directory + "/node.yaml", with: Array(text.utf8))
    }

    @Test func aNodeThatDoesNotRunNeedsARate() throws {
        let stage = try Stage()
        try configure(stage)
        let failed = stage.run(["plan", "outage", "10d", stage.directory])
        #expect(failed.code == .failed && failed.talk.contains("plant-a/agent does not answer"))
        #expect(failed.talk.contains("--rate"))
        let planned = stage.run(["plan", "outage", "1d", stage.directory, "--rate", "1MiB/s", "--drain", "3MiB/s"])
        #expect(planned.code == .ok)
        #expect(
            planned.output.contains("plant-a/agent  1.0 MiB/s  1.0 GiB      17 min  1.0 GiB  83.4 GiB  8 min 32 s"))
        #expect(
            planned.talk
                == "plant-a/agent is full first, after 17 min of 24 h 0 min; what comes then stays with those who send it\n"
        )
    }

    /// Their sources keep the rest.
    @Test func anAgentHoldsNoMoreThanItsJobsReadAhead() throws {
        let stage = try Stage(Samples.mesh)
        let job = { (name: String, more: String) in
            "{name: \(name), to: plant-b/a, schedule: {onChange: true}, source: {kind: files, path: x}\(more)}"
        }
        let run = { stage.run(["plan", "outage", "1d", stage.directory, "--rate", "1MiB/s", "-o", "json"]).output }
        try configure(stage, jobs: "[\(job("one", ", readAhead: 7MiB")), \(job("two", ""))]")
        #expect(run().contains("\"freeBytes\" : \(19 << 20)"))
        // One without a bound may fill the store.
        try configure(stage, jobs: "[\(job("one", ", freshFirst: true")), \(job("two", ""))]")
        #expect(run().contains("\"freeBytes\" : \(1019 << 20)"))
    }

    @Test func aNodeThatRunsIsAsked() throws {
        let stage = try Stage(Samples.mesh)
        try configure(stage)
        // Of the gibibyte that its configuration allows, it holds five mebibytes.
        let plan = stage.run(["plan", "outage", "60s", stage.directory, "--rate", "1MiB/s", "-o", "json"])
        #expect(plan.code == .ok)
        #expect(plan.output.contains("\"storedBytesAtEnd\" : \(65 << 20)"))
        let unmeasured = stage.run(["plan", "outage", "60s", stage.directory])
        #expect(unmeasured.code == .failed && unmeasured.talk.contains("has not measured a rate yet"))
    }

    @Test(arguments: [["10", "."], ["10d", "/nowhere"], ["1d", ".", "--rate", "fast"], ["1d"]])
    func whatIsNotUnderstoodIsSaid(_ words: [String]) throws {
        let outcome = try Stage().run(["plan", "outage"] + words)
        #expect(outcome.code != .ok && !outcome.talk.isEmpty)
    }
}
