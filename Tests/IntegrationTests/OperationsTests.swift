import Admin
import Glibc
import Node
import Testing

extension IntegrationTests {
    /// What an operator does to a daemon: stop, reload, check, ask for the version, mistype.
    @Suite(.serialized) struct OperationsTests {
        @Test(.timeLimit(.minutes(2)), arguments: [1, 3])
        func everyNodeStopsCleanlyAndLosesNothing(reactors: Int) async throws {
            let place = try TemporaryDirectory()
            var data = try await DataSet(in: place, seed: 5)
            let bed = try await Testbed.make(
                Layout.threeZones(
                    jobs: DataSet.jobs + [DataSet.databaseJob(place)],
                    sinks: DataSet.sinks + DataSet.databaseSinks(place), reactors: reactors), in: place)
            try await bed.startAll()
            for (round, name) in (Layout.threeZoneNodes + Layout.threeZoneNodes.reversed()).enumerated() {
                try await data.grow(round: round)
                let begun = ContinuousClock.now
                #expect(try await bed.stop(name) == .exit(0), "\(bed.tail(of: name))")
                #expect(ContinuousClock.now - begun < .seconds(13), "its drain has an end")
                #expect(bed.log(of: name).split(separator: "\n").last?.contains(" stopped: ") == true)
                #expect(access(bed.directory(of: name) + "/admin.sock", F_OK) != 0, "it takes its socket with it")
                try await bed.startAll()
            }
            try await data.awaitDelivery(bed)
        }

        @Test(.timeLimit(.minutes(2))) func aReloadChangesLinksFlowsAndJobs() async throws {
            let place = try TemporaryDirectory()
            try place.makeDirectory("input")
            try place.write("first\n", to: "input/one.txt")
            try place.write("second\n", to: "input/two.txt")
            func job(_ name: String, _ to: String) -> String {
                "{name: \(name), to: \(to), schedule: {every: 50ms}, "
                    + "source: {kind: files, path: ../../input/\(name).txt, mode: lines}}"
            }
            let sink = "{name: all, topics: ['*'], sink: {kind: files, directory: ../../output, name: \"{topic}.txt\"}}"
            func layout(_ base: Layout?, more: Bool) throws -> Layout {
                var layout = Layout()
                for name in ["plant-a/relay-1", "dmz/relay-1", "plant-b/relay-1"] {
                    try layout.relay(name, port: base?[name]?.port)
                }
                layout.agent("plant-a/agent-1", jobs: [job("one", "plant-b/agent-1")])
                layout.agent("plant-b/agent-1", jobs: more ? [job("two", "plant-a/agent-1")] : [], sinks: [sink])
                layout.setSinks("plant-a/agent-1", more ? [sink.replacing("output", with: "back")] : [])
                for zone in ["plant-a", "plant-b"] { layout.link("\(zone)/agent-1", "\(zone)/relay-1") }
                layout.link("plant-a/relay-1", "dmz/relay-1", cost: more ? 25 : 10)
                if more { layout.link("plant-a/relay-1", "plant-b/relay-1", cost: 15) }
                layout.link("plant-b/relay-1", "dmz/relay-1")
                layout.flow("a-to-b", from: "plant-a/agent-1", to: "plant-b/agent-1")
                if more { layout.flow("b-to-a", from: "plant-b/agent-1", to: "plant-a/agent-1") }
                return layout
            }
            let before = try layout(nil, more: false)
            let bed = try await Testbed.make(before, in: place)
            try await bed.startAll()
            try await bed.awaitFile("output/one.txt", is: Array("first\n".utf8))

            try await bed.render(layout(before, more: true))
            let pids = bed.names.map { bed.process($0)?.pid }
            for name in bed.names { bed.process(name)?.send(SIGHUP) }
            for name in bed.names {
                try await eventually("\(name) reloads", detail: bed.tail(of: name)) {
                    try bed.status(name).lastReload?.ok == true
                }
            }
            try await bed.awaitLink("plant-a/relay-1", "plant-b/relay-1")
            try await bed.awaitFile("back/two.txt", is: Array("second\n".utf8))
            try await eventually("the new cost is told", detail: bed.tails) {
                try bed.client("plant-b/relay-1").topology().links.contains {
                    $0.from == "plant-a/relay-1" && $0.to == "dmz/relay-1" && $0.costForward == 25
                }
            }
            try place.write("third\n", to: "input/one.txt", appending: true)
            try await bed.awaitFile("output/one.txt", is: Array("first\nthird\n".utf8))
            #expect(bed.names.map { bed.process($0)?.pid } == pids, "nothing was restarted")
        }

        @Test(.timeLimit(.minutes(2))) func aBrokenConfigurationLeavesTheOldInForce() async throws {
            let place = try TemporaryDirectory()
            try place.makeDirectory("input")
            try place.write("first\n", to: "input/lines.txt")
            let bed = try await Testbed.make(Self.lines(), in: place)
            try await bed.startAll()
            try await bed.awaitFile("output/lines.txt", is: Array("first\n".utf8))
            for (name, broken) in [
                ("dmz/relay-1", "node: dmz/relay-1\nrole: relay\nlinkz: []\n"), ("plant-a/agent-1", "role: [\n"),
                ("plant-b/relay-1", "node: plant-b/relay-1\nrole: agent\n"),
            ] {
                let path = bed.configuration(of: name)
                let good = try #require(TemporaryDirectory.contents(path))
                try place.write(broken, to: String(path.dropFirst(place.path.count + 1)))
                bed.process(name)?.send(SIGHUP)
                try await eventually("\(name) tells what is wrong", detail: bed.tail(of: name)) {
                    try bed.status(name).lastReload?.ok == false
                }
                let error = try #require(bed.status(name).lastReload?.error)
                #expect(error.contains("node.yaml:") || error.contains("role"), "\(error)")
                #expect(!bed.lines("reload.failed", of: name).isEmpty)
                try place.write(good, to: String(path.dropFirst(place.path.count + 1)))
            }
            try place.write("second\n", to: "input/lines.txt", appending: true)
            try await bed.awaitFile("output/lines.txt", is: Array("first\nsecond\n".utf8))
            bed.process("dmz/relay-1")?.send(SIGHUP)
            try await eventually("the mended file is taken") {
                try bed.status("dmz/relay-1").lastReload?.ok == true
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: [Program.relayd, .agentd])
        func theCommandLineAnswersWithTextAndStatus(_ program: Program) async throws {
            let place = try TemporaryDirectory()
            let bed = try await Testbed.make(Self.lines(), in: place)
            let (own, other) =
                program == .relayd ? ("dmz/relay-1", "plant-a/agent-1") : ("plant-a/agent-1", "dmz/relay-1")
            let path = try program.path
            func expect(_ arguments: [String], _ status: Int32, _ texts: String...) async throws {
                let result = try await run([path] + arguments, in: place.path)
                #expect(result.ending == .exit(status), "\(arguments): \(result.output)")
                for text in texts { #expect(result.output.contains(text), "\(arguments): \(result.output)") }
            }
            try await expect(["--version"], 0, "\(program.rawValue) \(Software.version)")
            try await expect(["--help"], 0, "usage: \(program.rawValue)", "SIGHUP", "Example")
            try await expect([], 2, "add --config FILE", "usage:")
            try await expect(["--confg", "x"], 2, "unknown argument '--confg'")
            try await expect(["--config"], 2, "--config needs a file")
            try await expect(["--config", "missing.yaml"], 4, "missing.yaml")
            try await expect(["--config", bed.configuration(of: own), "--check-config"], 0, ": ok", own)
            try await expect(["--config", bed.configuration(of: other)], 4, "not of a")
            try place.write("node: dmz/relay-1\nrole: relay\nlistne: []\n", to: "bad.yaml")
            try await expect(["--config=bad.yaml", "--check-config"], 4, "bad.yaml:3:1", "did you mean 'listen'")
            let certificate = bed.directory(of: own) + "/certificate.pem"
            _ = rename(certificate, certificate + ".away")
            try await expect(["--config", bed.configuration(of: own), "--check-config"], 4, "certificate.pem")
            try await expect(["--config", bed.configuration(of: own)], 1, "certificate.pem")
        }

        @Test(.timeLimit(.minutes(2))) func metricsTellWhatWentThrough() async throws {
            let place = try TemporaryDirectory()
            try place.makeDirectory("input")
            try place.write("first\nsecond\nthird\n", to: "input/lines.txt")
            var layout = try Self.lines()
            var ports: [String: UInt16] = [:]
            for name in Layout.threeZoneNodes {
                let port = try Ports.free()
                ports[name] = port
                layout.add("metrics: {listen: {host: 127.0.0.1, port: \(port)}}", to: name)
            }
            let bed = try await Testbed.make(layout, in: place)
            try await bed.startAll()
            try await bed.awaitFile("output/lines.txt", is: Array("first\nsecond\nthird\n".utf8))
            func value(_ series: String, of name: String) throws -> UInt64? {
                let port = try #require(ports[name])
                let lines = try Self.get("/metrics", port).split(separator: "\n")
                return lines.first { $0.hasPrefix(series + " ") }.flatMap { UInt64($0.dropFirst(series.count + 1)) }
            }
            #expect(try value("gridrelay_job_records_total{job=\"lines\"}", of: "plant-a/agent-1") == 3)
            try await eventually("the sink has told") {
                try value("gridrelay_sink_records_total{sink=\"lines\"}", of: "plant-b/agent-1") == 3
            }
            for name in Layout.threeZoneNodes {
                try await eventually("\(name) counts and is at rest", detail: bed.tail(of: name)) {
                    var sum: UInt64 = 0
                    for part in [
                        "delivered_total", "returned_total", "dropped_total{reason=\"expired\"}", "queued", "in_flight",
                    ] {
                        sum += try value("gridrelay_envelopes_\(part)", of: name) ?? 0
                    }
                    let accepted = try value("gridrelay_envelopes_accepted_total", of: name) ?? 0
                    return accepted > 0 && accepted == sum
                }
                let port = try #require(ports[name])
                #expect(try Self.get("/readyz", port).hasSuffix("ready\n"))
                #expect(try Self.get("/v1/status", port).hasPrefix("HTTP/1.1 404"))
                if name.contains("relay") {
                    try await eventually("\(name) has passed the data and its receipt") {
                        let flows = try bed.client(name).flows()
                        let accounts = flows.flows + flows.lanes + flows.sources + [flows.other, flows.answers]
                        return accounts.allSatisfy(\.isBalanced) && flows.flows.contains { $0.delivered > 0 }
                            && flows.answers.delivered > 0
                    }
                }
                let inside = try bed.client(name).answer(to: AdminRequest(method: "GET", path: "/metrics"))
                #expect(String(decoding: inside, as: UTF8.self).contains("\ngridrelay_link_up{peer=\""))
            }
        }

        /// The whole answer, with its head.
        private static func get(_ path: String, _ port: UInt16) throws -> String {
            let descriptor = try Ports.connect(to: port)
            defer { close(descriptor) }
            let request = "GET \(path) HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"
            try #require(write(descriptor, request, request.utf8.count) == request.utf8.count)
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 16384)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
                answer += buffer[..<count]
            }
        }

        @Test(.timeLimit(.minutes(1))) func aSecondDaemonOnTheSameStoreIsRefused() async throws {
            let place = try TemporaryDirectory()
            try place.makeDirectory("input")
            try place.write("first\n", to: "input/lines.txt")
            let bed = try await Testbed.make(Self.lines(), in: place)
            try await bed.startAll()
            for (name, program) in [("dmz/relay-1", Program.relayd), ("plant-a/agent-1", .agentd)] {
                let result = try await run([program.path, "--config", bed.configuration(of: name)])
                #expect(result.ending == .exit(1), "\(result.output)")
                #expect(result.output.contains("store"), "\(result.output)")
                #expect(result.output.contains("another") || result.output.contains("in use"), "\(result.output)")
                #expect(bed.process(name)?.isRunning == true)
                #expect(try bed.status(name).pid == bed.process(name)?.pid, "the first keeps its socket")
            }
            try place.write("second\n", to: "input/lines.txt", appending: true)
            try await bed.awaitFile("output/lines.txt", is: Array("first\nsecond\n".utf8))
        }

        private static func lines() throws -> Layout {
            try Layout.threeZones(
                jobs: [
                    "{name: lines, to: plant-b/agent-1, schedule: {every: 50ms}, "
                        + "source: {kind: files, path: ../../input/lines.txt, mode: lines}}"
                ],
                sinks: ["{name: lines, topics: [lines], sink: {kind: files, directory: ../../output, name: lines.txt}}"]
            )
        }
    }
}

extension String {
    /// Every occurrence of a text in place of another.
    func replacing(_ text: String, with other: String) -> String {
        split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
    }
}
