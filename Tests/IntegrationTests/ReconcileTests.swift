import Admin
import Node
import TestSupport
import Testing

extension IntegrationTests {
    /// Both ends of a stream are compared by the real command: while all is well, over crashes, and after a destination
    /// was taken back to a backup.
    @Suite(.serialized) struct ReconcileTests {
        private static let source = "plant-a/agent-1"
        private static let destination = "plant-b/agent-1"

        /// A mesh, and the lines that were given to it.
        private struct Scene {
            let place: TemporaryDirectory
            let bed: Testbed
            var lines: [String] = []

            init() async throws {
                place = try TemporaryDirectory()
                try place.makeDirectory("input")
                let job =
                    "{name: lines, to: plant-b/agent-1, schedule: {every: 50ms}, linger: 0ms, "
                    + "source: {kind: files, path: ../../input/lines.txt, mode: lines}}"
                let sink =
                    "{name: lines, topics: [lines], sink: {kind: files, directory: ../../output, name: \"{topic}.txt\"}}"
                bed = try await Testbed.make(try Layout.threeZones(jobs: [job], sinks: [sink]), in: place)
                try await bed.startAll()
            }

            mutating func write(_ line: String) throws {
                lines.append(line)
                try place.write(line + "\n", to: "input/lines.txt", appending: true)
            }

            func awaitReceipts() async throws {
                try await eventually("all is receipted", detail: bed.tails) {
                    let jobs = try bed.status(ReconcileTests.source).jobs
                    return jobs.allSatisfy { $0.unreceipted == 0 }
                }
            }

            func awaitDelivery() async throws {
                try await bed.awaitFile("output/lines.txt", is: Array(lines.map { $0 + "\n" }.joined().utf8))
                try await awaitReceipts()
            }

            func reconcile(_ words: String...) async throws -> CommandResult {
                let nodes = [ReconcileTests.source, ReconcileTests.destination].map { bed.directory(of: $0) }
                return try await run([Program.relayctl.path, "reconcile"] + words + nodes)
            }

            func expectComplete(_ read: String) async throws {
                let result = try await reconcile()
                #expect(result.ending == .exit(0), "\(result.output)")
                #expect(result.output.contains("complete") && !result.output.contains("lost"), "\(result.output)")
                #expect(result.output.split(separator: " ").contains(Substring(read)), "\(result.output)")
            }
        }

        @Test(.timeLimit(.minutes(2))) func figuresAreRightBeforeAndAfterTheSourceIsKilled() async throws {
            var scene = try await Scene()
            let bed = scene.bed
            for line in ["first", "second", "third"] {
                try scene.write(line)
                try await scene.awaitDelivery()
            }
            try await scene.expectComplete("3")
            let made = try #require(try bed.client(Self.source).streams().outgoing.first)
            #expect(made.job == "lines" && made.destination == Self.destination && made.records == 3)
            #expect(made.sent == 3 && made.receipted == 3 && made.expiredEnvelopes == 0)
            let taken = try #require(try bed.client(Self.destination).streams().incoming.first)
            #expect(taken.stream == made.stream && taken.source == Self.source && taken.delivered == 3)
            let marks = try bed.client(Self.destination).marks(of: made.stream)
            #expect(marks.sinks.first { $0.name == "lines" }?.delivered == 3)
            #expect(marks.sinks.first { $0.name == "mailbox" }?.delivered == 0)

            // A stop saves it, and what the outbox holds is known after a kill.
            #expect(try await bed.stop(Self.source) == .exit(0))
            try await bed.startAll()
            bed.kill(Self.destination)
            try scene.write("fourth")
            try await eventually("it is durable", detail: bed.tail(of: Self.source)) {
                try bed.client(Self.source).streams().outgoing.contains { $0.sent == 1 && $0.records == 1 }
            }
            bed.kill(Self.source)
            try await bed.startAll()
            try await scene.awaitDelivery()
            let after = try bed.client(Self.source).streams().outgoing
            #expect(after.map(\.sent) == [3, 1] && after.map(\.receipted) == [3, 1])
            #expect(after.map(\.records) == [3, 0] && after.map(\.recordsAreAtLeast) == [false, true])
            try await scene.expectComplete("3+")
            // The destination was killed too, and what it remembers may be older than its sink.
            bed.kill(Self.destination)
            try await bed.startAll()
            try await scene.expectComplete("3+")
        }

        @Test(.timeLimit(.minutes(2))) func whatADestinationLostIsFound() async throws {
            var scene = try await Scene()
            let bed = scene.bed
            let store = bed.directory(of: Self.destination) + "/store"
            let (output, copies) = (scene.place.path("output"), scene.place.path("copies"))
            try scene.write("first")
            try await scene.awaitDelivery()
            #expect(try await bed.stop(Self.destination) == .exit(0))
            try scene.place.makeDirectory("copies")
            try await mustRun(["cp", "-a", store, output, copies])
            try await bed.startAll()
            for line in ["second", "third"] {
                try scene.write(line)
                try await scene.awaitDelivery()
            }
            try await scene.expectComplete("3")

            #expect(try await bed.stop(Self.destination) == .exit(0))
            try await mustRun(["rm", "-r", store, output])
            try await mustRun(["cp", "-a", copies + "/store", store])
            try await mustRun(["cp", "-a", copies + "/output", output])
            try await bed.startAll()
            let result = try await scene.reconcile()
            #expect(result.ending == .exit(1), "\(result.output)")
            #expect(result.output.contains("2-3  plant-a/agent-1 has receipts"), "\(result.output)")
            #expect(result.output.contains("gap"), "\(result.output)")

            // It is not hidden by what comes behind.
            try scene.write("fourth")
            try await bed.awaitFile("output/lines.txt", is: Array("first\nfourth\n".utf8))
            try await scene.awaitReceipts()
            let later = try await scene.reconcile()
            #expect(later.ending == .exit(1), "\(later.output)")
            #expect(later.output.contains("2-3  plant-b/agent-1 went on behind them"), "\(later.output)")
        }
    }
}
