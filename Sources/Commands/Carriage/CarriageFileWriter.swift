import Envelope
import Glibc
import Node

/// Makes a file of carried envelopes: under another name until it is whole and on the medium.
struct CarriageFileWriter: ~Copyable {
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private let replaces: Bool
    private var isFinished = false
    private(set) var envelopes: UInt64 = 0
    /// Of the envelopes.
    private(set) var bytes: UInt64 = 0

    private init(_ path: String, temporary: String, _ descriptor: Int32, replaces: Bool) {
        self.path = path
        self.temporary = temporary
        self.descriptor = descriptor
        self.replaces = replaces
    }

    /// Permissions are asked for when the file is made and never changed after: file systems of removable media have none.
    static func make(_ path: String, replaces: Bool) throws(Failure) -> CarriageFileWriter {
        try LocalFile.refuse([path], unless: replaces)
        let temporary = path + ".partial"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LocalFile.last("cannot write \(temporary)") }
        let file = CarriageFileWriter(path, temporary: temporary, descriptor, replaces: replaces)
        try LocalFile.writeAll(CarriageRecord.magic, descriptor, temporary)
        return file
    }

    /// What is not finished leaves nothing behind.
    deinit {
        close(descriptor)
        if !isFinished { unlink(temporary) }
    }

    /// Adds records as a node has given them.
    mutating func add(_ records: [UInt8], envelopes: UInt64, bytes: UInt64) throws(Failure) {
        try LocalFile.writeAll(records, descriptor, temporary)
        self.envelopes += envelopes
        self.bytes += bytes
    }

    mutating func add(_ names: [NodeName]) throws(Failure) {
        var records = ByteQueue()
        for name in names { records.append(CarriageRecord.name(name)) }
        try add(Array(records.readable), envelopes: 0, bytes: 0)
    }

    /// Ends the file, makes it durable and gives it its name.
    mutating func finish() throws(Failure) {
        var record = ByteQueue()
        record.append(CarriageRecord.end(envelopes: envelopes, bytes: bytes))
        try LocalFile.writeAll(Array(record.readable), descriptor, temporary)
        guard fsync(descriptor) == 0 else { throw LocalFile.last("cannot write \(temporary)") }
        try LocalFile.refuse([path], unless: replaces)
        guard rename(temporary, path) == 0 else { throw LocalFile.last("cannot make \(path)") }
        isFinished = true
        try LocalFile.synchronizeDirectory(of: path)
    }
}
