import Envelope
import Journal
import Platform

/// A sink that keeps what arrives until somebody fetches it with `relayctl receive`: one file a batch.
///
/// Each batch goes through three steps: its file is written under `arriving`, the mark of its stream is raised in the
/// marks file, the file is moved to `messages`. A start finishes or undoes what a crash left between two of them: a
/// batch at or below its mark is moved, one above it is removed. So a message that was fetched does not come back.
final class MailboxSink: Sink {
    /// Batches kept before the sink says it is full.
    static let capacity = 100_000

    private let layout: MailboxLayout
    private let capacity: Int
    private var marks: MailboxMarks

    /// - Throws: a ``ConnectorError`` where the directories cannot be had or the marks are damaged.
    init(_ layout: MailboxLayout, capacity: Int = MailboxSink.capacity) throws(ConnectorError) {
        self.layout = layout
        self.capacity = capacity
        do throws(FileError) {
            try Files.createDirectory(layout.directory)
            try Files.createDirectory(layout.arriving)
            try Files.createDirectory(layout.messages)
            // Marks that a killed process renamed and did not make durable must be so before anybody is told of them.
            try PosixFileSystem().synchronizeDirectory(layout.directory)
            marks = try MailboxMarks.load(layout.marks)
            try Self.recover(layout, marks)
        } catch {
            throw ConnectorError(.transient, error.description)
        }
    }

    private static func recover(_ layout: MailboxLayout, _ marks: MailboxMarks) throws(FileError) {
        let files = PosixFileSystem()
        for name in try files.list(layout.arriving) {
            let path = layout.arriving + "/" + name
            if let batch = MailboxName(name), batch.sequence <= marks[batch.stream] {
                try files.rename(path, to: layout.messages + "/" + name)
            } else {
                try Files.remove(path)
            }
        }
        try files.synchronizeDirectory(layout.messages)
    }

    func mark(of stream: StreamID) throws(ConnectorError) -> Sequence { marks[stream] }

    func apply(_ deliveries: [Delivery]) throws(ConnectorError) {
        do throws(FileError) {
            let files = PosixFileSystem()
            let held = try files.list(layout.messages).count
            guard held + deliveries.count <= capacity else {
                throw FileError(
                    .write, path: layout.messages, kind: .other,
                    reason: "the mailbox holds \(held) messages; fetch some with relayctl receive")
            }
            for delivery in deliveries {
                let name = MailboxName(delivery).description
                try Files.replace(layout.arriving + "/" + name, with: Self.file(delivery))
            }
            for delivery in deliveries { marks[delivery.stream] = delivery.sequence }
            try Files.replace(layout.marks, with: marks.encoded)
            for delivery in deliveries {
                let name = MailboxName(delivery).description
                try files.rename(layout.arriving + "/" + name, to: layout.messages + "/" + name)
            }
            try files.synchronizeDirectory(layout.messages)
        } catch {
            throw ConnectorError(.transient, error.description)
        }
    }

    /// Who sent it and when it came, then the batch.
    private static func file(_ delivery: Delivery) -> [UInt8] {
        var bytes = ByteQueue()
        bytes.append(delivery.source.value)
        bytes.append(Clock.wall.milliseconds)
        bytes.append(delivery.batch)
        return Array(bytes.readable)
    }
}

/// Where a mailbox keeps what.
struct MailboxLayout: Sendable {
    var directory: String
    var arriving: String { directory + "/arriving" }
    var messages: String { directory + "/messages" }
    var marks: String { directory + "/marks" }
}

/// The name of a batch's file: milliseconds of its arrival for the order, stream and sequence for its identity.
struct MailboxName: CustomStringConvertible {
    var stream: StreamID
    var sequence: Sequence
    let description: String

    init(_ delivery: Delivery) {
        stream = delivery.stream
        sequence = delivery.sequence
        let number = String(delivery.sequence.number)
        let padded = String(repeating: "0", count: max(0, 20 - number.count)) + number
        description = "\(delivery.stream)-\(padded)"
    }

    init?(_ text: String) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let value = Bytes16(hexadecimal: String(parts[0])), let number = UInt64(parts[1])
        else { return nil }
        stream = StreamID(value)
        sequence = Sequence(number)
        description = text
    }
}

/// The marks of a mailbox's streams: a small file, replaced as a whole.
struct MailboxMarks {
    /// Streams remembered; the one raised longest ago goes first. A stream lives as long as its source's process.
    static let streams = 65_536

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

    static func load(_ path: String) throws(FileError) -> MailboxMarks {
        var marks = MailboxMarks()
        guard try Files.attributes(of: path) != nil else { return marks }
        let bytes = try Files.read(path, limit: 4 + streams * 24)
        let isWhole = bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            guard let checksum = reader.integer(UInt32.self), let rest = reader.run(reader.remaining),
                CRC32C.checksum(of: rest) == checksum
            else { return false }
            var entries = ByteReader(rest)
            while let stream = entries.bytes16(), let number = entries.integer(UInt64.self) {
                marks.order.append(StreamID(stream))
                marks.marks[StreamID(stream)] = Sequence(number)
            }
            return true
        }
        guard isWhole else {
            throw FileError(
                .read, path: path, kind: .other,
                reason: "the marks file is damaged; without it messages could come twice. Move it away to go on so")
        }
        return marks
    }
}
