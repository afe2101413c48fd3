import Envelope
import Journal
import Node
import Platform

/// The reading side of a mailbox: what ``MailboxSink`` has brought. Used on the admin server's threads; the files
/// are the truth, so nothing is shared.
struct Mailbox {
    private let layout: MailboxLayout

    init(_ layout: MailboxLayout) { self.layout = layout }

    /// The oldest messages, at most `limit`, of one topic or of all.
    func list(topic: String?, limit: Int, names: [NodeID: NodeName]) throws(FileError) -> MessageList {
        guard try Files.attributes(of: layout.messages) != nil else { return MessageList(messages: []) }
        var batches: [(name: String, content: Content)] = []
        for name in try PosixFileSystem().list(layout.messages) where MailboxName(name) != nil {
            guard let content = try content(of: name), topic == nil || content.reader.topic == topic else { continue }
            batches.append((name, content))
        }
        batches.sort { ($0.content.received, $0.name) < ($1.content.received, $1.name) }
        var messages: [MessageList.Message] = []
        for (name, content) in batches {
            guard messages.count < limit else { return MessageList(messages: messages, hasMore: true) }
            messages += content.messages(id: name, names)
        }
        return MessageList(messages: messages)
    }

    /// - Returns: false where there is no such message.
    func remove(_ id: String) throws(FileError) -> Bool {
        guard MailboxName(id) != nil, try Files.attributes(of: layout.messages + "/" + id) != nil else { return false }
        try Files.remove(layout.messages + "/" + id)
        return true
    }

    /// nil for a file that was fetched by another at this moment, or that is none of ours.
    private func content(of name: String) throws(FileError) -> Content? {
        let path = layout.messages + "/" + name
        guard try Files.attributes(of: path) != nil else { return nil }
        return Content(try Files.read(path, limit: Limits.bodyBytes + 1024))
    }

    private struct Content {
        var source: NodeID
        var received: WallTime
        var reader: RecordBatch.Reader

        init?(_ file: [UInt8]) {
            let head = file.withUnsafeBytes { bytes -> (Bytes16, Int64)? in
                var reader = ByteReader(bytes)
                guard let source = reader.bytes16(), let time = reader.integer(Int64.self) else { return nil }
                return (source, time)
            }
            guard let head, let reader = try? RecordBatch.Reader(Array(file.dropFirst(24))) else { return nil }
            source = NodeID(head.0)
            received = WallTime(milliseconds: head.1)
            self.reader = reader
        }

        func messages(id: String, _ names: [NodeID: NodeName]) -> [MessageList.Message] {
            var reader = reader
            var messages: [MessageList.Message] = []
            while let record = try? reader.next() {
                messages.append(
                    MessageList.Message(
                        id: id, source: names[source]?.description ?? source.description, topic: reader.topic,
                        key: record.key.map { MessageBytes($0) }, value: MessageBytes(record.value ?? []),
                        time: record.time, received: received))
            }
            return messages
        }
    }
}
