import Envelope
import Journal
import Mesh
import Testing

@testable import AgentCore

@Suite struct OutboxRecordTests {
    private static let stored = StoredEnvelope(
        hop: HopFields(hopLimit: 9, age: 1234), storedAt: Sample.now, boot: Bytes16(low: 3, high: 4))
    private static let header = Header(
        kind: .data, lane: .bulk, source: Sample.destination, destination: Sample.destination,
        stream: Sample.stream(8), sequence: Sequence(7), floor: Sequence(2), created: WallTime(milliseconds: 5),
        lifetime: 60, key: KeyID(Bytes16(low: 1, high: 2)), bodyLength: 6)
    private static let body: [UInt8] = [9, 8, 7, 6, 5, 4]

    private static func record(checkpoint: [UInt8]?) -> [UInt8] {
        header.encoded.withUnsafeBytes { header in
            bytes(of: OutboxRecord.front(stored, header: header, job: "job-1", checkpoint: checkpoint))
        } + body
    }

    private static func bytes(of queue: borrowing ByteQueue) -> [UInt8] { Array(queue.readable) }

    private func read(_ bytes: some Collection<UInt8>, _ kind: RecordKind = OutboxRecord.envelopeKind) -> OutboxRecord?
    {
        Array(bytes).withUnsafeBytes { OutboxRecord($0, kind: kind) }
    }

    @Test(arguments: [nil, [], [1, 2, 3], [UInt8](repeating: 5, count: 100_000)] as [[UInt8]?])
    func anEnvelopeComesBack(checkpoint: [UInt8]?) throws {
        let bytes = Self.record(checkpoint: checkpoint)
        let record = try #require(read(bytes))
        #expect(record.header == Self.header)
        #expect(record.job == "job-1")
        #expect(record.checkpoint == checkpoint)
        #expect(!record.isCheckpointCut)
        #expect(record.stored.hop == Self.stored.hop)
        #expect(record.envelope(in: bytes) == Self.header.encoded + Self.body)
    }

    @Test func aCheckpointAloneComesBack() throws {
        let bytes = Self.bytes(
            of: OutboxRecord.checkpoint(Self.stored, origin: 77, job: "job-2", checkpoint: [4, 2]))
        let record = try #require(read(bytes, OutboxRecord.checkpointKind))
        #expect(record.header == nil)
        #expect(record.origin == 77)
        #expect(record.job == "job-2")
        #expect(record.checkpoint == [4, 2])
        #expect(record.envelope(in: bytes) == nil)
    }

    @Test func aLongCheckpointIsSeenToBeCut() throws {
        let bytes = Self.record(checkpoint: [UInt8](repeating: 5, count: 5000))
        let record = try #require(read(bytes.prefix(OutboxRecord.replayPrefix)))
        #expect(record.isCheckpointCut)
        #expect(record.checkpoint == nil)
        #expect(record.job == "job-1")
        #expect(record.header == Self.header)
    }

    @Test func noTruncationTrapsOrInvents() {
        let whole = Self.record(checkpoint: [1, 2, 3])
        let front = whole.count - Self.body.count
        for count in 0..<whole.count {
            let cut = Array(whole[..<count])
            guard let record = read(cut) else { continue }
            #expect(record.job == "job-1")
            #expect(record.isCheckpointCut == (count < front))
            #expect(record.envelope(in: cut) == nil || count >= front)
        }
    }

    @Test func noFlippedByteTraps() {
        let whole = Self.record(checkpoint: [1, 2, 3])
        for place in whole.indices {
            for value in [0, 0x7F, 0xFF] as [UInt8] {
                var bytes = whole
                bytes[place] = value
                _ = read(bytes).map { $0.envelope(in: bytes)?.count }
                _ = read(bytes, OutboxRecord.checkpointKind).map {
                    $0.stored.hop(at: Sample.now, boot: Self.stored.boot)
                }
            }
        }
        #expect(read(whole) != nil)
    }
}
