import Envelope

/// A file of the quarantine: what is noted of an envelope, then the envelope as it came.
///
/// Layout, little-endian: `GRQUAR01` ‖ length of the front u32 ‖ CRC32C of the front u32 ‖ front ‖ envelope. The front:
/// kind u8 ‖ time of arrival in milliseconds i64 ‖ peer, topic, sink, attempt (each a length u8 and UTF-8; empty for
/// none) ‖ reason (a length u16 and UTF-8).
struct QuarantineFile {
    static let suffix = ".quarantined"
    /// Of files that hold the envelope alone, as versions before wrote them.
    static let bareSuffix = ".envelope"
    /// Bytes of a file at most.
    static let longest = headBytes + Limits.quarantineFrontBytes + Header.size + Limits.bodyBytes
    /// Bytes that hold all of the front, and the header behind it.
    static let look = headBytes + Limits.quarantineFrontBytes + Header.size

    private static let magic = Array("GRQUAR01".utf8)
    private static let headBytes = 16

    var note: QuarantineEntry.Note
    var received: WallTime
    /// Where the envelope begins.
    var offset: Int

    /// Reads the front.
    /// - Parameter bytes: of the file, at least the first ``look`` of them.
    /// - Returns: nil where it is damaged, or of another layout.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var head = ByteReader(bytes)
        guard let magic = head.run(Self.magic.count), magic.elementsEqual(Self.magic),
            let length = head.integer(UInt32.self), let checksum = head.integer(UInt32.self),
            length <= Limits.quarantineFrontBytes, let front = head.run(Int(length)),
            CRC32C.checksum(of: front) == checksum
        else { return nil }
        offset = head.offset
        var reader = ByteReader(front)
        guard let number = reader.integer(UInt8.self), let kind = QuarantineEntry.Kind(rawValue: number),
            let time = reader.integer(Int64.self), let peer = reader.shortText(), let topic = reader.shortText(),
            let sink = reader.shortText(), let attempt = reader.shortText(), let count = reader.integer(UInt16.self),
            let run = reader.run(Int(count)), let reason = String(validating: run, as: UTF8.self)
        else { return nil }
        received = WallTime(milliseconds: time)
        note = QuarantineEntry.Note(
            kind, reason, peer: peer.nonempty, topic: topic.nonempty, sink: sink.nonempty, attempt: attempt.nonempty)
    }

    static func encode(_ note: QuarantineEntry.Note, received: WallTime, _ envelope: some Collection<UInt8>) -> [UInt8]
    {
        var front = ByteQueue()
        front.append(note.kind.rawValue)
        front.append(received.milliseconds)
        for text in [note.peer, note.topic, note.sink, note.attempt] {
            front.append(shortText: (text ?? "").cut(toBytes: 255))
        }
        let reason = Array(note.reason.cut(toBytes: Limits.quarantineReasonBytes).utf8)
        front.append(UInt16(reason.count))
        front.append(reason)
        var head = ByteQueue()
        head.append(magic)
        head.append(UInt32(front.count))
        head.append(CRC32C.checksum(of: front.readable))
        head.append(front.readable)
        return Array(head.readable) + envelope
    }
}

extension String {
    fileprivate var nonempty: String? { isEmpty ? nil : self }

    /// As many whole characters from the front as fit.
    func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var text = ""
        var count = 0
        for character in self {
            count += character.utf8.count
            guard count <= limit else { break }
            text.append(character)
        }
        return text
    }
}
