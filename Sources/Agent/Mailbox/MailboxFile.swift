import Envelope
import Node

/// A file of the mailbox: who sent a batch and when it came, then the batch.
///
/// Layout, little-endian: source (16) ‖ time of arrival in milliseconds i64 ‖ record batch.
struct MailboxFile {
    /// What stands before the batch.
    struct Front {
        static let size = 24

        var source: NodeID
        var received: WallTime

        init?(_ bytes: UnsafeRawBufferPointer) {
            var reader = ByteReader(bytes)
            guard let source = reader.bytes16(), let time = reader.integer(Int64.self) else { return nil }
            self.source = NodeID(source)
            received = WallTime(milliseconds: time)
        }
    }

    /// Bytes of a file that may be one of ours.
    static let longest = Limits.bodyBytes + 1024

    var front: Front
    var reader: RecordBatch.Reader

    init?(_ file: [UInt8]) {
        guard let front = file.withUnsafeBytes({ Front($0) }),
            let reader = try? RecordBatch.Reader(Array(file.dropFirst(Front.size)))
        else { return nil }
        self.front = front
        self.reader = reader
    }

    static func encode(_ delivery: Delivery, received: WallTime) -> [UInt8] {
        var bytes = ByteQueue()
        bytes.append(delivery.source.value)
        bytes.append(received.milliseconds)
        bytes.append(delivery.batch)
        return Array(bytes.readable)
    }

    /// The records, as many as can be read.
    func messages(id: String, _ names: [NodeID: NodeName]) -> [MessageList.Message] {
        var reader = reader
        var messages: [MessageList.Message] = []
        while let record = try? reader.next() {
            messages.append(
                MessageList.Message(
                    id: id, source: names[front.source]?.description ?? front.source.description,
                    topic: reader.topic,
                    key: record.key.map { MessageBytes($0) }, value: MessageBytes(record.value ?? []),
                    time: record.time, received: front.received))
        }
        return messages
    }
}
