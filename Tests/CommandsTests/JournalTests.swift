import Crypto
import Envelope
import Glibc
import Journal
import Mesh
import Node
import Platform
import Testing

@testable import Commands

/// Journals of stopped nodes, written by the real journal on the disk.
struct JournalTests {
    private let stage: Stage
    private var store: String { stage.directory + "/store" }

    init() throws { stage = try Stage() }

    /// Envelopes with bodies of these lengths, to `plant-b/agent` and, every third, to `cloud/agent` in bulk.
    private func write(_ bodies: [Int], releasing: Set<Int> = []) throws {
        try Files.createDirectory(store)
        var log = try open()
        var numbers: [LSN] = []
        for (index, body) in bodies.enumerated() {
            numbers.append(try log.append(RecordKind(1), try record(index, body)))
        }
        _ = try log.append(RecordKind(3), [1, 2, 3])
        try log.commit()
        for index in releasing { log.release(numbers[index]) }
        try log.close()
    }

    private func open() throws(JournalError) -> SegmentedLog<PosixFileSystem> {
        try SegmentedLog.open(
            PosixFileSystem(), directory: store + "/journal",
            options: LogOptions(segmentBytes: 32 << 10, maxBytes: 1 << 20, entropy: 5)
        ) { _ in }
    }

    private func record(_ index: Int, _ body: Int) throws -> [UInt8] {
        let header = Header(
            kind: .data, lane: index % 3 == 2 ? .bulk : .live, flags: [], source: NodeID(ofText: "plant-a/agent"),
            destination: NodeID(ofText: index % 3 == 2 ? "cloud/agent" : "plant-b/agent"),
            stream: StreamID(Bytes16(low: 1, high: 2)), sequence: Sequence(UInt64(index) + 1), floor: Sequence(1),
            created: WallTime(milliseconds: 0), lifetime: 3600, key: KeyID(Bytes16(low: 3, high: 4)),
            bodyLength: UInt32(body))
        var bytes = ByteQueue()
        StoredEnvelope(
            hop: HopFields(hopLimit: 9, age: UInt32(index) * 1000), storedAt: .zero, boot: .unknownBoot
        ).append(to: &bytes)
        return Array(bytes.readable) + header.encoded + [UInt8](repeating: 7, count: body)
    }

    private func names() throws -> String {
        let path = stage.directory + "/mesh.yaml"
        let text = """
            zones:
              plant-b: {nodes: {relay: {role: relay, listen: [{host: h, port: 1}]}, agent: {role: agent}}}
            links: [{from: plant-b/agent, to: plant-b/relay}]
            """
        try Files.replace(path, with: Array(text.utf8))
        return path
    }

    @Test func showsWhatWaits() throws {
        try write([100, 200, 300, 400], releasing: [0])
        let cloud = NodeID(ofText: "cloud/agent")
        let outcome = stage.run(["journal", "stat", store, "--names", try names()])
        #expect(outcome.code == .ok, "\(outcome.talk)")
        let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines[0].hasPrefix("\(store)/journal 4 records, "))
        #expect(lines[1] == "1 of these are checkpoints or of other kinds")
        #expect(lines[2] == "DESTINATION LANE ENVELOPES BYTES OLDEST")
        #expect(lines[3...].contains("\(cloud) bulk 1 404 B 2.0 s"))
        #expect(lines[3...].contains("plant-b/agent live 2 808 B 3.0 s"))
        #expect(lines.count == 5)
    }

    @Test func looksAndChangesNothing() throws {
        try write([100])
        // What a start would remove.
        try Files.replace(store + "/journal/00000000000000ff.new", with: [0])
        let before = try contents()
        #expect(stage.run(["journal", "verify", store]).code == .ok)
        #expect(stage.run(["journal", "stat", store + "/journal", "-o", "json"]).code == .ok)
        #expect(try contents() == before)
    }

    private func contents() throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for name in try PosixFileSystem().list(store + "/journal") {
            contents[name] = try Files.read(store + "/journal/" + name, limit: 1 << 20)
        }
        return contents
    }

    @Test func damageIsTold() throws {
        try write([1000, 1000, 1000])
        let name = try #require(PosixFileSystem().list(store + "/journal").first { $0.hasSuffix(".segment") })
        let path = store + "/journal/" + name
        let descriptor = Glibc.open(path, O_WRONLY)
        defer { close(descriptor) }
        // In the second record's payload.
        #expect(pwrite(descriptor, [0xFF] as [UInt8], 1, 4096 + 1168 + 600) == 1)
        let outcome = stage.run(["journal", "verify", store])
        #expect(outcome.code == .failed)
        #expect(outcome.talk.contains("\(name): 1168 bytes at 5264 are damaged, record 2"), "\(outcome.talk)")
        let report = stage.run(["journal", "stat", store])
        #expect(report.code == .ok && report.output.contains("are damaged, record 2"), "\(report.output)")
        #expect(report.output.contains("3 records"))
    }

    @Test func aJournalInUseIsNotLookedAt() throws {
        try write([100])
        let log = try open()
        let outcome = stage.run(["journal", "stat", store])
        #expect(outcome.code == .failed && outcome.talk.contains("is in use by another process"), "\(outcome.talk)")
        #expect(outcome.talk.contains("relayctl queue list"))
        _ = consume log
    }

    @Test func whereThereIsNoneThatIsTold() throws {
        for (path, text) in [(stage.directory, "holds no journal"), (stage.directory + "/nowhere", "there is no")] {
            let outcome = stage.run(["journal", "verify", path])
            #expect(outcome.code == .failed && outcome.talk.contains(text), "\(outcome.talk)")
        }
        #expect(stage.run(["journal", "stat"]).code == .usage)
    }
}
