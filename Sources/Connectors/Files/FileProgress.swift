import Agent

/// How far one file has been read, and how to know it again.
struct FileProgress: Equatable {
    /// Path below the directory, as last seen.
    var name: String
    var device: UInt64
    var inode: UInt64
    /// Size and time of change when last looked at; for whole files, when reading began.
    var size: UInt64
    var modified: Int64
    /// Bytes delivered.
    var offset: UInt64
    /// Of the file's first bytes, and of those just before `offset`.
    var head: Fingerprint
    var tail: Fingerprint
    /// The last record had no line end; what follows belongs to the same line.
    var isOpenEnded: Bool
    /// A whole file whose last chunk was delivered.
    var isComplete: Bool

    /// A file not yet read.
    init(_ file: ListedFile) {
        name = file.name
        device = file.status.device
        inode = file.status.inode
        size = file.status.size
        modified = file.status.modified
        offset = 0
        head = .none
        tail = .none
        isOpenEnded = false
        isComplete = false
    }

    func isSameFile(as status: FileStatus) -> Bool { device == status.device && inode == status.inode }

    func isUntouched(_ status: FileStatus) -> Bool { size == status.size && modified == status.modified }

    /// Takes over where the file is now and what it looks like.
    mutating func adopt(_ file: ListedFile) {
        name = file.name
        device = file.status.device
        inode = file.status.inode
        size = file.status.size
        modified = file.status.modified
    }
}

/// What a files source has read, as a checkpoint: one entry a file that is still there, in order of name.
struct FilesCheckpoint: Equatable {
    /// Files remembered at once; each costs some hundred bytes in every checkpoint.
    static let files = 16_384
    private static let magic = "GRFILES1"
    /// The fewest bytes of an entry: ten numbers and an empty name.
    private static let entrySize = 88

    var entries: [FileProgress]

    init(entries: [FileProgress] = []) { self.entries = entries }

    /// - Throws: ``ConnectorError`` where the bytes are those of another connector or version.
    init(_ checkpoint: Checkpoint) throws(ConnectorError) {
        do throws(StateReader.Malformed) {
            var reader = try StateReader(checkpoint.bytes, magic: Self.magic)
            entries = []
            for _ in 0..<(try reader.count(ofAtLeast: Self.entrySize)) {
                entries.append(try FileProgress(&reader))
            }
            try reader.finish()
        } catch {
            throw .foreignCheckpoint("files")
        }
    }

    var encoded: Checkpoint {
        var writer = StateWriter(magic: Self.magic)
        writer.append(UInt64(entries.count))
        for entry in entries { entry.write(to: &writer) }
        return Checkpoint(writer.bytes)
    }
}

extension FileProgress {
    init(_ reader: inout StateReader) throws(StateReader.Malformed) {
        name = try reader.text()
        device = try reader.number()
        inode = try reader.number()
        size = try reader.number()
        modified = try reader.signed()
        offset = try reader.number()
        head = Fingerprint(length: try reader.number(), value: try reader.number())
        tail = Fingerprint(length: try reader.number(), value: try reader.number())
        let flags = try reader.number()
        isOpenEnded = flags & 1 != 0
        isComplete = flags & 2 != 0
        // Places in a file fit off_t; anything else would trap in arithmetic later.
        guard offset <= UInt64(Int64.max), flags <= 3, head.length <= 4_096, tail.length <= offset else {
            throw StateReader.Malformed()
        }
    }

    func write(to writer: inout StateWriter) {
        writer.append(name)
        writer.append(device)
        writer.append(inode)
        writer.append(size)
        writer.append(modified)
        writer.append(offset)
        writer.append(head.length)
        writer.append(head.value)
        writer.append(tail.length)
        writer.append(tail.value)
        writer.append((isOpenEnded ? 1 : 0) | (isComplete ? 2 : 0) as UInt64)
    }
}

extension ConnectorError {
    static func foreignCheckpoint(_ kind: String) -> ConnectorError {
        ConnectorError(
            .configuration,
            "the checkpoint was not made by a \(kind) source of this version; was the job's kind changed? give the job a new name to begin anew"
        )
    }
}
