import Envelope
import Link

// A ledger as its file holds it.
extension StreamLedger {
    /// Kind and version of the file.
    static let magic = Array("GRLEDGR1".utf8)
    /// Bytes of the longest file: all streams, each with the longest name of a job and the most ranges.
    package static let longestFile = 64 + streams * (256 + 91 + 16 * ranges + 58 + 16 * ranges)

    private static let recordsAreAtLeast: UInt8 = 1
    private static let hasEnded: UInt8 = 2

    /// Layout, little-endian: magic (8) ‖ CRC32C of all that follows u32 ‖ streams forgotten, outgoing and incoming, u64
    /// each ‖ number of outgoing u32 ‖ outgoing ‖ number of incoming u32 ‖ incoming; of each side the least recently
    /// touched first.
    package var file: [UInt8] {
        var bytes = ByteQueue()
        bytes.append(forgotten.outgoing)
        bytes.append(forgotten.incoming)
        let (outgoing, incoming) = (outgoing, incoming)
        bytes.append(UInt32(outgoing.count))
        for entry in outgoing { Self.append(entry, to: &bytes) }
        bytes.append(UInt32(incoming.count))
        for entry in incoming {
            bytes.append(entry.source.value)
            bytes.append(entry.stream.value)
            bytes.append(entry.delivered.number)
            bytes.append(entry.first.milliseconds)
            bytes.append(entry.last.milliseconds)
            Self.append(entry.skipped, to: &bytes)
        }
        var whole = ByteQueue()
        whole.append(Self.magic)
        whole.append(CRC32C.checksum(of: bytes.readable))
        whole.append(bytes.readable)
        return Array(whole.readable)
    }

    private static func append(_ entry: Outgoing, to bytes: inout ByteQueue) {
        bytes.append(entry.stream.value)
        bytes.append(entry.destination.value)
        // The outbox's records bound it to 255 bytes too.
        bytes.append(shortText: entry.job)
        bytes.append((entry.recordsAreAtLeast ? recordsAreAtLeast : 0) | (entry.hasEnded ? hasEnded : 0))
        for number in [entry.records, entry.sent.number, entry.receipted.number, entry.expiredCount] {
            bytes.append(number)
        }
        bytes.append(entry.first.milliseconds)
        bytes.append(entry.last.milliseconds)
        append(entry.expired, to: &bytes)
    }

    private static func append(_ set: RangeSet, to bytes: inout ByteQueue) {
        bytes.append(UInt16(set.ranges.count))
        for range in set.ranges {
            bytes.append(range.lowerBound)
            bytes.append(range.upperBound)
        }
    }

    fileprivate static func ranges(_ reader: inout ByteReader) -> RangeSet? {
        guard let count = reader.integer(UInt16.self), count <= ranges else { return nil }
        var set = RangeSet()
        for _ in 0..<count {
            guard let lower = reader.integer(UInt64.self), let upper = reader.integer(UInt64.self), lower <= upper
            else { return nil }
            set.insert(lower...upper)
        }
        return set
    }

    /// Reads what ``file`` wrote; nil for anything else.
    package init?(file: [UInt8], capacity: Int = streams) {
        let ledger = file.withUnsafeBytes { raw -> StreamLedger? in
            var front = ByteReader(raw)
            guard let magic = front.run(Self.magic.count), magic.elementsEqual(Self.magic),
                let checksum = front.integer(UInt32.self), let rest = front.run(front.remaining),
                CRC32C.checksum(of: rest) == checksum
            else { return nil }
            var reader = ByteReader(rest)
            return Self.read(&reader, capacity: capacity)
        }
        guard let ledger else { return nil }
        self = ledger
    }

    private static func read(_ reader: inout ByteReader, capacity: Int) -> StreamLedger? {
        guard let outgoing = reader.integer(UInt64.self), let incoming = reader.integer(UInt64.self),
            let madeCount = reader.integer(UInt32.self), madeCount <= capacity
        else { return nil }
        var ledger = StreamLedger(capacity: capacity, forgotten: (outgoing, incoming))
        for _ in 0..<madeCount {
            guard let entry = Outgoing(&reader) else { return nil }
            ledger.restore(entry)
        }
        guard let takenCount = reader.integer(UInt32.self), takenCount <= capacity else { return nil }
        for _ in 0..<takenCount {
            guard let entry = Incoming(&reader) else { return nil }
            ledger.restore(entry)
        }
        return reader.remaining == 0 ? ledger : nil
    }

    fileprivate static func flags(_ flags: UInt8) -> (recordsAreAtLeast: Bool, hasEnded: Bool) {
        (flags & recordsAreAtLeast != 0, flags & hasEnded != 0)
    }
}

extension StreamLedger.Outgoing {
    fileprivate init?(_ reader: inout ByteReader) {
        guard let stream = reader.bytes16(), let destination = reader.bytes16(), let job = reader.shortText(),
            let flags = reader.integer(UInt8.self), let records = reader.integer(UInt64.self),
            let sent = reader.integer(UInt64.self), let receipted = reader.integer(UInt64.self),
            let expiredCount = reader.integer(UInt64.self), let first = reader.integer(Int64.self),
            let last = reader.integer(Int64.self), let expired = StreamLedger.ranges(&reader), receipted <= sent
        else { return nil }
        self.init(
            stream: StreamID(stream), job: job, destination: NodeID(destination), at: WallTime(milliseconds: first))
        (recordsAreAtLeast, hasEnded) = StreamLedger.flags(flags)
        (self.records, self.expired, self.expiredCount) = (records, expired, expiredCount)
        (self.sent, self.receipted) = (Sequence(sent), Sequence(receipted))
        self.last = WallTime(milliseconds: last)
    }
}

extension StreamLedger.Incoming {
    fileprivate init?(_ reader: inout ByteReader) {
        guard let source = reader.bytes16(), let stream = reader.bytes16(), let mark = reader.integer(UInt64.self),
            let first = reader.integer(Int64.self), let last = reader.integer(Int64.self),
            let skipped = StreamLedger.ranges(&reader)
        else { return nil }
        self.init(
            source: NodeID(source), stream: StreamID(stream), delivered: Sequence(mark), skipped: skipped,
            first: WallTime(milliseconds: first), last: WallTime(milliseconds: last))
    }
}
