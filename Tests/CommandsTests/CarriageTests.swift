import Crypto
import Envelope
import Mesh
import Node
import Synchronization
import Testing

@testable import Commands

/// `relayctl journal export` and `import` against a node that is made up.
struct CarriageCommandTests {
    /// A relay with some envelopes; keeps what it is brought.
    private final class Node: Sendable {
        let envelopes: [[UInt8]]
        let brought = Mutex<[[UInt8]]>([])
        /// Answers to what is brought, in turn; then all is taken.
        let answers: Mutex<[CarriageReport]>

        init(_ count: Int, answers: [CarriageReport] = []) {
            envelopes = (0..<count).map { index in
                Header(
                    kind: .data, lane: index % 2 == 0 ? .live : .bulk, source: NodeID(ofText: "plant-a/agent"),
                    destination: NodeID(ofText: "plant-b/agent"), stream: StreamID(Bytes16(low: 1, high: 2)),
                    sequence: Sequence(UInt64(index) + 1), floor: Sequence(1), created: WallTime(milliseconds: 0),
                    lifetime: 3600, key: KeyID(Bytes16(low: 3, high: 4)), bodyLength: 2_000_000
                ).encoded + [UInt8](repeating: UInt8(index), count: 2_000_000)
            }
            self.answers = Mutex(answers)
        }

        func answer(_ request: AdminRequest) -> AdminResponse {
            switch (request.method, request.path) {
            case ("GET", "/v1/stored"):
                DurableCopies(
                    copies: envelopes.enumerated().map {
                        .init(stored: UInt64($0.offset) + 1, length: $0.element.count)
                    }
                ).answer(names: [try? NodeName("plant-b/agent")].compactMap { $0 })
            case ("POST", "/v1/stored/copies"):
                .bytes(status: 200, records(request.storedNumbers ?? []))
            case ("POST", "/v1/stored"): take(request.body)
            default: .problem(status: 404, "nothing here")
            }
        }

        private func records(_ numbers: [UInt64]) -> [UInt8] {
            var queue = ByteQueue()
            for number in numbers {
                envelopes[Int(number) - 1].withUnsafeBytes { queue.append(CarriageRecord.envelope(HopFields(), $0)) }
            }
            return Array(queue.readable)
        }

        private func take(_ body: [UInt8]) -> AdminResponse {
            var found: [[UInt8]] = []
            body.withUnsafeBytes { bytes in
                var reader = CarriageReader(bytes)
                while let record = try? reader.next() {
                    if case .envelope(_, let envelope) = record { found.append(Array(envelope)) }
                }
            }
            var report = CarriageReport()
            (report.taken, report.stored) = (found.count, found.count)
            if let next = answers.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { report = next }
            brought.withLock { $0 += found.prefix(report.taken) }
            return .json(status: 200, report)
        }
    }

    private func stage(_ node: Node) throws -> Stage { try Stage { node.answer($0) } }

    @Test func whatIsExportedCanBeImported() throws {
        let node = Node(5)
        let stage = try stage(node)
        let file = stage.directory + "/a.carry"
        let told = stage.run(["journal", "export", file])
        #expect(told.code == .ok && told.output.contains("5 envelopes") && told.output.contains("plant-b/agent"))
        let look = stage.run(["journal", "import", file, "--dry-run"], environment: [:])
        #expect(look.code == .ok && look.output.contains("5 envelopes") && node.brought.withLock { $0.isEmpty })
        let done = stage.run(["journal", "import", file])
        #expect(done.code == .ok && done.output.contains("5 are durable"))
        #expect(node.brought.withLock { $0 } == node.envelopes)
        #expect(stage.run(["journal", "export", file]).code == .failed, "nothing is overwritten by the way")
        #expect(stage.run(["journal", "export", file, "--force"]).code == .ok)
        #expect(stage.run(["journal", "export", file, "--to", "a/b/c"]).code == .usage)
        #expect(stage.run(["journal", "export", file, "--all", "--to", "*"]).code == .usage)
    }

    @Test func nothingToCarryMakesNoFile() throws {
        let stage = try stage(Node(0))
        let told = stage.run(["journal", "export", stage.directory + "/a.carry"])
        #expect(told.code == .ok && told.talk.contains("no file was made"))
        #expect(!LocalFile.exists(stage.directory + "/a.carry"))
        #expect(!LocalFile.exists(stage.directory + "/a.carry.partial"))
    }

    /// A relay that is full is waited for; what it will never take is told.
    @Test func aFullRelayIsWaitedFor() throws {
        var full = CarriageReport()
        full.waits = "storage full"
        var some = CarriageReport()
        (some.taken, some.stored, some.waits) = (1, 0, "storage full")
        some.refused = [.init(index: 0, reason: "no flow permits it")]
        let node = Node(3, answers: [full, some])
        let stage = try stage(node)
        let file = stage.directory + "/a.carry"
        #expect(stage.run(["journal", "export", file]).code == .ok)
        let told = stage.run(["journal", "import", file], looks: 10)
        #expect(told.code == .failed && told.talk.contains("storage full") && told.output.contains("2 are durable"))
        #expect(told.output.contains("1 refused: no flow permits it"))
        #expect(node.brought.withLock { $0.count } == 3)
    }

    @Test func whoHasWaitedEnoughMayStop() throws {
        var full = CarriageReport()
        full.waits = "storage full"
        let stage = try stage(Node(1, answers: [full, full, full]))
        let file = stage.directory + "/a.carry"
        #expect(stage.run(["journal", "export", file]).code == .ok)
        let told = stage.run(["journal", "import", file])
        #expect(told.code == .failed && told.talk.contains("stopped"))
    }

    @Test func damageIsToldAndTheRestIsBrought() throws {
        let node = Node(3)
        let stage = try stage(node)
        let file = stage.directory + "/a.carry"
        #expect(stage.run(["journal", "export", file]).code == .ok)
        let good = try LocalFile.read(file, limit: 1 << 30)
        var bad = good
        bad[3_000_000] ^= 1
        try LocalFile.write(bad, to: file, mode: 0o600, replaces: true)
        let flipped = stage.run(["journal", "import", file])
        #expect(
            flipped.code == .failed && flipped.talk.contains("1 records") && flipped.talk.contains("export it again"))
        #expect(node.brought.withLock { $0 } == [node.envelopes[0], node.envelopes[2]])
        for count in [good.count - 1, good.count - 32, 3_000_000] {
            try LocalFile.write(Array(good[..<count]), to: file, mode: 0o600, replaces: true)
            let short = stage.run(["journal", "import", file, "--dry-run"])
            #expect(short.code == .failed && short.talk.contains("ends too early"))
        }
        try LocalFile.write(Array("GRCARRY2".utf8), to: file, mode: 0o600, replaces: true)
        #expect(stage.run(["journal", "import", file]).talk.contains("is no file of relayctl journal export"))
    }
}
