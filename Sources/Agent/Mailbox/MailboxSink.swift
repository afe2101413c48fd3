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
    private let files: any FileSystem
    private let capacity: Int
    private var marks: MailboxMarks

    /// - Throws: a ``ConnectorError`` where the directories cannot be had or the marks are damaged.
    init(
        _ layout: MailboxLayout, files: any FileSystem = PosixFileSystem(), capacity: Int = MailboxSink.capacity
    ) throws(ConnectorError) {
        self.layout = layout
        self.files = files
        self.capacity = capacity
        do throws(FileError) {
            try files.createDirectories(layout.directory)
            try files.createDirectories(layout.arriving)
            try files.createDirectories(layout.messages)
            // Marks that a killed process renamed and did not make durable must be so before anybody is told of them.
            try files.synchronizeDirectory(layout.directory)
            marks = try MailboxMarks.load(layout.marks, files)
            try Self.recover(layout, marks, files)
        } catch {
            throw ConnectorError(.transient, error.description)
        }
    }

    private static func recover(
        _ layout: MailboxLayout, _ marks: MailboxMarks, _ files: any FileSystem
    ) throws(FileError) {
        for name in try files.list(layout.arriving) {
            let path = layout.arriving + "/" + name
            if let batch = MailboxName(name), batch.sequence <= marks[batch.stream] {
                try files.rename(path, to: layout.messages + "/" + name)
            } else {
                try files.removeDurably(path)
            }
        }
        try files.synchronizeDirectory(layout.messages)
    }

    func mark(of stream: StreamID) throws(ConnectorError) -> Sequence { marks[stream] }

    func apply(_ deliveries: [Delivery]) throws(ConnectorError) {
        do throws(FileError) {
            let held = try files.list(layout.messages).count
            guard held + deliveries.count <= capacity else {
                throw FileError(
                    .write, path: layout.messages, kind: .other,
                    reason: "the mailbox holds \(held) messages; fetch some with relayctl receive")
            }
            for delivery in deliveries {
                let path = layout.arriving + "/" + MailboxName(delivery).description
                try files.replaceWhole(path, with: MailboxFile.encode(delivery, received: Clock.wall))
            }
            for delivery in deliveries { marks[delivery.stream] = delivery.sequence }
            try files.replaceWhole(layout.marks, with: marks.encoded)
            for delivery in deliveries {
                let name = MailboxName(delivery).description
                try files.rename(layout.arriving + "/" + name, to: layout.messages + "/" + name)
            }
            try files.synchronizeDirectory(layout.messages)
        } catch {
            throw ConnectorError(.transient, error.description)
        }
    }
}

extension MailboxMarks {
    /// None where there is no file yet.
    /// - Throws: a ``FileError`` also where what is there is not what was written.
    static func load(_ path: String, _ files: any FileSystem) throws(FileError) -> MailboxMarks {
        guard try files.attributes(of: path) != nil else { return MailboxMarks() }
        guard let marks = MailboxMarks(try files.readWhole(path, limit: longest)) else {
            throw FileError(
                .read, path: path, kind: .other,
                reason: "the marks file is damaged; without it messages could come twice. Move it away to go on so")
        }
        return marks
    }
}
