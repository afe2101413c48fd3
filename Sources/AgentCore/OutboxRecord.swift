import Envelope
import Journal
import Mesh

/// A journal record of the outbox: an envelope with the checkpoint of the source behind it, or a checkpoint alone.
///
/// Layout, little-endian: age and time of writing (``StoredEnvelope``, 32) ‖ header (104; for a checkpoint
/// alone the number u64 of the record of the item that first held it, then zeros) ‖ length of the rest of the head u32 ‖ job name behind one byte of length ‖ 1 where a checkpoint follows,
/// else 0 ‖ checkpoint ‖ body. Header and job lie in front, so that a start needs to read only those.
struct OutboxRecord {
    static let envelopeKind = RecordKind(2)
    static let checkpointKind = RecordKind(3)
    /// What a start reads of each record: enough for the header, the job's name and a short checkpoint.
    static let replayPrefix = fixedBytes + 1024
    /// Bytes before the part of variable length.
    static let fixedBytes = StoredEnvelope.prefixBytes + Header.size + 4

    var stored: StoredEnvelope
    /// nil for a checkpoint alone.
    var header: Header?
    /// Of a checkpoint alone: the record of the item whose checkpoint it is; see ``Outbox/recovered``.
    var origin: UInt64 = 0
    var job: String
    /// nil where the job has none, or where its end is not in the bytes given.
    var checkpoint: [UInt8]?
    /// There is a checkpoint, and its end is not in the bytes given.
    var isCheckpointCut: Bool
    /// Where the body begins.
    var bodyOffset: Int

    /// Reads the front of a record.
    init?(_ bytes: UnsafeRawBufferPointer, kind: RecordKind) {
        guard bytes.count >= Self.fixedBytes, let stored = StoredEnvelope(bytes) else { return nil }
        self.stored = stored
        if kind == Self.envelopeKind {
            let part = UnsafeRawBufferPointer(rebasing: bytes[StoredEnvelope.prefixBytes...])
            guard let header = try? Header(part) else { return nil }
            self.header = header
        } else {
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[StoredEnvelope.prefixBytes...]))
            origin = reader.integer(UInt64.self) ?? 0
        }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[(Self.fixedBytes - 4)...]))
        guard let length = reader.integer(UInt32.self), let job = reader.shortText(),
            let flag = reader.integer(UInt8.self)
        else { return nil }
        self.job = job
        let checkpointBytes = Int(length) - job.utf8.count - 2
        guard checkpointBytes >= 0 else { return nil }
        checkpoint = flag == 1 ? reader.run(checkpointBytes).map(Array.init) : nil
        isCheckpointCut = flag == 1 && checkpoint == nil
        bodyOffset = Self.fixedBytes + Int(length)
    }

    /// The front of an envelope's record; the body follows it.
    static func front(
        _ stored: StoredEnvelope, header: UnsafeRawBufferPointer, job: String, checkpoint: [UInt8]?
    ) -> ByteQueue {
        var bytes = ByteQueue()
        stored.append(to: &bytes)
        bytes.append(header)
        append(job, checkpoint, to: &bytes)
        return bytes
    }

    /// A whole record that holds nothing but a checkpoint.
    static func checkpoint(
        _ stored: StoredEnvelope, origin: UInt64, job: String, checkpoint: [UInt8]
    ) -> ByteQueue {
        var bytes = ByteQueue()
        stored.append(to: &bytes)
        bytes.append(origin)
        bytes.append([UInt8](repeating: 0, count: Header.size - 8))
        append(job, checkpoint, to: &bytes)
        return bytes
    }

    private static func append(_ job: String, _ checkpoint: [UInt8]?, to bytes: inout ByteQueue) {
        bytes.append(UInt32(job.utf8.count + 2 + (checkpoint?.count ?? 0)))
        bytes.append(shortText: job)
        bytes.append(UInt8(checkpoint == nil ? 0 : 1))
        if let checkpoint { bytes.append(checkpoint) }
    }

    /// The envelope (header and body) out of a whole record.
    func envelope(in record: [UInt8]) -> [UInt8]? {
        guard header != nil, bodyOffset <= record.count else { return nil }
        let start = StoredEnvelope.prefixBytes
        var envelope: [UInt8] = []
        envelope.reserveCapacity(Header.size + record.count - bodyOffset)
        envelope += record[start..<start + Header.size]
        envelope += record[bodyOffset...]
        return envelope
    }
}
