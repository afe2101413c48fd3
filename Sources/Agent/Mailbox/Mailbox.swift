import Envelope
import Journal
import Node
import Platform

/// The reading side of a mailbox: what ``MailboxSink`` has brought. Used on the admin server's threads; the files
/// are the truth, so nothing is shared.
struct Mailbox {
    private let layout: MailboxLayout
    private let files: any FileSystem

    init(_ layout: MailboxLayout, files: any FileSystem = PosixFileSystem()) {
        self.layout = layout
        self.files = files
    }

    /// Bytes of batches in one answer. As JSON in base 64, and with what each message is told with, an answer is some
    /// times as large.
    static let answerBytes = 8 << 20

    /// The oldest messages, of one topic or of all.
    ///
    /// A batch is removed as a whole, so it is listed as a whole, and the first of them always.
    /// - Parameters:
    ///   - limit: messages after which no further batch is begun.
    ///   - bytes: what the batches may have together; files are read no further than that.
    func list(
        topic: String?, limit: Int, bytes: Int = answerBytes, names: [NodeID: NodeName]
    ) throws(FileError) -> MessageList {
        var messages: [MessageList.Message] = []
        var size = 0
        for entry in try entries() {
            guard let content = try content(of: entry.name), topic == nil || content.reader.topic == topic else {
                continue
            }
            size += content.reader.bytes.count
            guard messages.isEmpty || messages.count < limit && size <= bytes else {
                return MessageList(messages: messages, hasMore: true)
            }
            messages += content.messages(id: entry.name, names)
        }
        return MessageList(messages: messages)
    }

    /// The names of the batches, oldest first; of each file only the front is read.
    private func entries() throws(FileError) -> [(received: WallTime, name: String)] {
        guard try files.attributes(of: layout.messages) != nil else { return [] }
        var entries: [(received: WallTime, name: String)] = []
        for name in try files.list(layout.messages) where MailboxName(name) != nil {
            if let front = try front(of: name) { entries.append((front.received, name)) }
        }
        entries.sort { ($0.received, $0.name) < ($1.received, $1.name) }
        return entries
    }

    private func front(of name: String) throws(FileError) -> MailboxFile.Front? {
        do throws(FileError) {
            let handle = try files.open(layout.messages + "/" + name, .read)
            defer { files.close(handle) }
            return try withUnsafeTemporaryAllocation(byteCount: MailboxFile.Front.size, alignment: 8) {
                (room) throws(FileError) in
                let count = try files.read(handle, into: room, at: 0)
                return MailboxFile.Front(UnsafeRawBufferPointer(rebasing: room[..<count]))
            }
        } catch  where error.kind == .missing {
            return nil
        }
    }

    /// - Returns: false where there is no such message.
    func remove(_ id: String) throws(FileError) -> Bool {
        guard MailboxName(id) != nil, try files.attributes(of: layout.messages + "/" + id) != nil else { return false }
        try files.removeDurably(layout.messages + "/" + id)
        return true
    }

    /// nil for a file that was fetched by another at this moment, or that is none of ours.
    private func content(of name: String) throws(FileError) -> MailboxFile? {
        do throws(FileError) {
            return MailboxFile(try files.readWhole(layout.messages + "/" + name, limit: MailboxFile.longest))
        } catch  where error.kind == .missing {
            return nil
        }
    }
}
