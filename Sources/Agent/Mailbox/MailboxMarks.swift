import Envelope

/// The marks of a mailbox's streams: a small file, replaced as a whole.
struct MailboxMarks {
    /// Streams remembered; the one raised longest ago goes first. A stream lives as long as its source's process.
    static let streams = 65_536
    /// Bytes of a file with as many.
    static let longest = 4 + streams * 24

    private var order: [StreamID] = []
    private var marks: [StreamID: Sequence] = [:]

    subscript(stream: StreamID) -> Sequence {
        get { marks[stream] ?? .none }
        set {
            if marks[stream] != nil { order.removeAll { $0 == stream } }
            marks[stream] = newValue
            order.append(stream)
            if order.count > Self.streams { marks[order.removeFirst()] = nil }
        }
    }

    var encoded: [UInt8] {
        var bytes = ByteQueue()
        for stream in order {
            bytes.append(stream.value)
            bytes.append((marks[stream] ?? .none).number)
        }
        var sealed = ByteQueue()
        sealed.append(CRC32C.checksum(of: bytes.readable))
        sealed.append(bytes.readable)
        return Array(sealed.readable)
    }

    init() {}

    /// Reads what ``encoded`` wrote; nil for anything else.
    init?(_ bytes: [UInt8]) {
        let isWhole = bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            guard let checksum = reader.integer(UInt32.self), let rest = reader.run(reader.remaining),
                CRC32C.checksum(of: rest) == checksum
            else { return false }
            var entries = ByteReader(rest)
            while let stream = entries.bytes16(), let number = entries.integer(UInt64.self) {
                order.append(StreamID(stream))
                marks[StreamID(stream)] = Sequence(number)
            }
            return true
        }
        guard isWhole else { return nil }
    }
}
