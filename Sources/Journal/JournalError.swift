/// Why the journal refused or failed.
public enum JournalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The disk failed. What was staged stays staged.
    case file(FileError)
    /// The bound on bytes is reached. Nothing was changed; works again after releases and cleaning.
    case full(bytesInUse: Int, maxBytes: Int)
    case recordTooLong(bytes: Int, limit: Int)
    case reservedKind(RecordKind)
    /// Not in the journal: never was, or released.
    case notFound(LSN)
    /// The record's bytes changed on the disk.
    case damaged(LSN)
    /// The directory lets others in.
    case tooOpen(path: String, permissions: UInt16)
    case notDirectory(path: String)
    /// Nothing there was ever opened as a journal.
    case noJournal(path: String)
    /// Another process has this journal open.
    case inUse(path: String)
    /// A segment written by a later version of this program.
    case unknownVersion(path: String, version: UInt32)
    case options(String)

    public var description: String {
        switch self {
        case .file(let error):
            error.description
        case .full(let bytesInUse, let maxBytes):
            "the journal is full: \(bytesInUse) of \(maxBytes) bytes are in use; raise its bound or bring the links up"
        case .recordTooLong(let bytes, let limit):
            "a record of \(bytes) bytes is longer than the \(limit) bytes a journal segment can take"
        case .reservedKind(let kind):
            "the record kind \(kind) is reserved for the journal itself"
        case .notFound(let lsn):
            "the journal holds no record \(lsn)"
        case .damaged(let lsn):
            "record \(lsn) of the journal is damaged on the disk"
        case .tooOpen(let path, let permissions):
            "\(path) has mode 0\(String(permissions, radix: 8)) and lets others in; run: chmod 0700 \(path)"
        case .notDirectory(let path):
            "\(path) is not a directory; name another one for the journal"
        case .noJournal(let path):
            "\(path) holds no journal"
        case .inUse(let path):
            "the journal \(path) is in use by another process; stop that one first"
        case .unknownVersion(let path, let version):
            "\(path) has format version \(version), which this program does not know; run the newer program"
        case .options(let text):
            "journal options: \(text)"
        }
    }
}
