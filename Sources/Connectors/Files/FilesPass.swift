import Agent
import Glibc

/// One walk over a directory: which files there are, and how far each has been read.
struct FilesPass {
    /// In the order they are read: those begun earlier first, then new ones, each by name.
    private(set) var files: [ListedFile]
    /// Parallel to `files`.
    var progress: [FileProgress]
    /// The file being read.
    var index = 0
    /// Some file will have more to give once it is at rest.
    var isWaiting = false

    var checkpoint: Checkpoint {
        FilesCheckpoint(entries: progress.filter { $0.offset > 0 || $0.isComplete }).encoded
    }

    /// Lists the directory and finds each file's entry in the checkpoint: by device and inode, so that a renamed
    /// file is followed, else by path, so that a remounted share is known again.
    init(_ listing: FileListing, after checkpoint: FilesCheckpoint, settings: FilesSourceSettings)
        throws(ConnectorError)
    {
        var entries: [FileIdentity: FileProgress] = [:]
        for entry in checkpoint.entries { entries[FileIdentity(entry)] = entry }
        var known: [(ListedFile, FileProgress)] = []
        var strangers: [ListedFile] = []
        // A second name of the same file (a hard link) is not a second file.
        var seen: Set<FileIdentity> = []
        for file in try listing.everything() where seen.insert(FileIdentity(file.status)).inserted {
            if let entry = entries.removeValue(forKey: FileIdentity(file.status)) {
                known.append((file, entry))
            } else if listing.matches(file.name) {
                strangers.append(file)
            }
        }
        let byName = Dictionary(entries.values.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var new: [(ListedFile, FileProgress)] = []
        for file in strangers {
            if let entry = byName[file.name] {
                known.append((file, entry))
            } else {
                new.append((file, FileProgress(file)))
            }
        }
        guard known.count + new.count <= FilesCheckpoint.files else {
            throw ConnectorError(
                .configuration,
                "'\(listing.directory)' has \(known.count + new.count) files that match; at most \(FilesCheckpoint.files) are kept track of: set 'after: move' or 'after: delete', or narrow the pattern"
            )
        }
        known.sort { $0.0.name.utf8.lexicographicallyPrecedes($1.0.name.utf8) }
        files = (known + new).map(\.0)
        progress = []
        for (file, entry) in known { progress.append(try entry.verified(against: file, in: listing, settings.mode)) }
        progress += new.map(\.1)
    }
}

/// What a file system calls a file by.
struct FileIdentity: Hashable {
    var device: UInt64
    var inode: UInt64

    init(_ entry: FileProgress) { (device, inode) = (entry.device, entry.inode) }
    init(_ status: FileStatus) { (device, inode) = (status.device, status.inode) }
}

extension FileProgress {
    /// Bytes of the fingerprints.
    static let headBytes: UInt64 = 1_024
    static let tailBytes: UInt64 = 256

    /// The entry brought up to date, or a fresh one where the file is not what was read: shortened, overwritten,
    /// or another file under the same name.
    func verified(
        against file: ListedFile, in listing: FileListing, _ mode: FilesSourceSettings.Mode
    ) throws(ConnectorError) -> FileProgress {
        if isUntouched(file.status), mode == .whole || isSameFile(as: file.status) { return adopting(file) }
        guard mode != .whole, file.status.size >= offset else { return FileProgress(file) }
        // The file may vanish at any moment; then there is nothing to read of it, in this pass or the next.
        guard let open = try? OpenFile(listing.path(of: file.name), flags: O_RDONLY) else { return adopting(file) }
        guard Fingerprint(try open.read(Int(head.length), at: 0)) == head,
            Fingerprint(try open.read(Int(tail.length), at: offset - tail.length)) == tail
        else { return FileProgress(file) }
        return adopting(file)
    }

    private func adopting(_ file: ListedFile) -> FileProgress {
        var copy = self
        copy.adopt(file)
        return copy
    }

    /// Remembers what the file looks like up to `offset`.
    /// - Throws: ``ConnectorError`` of the transient kind where the file has become shorter than that.
    mutating func takeFingerprints(of file: OpenFile) throws(ConnectorError) {
        let headLength = min(Self.headBytes, offset)
        let tailLength = min(Self.tailBytes, offset)
        if head.length < headLength { head = Fingerprint(try file.read(Int(headLength), at: 0)) }
        tail = Fingerprint(try file.read(Int(tailLength), at: offset - tailLength))
        guard head.length == headLength, tail.length == tailLength else {
            throw ConnectorError(.transient, "'\(file.path)' was shortened while it was read; it is looked at again")
        }
    }
}
