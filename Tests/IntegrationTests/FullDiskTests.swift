import Glibc
import Node
import Testing

extension IntegrationTests {
    /// A disk that is full: it is said upstream, nothing is lost, and it goes on by itself once there is room.
    @Suite(.serialized) struct FullDiskTests {
        private static let records = 3000
        private static let recordBytes = 64 << 10

        @Test(.timeLimit(.minutes(3)), arguments: ["dmz/relay-1", "plant-a/agent-1"])
        func aFullDiskHoldsUpAndLosesNothing(_ victim: String) async throws {
            let place = try TemporaryDirectory()
            try place.makeDirectory("small")
            // Room for the three segments a journal needs (in use, next, to spare), and not for what it may have.
            let disk = try await SmallDisk(at: place.path("small"), mebibytes: 104)
            try place.makeDirectory("output")
            var layout = Layout()
            let isRelay = victim.contains("relay")
            let small = [
                "store: {directory: \(place.path("small/store")), maxBytes: 256MiB, segmentBytes: 32MiB}",
                "memory: 16MiB",
            ]
            try layout.relay("dmz/relay-1", extra: isRelay ? small + ["durability: storeFirst"] : [])
            layout.agent(
                "plant-a/agent-1",
                jobs: [
                    "{name: load, to: dmz/agent-2, compression: none, batchBytes: 256KiB, readAhead: 1GiB, "
                        + "source: {kind: synthetic, recordBytes: \(Self.recordBytes), count: \(Self.records)}}"
                ], extra: isRelay ? ["memory: 16MiB"] : small)
            layout.agent(
                "dmz/agent-2",
                sinks: [
                    "{name: all, topics: ['*'], sink: {kind: discard, statistics: ../../output/load.json, "
                        + "expected: \(Self.records)}}"
                ])
            layout.link("plant-a/agent-1", "dmz/relay-1")
            layout.link("dmz/agent-2", "dmz/relay-1")
            layout.flow("all", from: "plant-a/agent-1", to: "dmz/agent-2")
            let bed = try await Testbed.make(layout, in: place)
            // The relay knows the way to the destination; then that goes, or the relay itself.
            for name in ["dmz/relay-1", "dmz/agent-2"] { try bed.start(name) }
            try await bed.awaitLink("dmz/agent-2", "dmz/relay-1")
            bed.kill(isRelay ? "dmz/agent-2" : "dmz/relay-1")
            try bed.start("plant-a/agent-1")
            let event = isRelay ? "store.refused" : "outbox.refused"
            try await eventually("\(victim) says that its disk is full", detail: bed.tail(of: victim)) {
                !bed.lines(event, of: victim).isEmpty || !bed.lines("store.stalled", of: victim).isEmpty
                    || !bed.lines("outbox.stalled", of: victim).isEmpty
            }
            if isRelay {
                try await eventually("it refuses", detail: bed.tail(of: victim)) {
                    try bed.status(victim).counters.refused > 0
                }
            }
            #expect(bed.process(victim)?.isRunning == true)
            #expect(try bed.status("plant-a/agent-1").pid == bed.process("plant-a/agent-1")?.pid)
            try await bed.startAll()
            try await eventually("all has arrived", within: .seconds(60), detail: bed.tails) {
                try Statistics(place, "output/load.json")["distinct"] == Self.records
            }
            let statistics = try Statistics(place, "output/load.json")
            #expect(statistics["missing"] == 0)
            for name in bed.names {
                #expect(try bed.status(name).pid == bed.process(name)?.pid, "\(name) has not crashed")
            }
            for name in bed.names.reversed() { #expect(try await bed.stop(name) == .exit(0)) }
            disk.unmount()
        }
    }
}

/// A file system of a few mebibytes in memory.
final class SmallDisk {
    private let path: String
    private var isMounted = true

    /// - Throws: where mounting is not permitted; the test cannot be run then, and says so.
    init(at path: String, mebibytes: Int) async throws {
        self.path = path
        try await mustRun(["mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m,mode=755", "gridrelay-test", path])
    }

    /// Lets go of it even where files are still open.
    func unmount() {
        guard isMounted else { return }
        isMounted = false
        umount2(path, Int32(MNT_DETACH))
    }

    deinit { unmount() }
}
