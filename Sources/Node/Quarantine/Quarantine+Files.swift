import Envelope
import Journal
import Platform
import Synchronization

// Where each envelope lies, and how it is read and changed there.
extension Quarantine {
    /// - Throws: ``FileError`` where the files cannot be read.
    static func load(_ directory: String, _ log: Log) throws(FileError) -> State {
        let files = PosixFileSystem()
        var state = State()
        // A file of a process that was killed may have its name and not be durable under it.
        try files.synchronizeDirectory(directory)
        for name in try files.list(directory).sorted() {
            let path = directory + "/" + name
            if isUnfinished(name) {
                try Files.remove(path)
            } else if name.hasSuffix(QuarantineFile.suffix) {
                if let entry = try look(path, id: String(name.dropLast(QuarantineFile.suffix.count)), files) {
                    state.put(entry)
                }
            } else if name.hasSuffix(QuarantineFile.bareSuffix) {
                let id = String(name.dropLast(QuarantineFile.bareSuffix.count))
                // Sorted, so the bare file is met before the one that was written in its place.
                if try Files.attributes(of: directory + "/" + id + QuarantineFile.suffix) != nil {
                    try Files.remove(path)
                } else if let entry = try look(path, id: id, files) {
                    state.put(entry)
                }
            } else {
                log.warning("quarantine.unknown-file", "left alone, it is none of ours", ["file": name])
            }
        }
        return state
    }

    /// What a crash left of a file being written: nothing was said to be kept by it.
    private static func isUnfinished(_ name: String) -> Bool {
        let second = name.split(separator: ".").dropFirst().first.map { "." + $0 }
        return name.hasSuffix(".new") && (second == QuarantineFile.suffix || second == QuarantineFile.bareSuffix)
    }

    /// Reads the front of a file.
    /// - Returns: nil where somebody took it away.
    private static func look(
        _ path: String, id: String, _ files: PosixFileSystem
    ) throws(FileError) -> QuarantineEntry? {
        guard let attributes = try files.attributes(of: path), !attributes.isDirectory else { return nil }
        let handle = try files.open(path, .read)
        defer { files.close(handle) }
        let bytes = Int(clamping: attributes.bytes)
        return try withUnsafeTemporaryAllocation(byteCount: QuarantineFile.look, alignment: 8) {
            (room) throws(FileError) in
            let count = try files.read(handle, into: room, at: 0)
            let front = UnsafeRawBufferPointer(rebasing: room[..<count])
            guard path.hasSuffix(QuarantineFile.suffix) else {
                let reason = "a version before kept it and did not write its reason down; it stands in the log of then"
                return QuarantineEntry(
                    id: id, note: .init(.unknown, reason), received: nil, header: try? Header(front), bytes: bytes)
            }
            guard let file = QuarantineFile(front) else {
                let reason = "what was noted beside it is damaged; export shows the file as it is"
                return QuarantineEntry(
                    id: id, note: .init(.damaged, reason), received: nil, header: nil, bytes: bytes)
            }
            return QuarantineEntry(
                id: id, note: file.note, received: file.received,
                header: try? Header(UnsafeRawBufferPointer(rebasing: front[file.offset...])),
                bytes: bytes - file.offset)
        }
    }

    private func path(_ id: String, _ suffix: String = QuarantineFile.suffix) -> String {
        "\(directory)/\(id)\(suffix)"
    }

    /// Durable when it comes back, and in the list only then.
    /// - Precondition: the disk's lock is held.
    func write(_ entry: QuarantineEntry, _ envelope: some Collection<UInt8>) throws(FileError) {
        let received = entry.received ?? Clock.wall
        try Files.replace(
            path(entry.id), with: QuarantineFile.encode(entry.note, received: received, envelope))
        try Files.remove(path(entry.id, QuarantineFile.bareSuffix))
        var entry = entry
        entry.received = received
        state.withLock { $0.put(entry) }
    }

    /// The envelope as it came.
    /// - Returns: nil where it is not here any more.
    public func envelope(_ id: String) throws(FileError) -> [UInt8]? {
        guard entry(id) != nil else { return nil }
        let result = disk.withLock { _ in Result { () throws(FileError) in try read(id) } }
        return try result.get()
    }

    private func read(_ id: String) throws(FileError) -> [UInt8]? {
        do throws(FileError) {
            let bytes = try Files.read(path(id), limit: QuarantineFile.longest)
            let file = bytes.withUnsafeBytes { QuarantineFile($0) }
            return Array(bytes.dropFirst(file?.offset ?? 0))
        } catch  where error.kind == .missing {}
        do throws(FileError) {
            return try Files.read(path(id, QuarantineFile.bareSuffix), limit: QuarantineFile.longest)
        } catch  where error.kind == .missing {
            state.withLock { $0.take(id) }
            return nil
        }
    }

    /// Says something else of an envelope; durable when it comes back.
    /// - Returns: false where it is not here any more.
    @discardableResult
    public func change(
        _ id: String, _ body: @Sendable (inout QuarantineEntry.Note) -> Void
    ) throws(FileError) -> Bool {
        let result = disk.withLock { _ in
            Result { () throws(FileError) in
                guard var entry = self.entry(id), let envelope = try read(id) else { return false }
                body(&entry.note)
                try write(entry, envelope)
                return true
            }
        }
        return try result.get()
    }

    /// Takes an envelope out; durable when it comes back.
    /// - Returns: false where it was not here.
    @discardableResult
    public func remove(_ id: String) throws(FileError) -> Bool {
        let result = disk.withLock { _ in
            Result { () throws(FileError) in
                guard self.entry(id) != nil else { return false }
                try Files.remove(path(id))
                try Files.remove(path(id, QuarantineFile.bareSuffix))
                state.withLock { $0.take(id) }
                return true
            }
        }
        return try result.get()
    }
}
