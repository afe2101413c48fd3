import Agent
import Envelope
import Synchronization
import Testing

@testable import Connectors

/// Clocks that a test moves by hand. They begin far in the future, so that any file is at rest unless the test
/// winds them back.
final class TestClocks: Sendable {
    private let state = Mutex((wall: Int64(4_000_000_000_000), monotonic: Int64(1_000_000_000)))

    var clocks: Clocks {
        Clocks(
            wall: { WallTime(milliseconds: self.state.withLock { $0.wall }) },
            monotonic: { Instant(nanoseconds: self.state.withLock { $0.monotonic }) })
    }

    /// Files written now are younger than the wall clock knows.
    func windWallBack() { state.withLock { $0.wall = 0 } }

    func advance(_ duration: Duration) {
        state.withLock {
            $0.wall += duration.wholeMilliseconds
            $0.monotonic += duration.wholeNanoseconds
        }
    }
}

/// A record as a test likes to compare it.
struct Seen: Equatable {
    var key: String?
    var value: String
    var headers: [String: String]
    var time: WallTime
    var quality: Quality

    init(_ record: RecordBatch.Record) {
        key = record.keyText
        value = record.valueText ?? "<not text>"
        headers = Dictionary(
            record.headers.map { ($0.name, String(decoding: $0.value ?? [], as: UTF8.self)) },
            uniquingKeysWith: { first, _ in first })
        time = record.time
        quality = record.quality
    }
}

/// Reads a source to its end, batch after batch.
struct Drained {
    var batches: [[UInt8]] = []
    var checkpoints: [Checkpoint?] = []
    var again: Duration?

    var checkpoint: Checkpoint? { checkpoints.last ?? nil }

    func records() throws -> [Seen] {
        try batches.flatMap { bytes in
            var reader = try RecordBatch.Reader(bytes)
            return try reader.remaining().map(Seen.init)
        }
    }

    func values() throws -> [String] { try records().map(\.value) }
}

extension Source {
    /// - Parameter limit: bytes of a batch.
    func drain(after checkpoint: Checkpoint? = nil, topic: String = "topic", limit: Int = 1 << 20) throws -> Drained {
        var drained = Drained()
        var place = checkpoint
        while true {
            var batch = try RecordBatch.Builder(topic: topic, limit: limit)
            let outcome = try read(into: &batch, after: place)
            if !batch.isEmpty {
                drained.batches.append(batch.finish())
                drained.checkpoints.append(outcome.checkpoint)
            } else {
                #expect(outcome.checkpoint == place)
            }
            place = outcome.checkpoint
            if !outcome.hasMore {
                drained.again = outcome.again
                return drained
            }
            #expect(!batch.isEmpty)
        }
    }
}

/// Deliveries of one stream.
struct TestStream {
    let source: NodeID
    let stream: StreamID
    private var sequence: UInt64 = 0

    init(_ number: UInt64 = 1, source: UInt64 = 7) {
        self.source = NodeID(Bytes16(low: source, high: 0))
        stream = StreamID(Bytes16(low: number, high: 99))
    }

    mutating func delivery(_ batch: [UInt8]) -> Delivery {
        sequence += 1
        return Delivery(source: source, stream: stream, sequence: Sequence(sequence), batch: batch)
    }

    mutating func deliveries(_ batches: [[UInt8]]) -> [Delivery] { batches.map { delivery($0) } }
}

/// A batch of records that have values only.
func batch(_ values: [String], topic: String = "topic", headers: [RecordHeader] = []) throws -> [UInt8] {
    var builder = try RecordBatch.Builder(topic: topic)
    for value in values {
        try builder.append(
            key: nil, value: Array(value.utf8), headers: headers, at: WallTime(milliseconds: 0))
    }
    return builder.finish()
}
