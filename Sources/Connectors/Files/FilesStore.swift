import Agent
import Envelope
import Glibc

/// The directory of a files sink: its lock, its marks, and what a crash left half done.
///
/// `.gridrelay/marks` is replaced as a whole (written beside, made durable, renamed, directory made durable): the
/// rename is the moment at which a commit has happened.
final class FilesStore {
    let directory: String
    private(set) var marks = FilesMarks()
    private let lock: OpenFile
    let names: any DirectoryNames
    let step: (SinkStep) throws(ConnectorError) -> Void

    private var state: String { directory + "/" + OutputName.reserved }
    private var parts: String { state + "/parts" }

    /// Takes the lock, reads the marks and undoes or completes what a crash interrupted.
    init(
        _ directory: String, names: any DirectoryNames, step: @escaping (SinkStep) throws(ConnectorError) -> Void
    ) throws(ConnectorError) {
        self.directory = directory
        self.names = names
        self.step = step
        try names.create(directory + "/" + OutputName.reserved + "/parts")
        lock = try OpenFile(directory + "/" + OutputName.reserved + "/lock", flags: O_RDWR | O_CREAT)
        guard lock.lockExclusively() else {
            throw ConnectorError(
                .configuration, "another sink writes to '\(directory)'; give each sink a directory of its own")
        }
        // A process that was killed may have renamed the marks without making that durable. Sources are told that
        // they can forget by what is read here, so it must outlive a power cut first.
        try names.synchronize(state)
        try readMarks()
        try recover()
    }

    func path(of name: String) -> String { directory + "/" + name }
    func path(ofPart file: String) -> String { parts + "/" + file }

    /// Makes new marks durable.
    func commit(_ changed: FilesMarks) throws(ConnectorError) {
        var changed = changed
        changed.commit = marks.commit &+ 1
        try step(.willWriteMarks)
        let fresh = state + "/marks.new"
        let file = try OpenFile(fresh, flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(changed.encoded, at: 0)
        try file.synchronize()
        try step(.willRenameMarks)
        try names.rename(fresh, to: state + "/marks")
        try names.synchronize(state)
        try step(.didRenameMarks)
        marks = changed
    }

    /// Gives finished parts their names. They are in the committed marks, so a crash on the way does no harm.
    func publish() throws(ConnectorError) {
        for publication in marks.publications {
            try step(.willPublish)
            let part = path(ofPart: publication.file)
            guard try FileStatus.at(part) != nil else { continue }
            let target = path(of: publication.target)
            try names.create(Directory.parent(of: target) ?? "/")
            try names.rename(part, to: target)
            try names.synchronize(Directory.parent(of: target) ?? "/")
            try step(.didPublish)
        }
        // Written with the next commit; until then a restart finds no part and does nothing.
        marks.publications = []
    }

    func synchronizeParts() throws(ConnectorError) { try names.synchronize(parts) }

    // MARK: Recovery

    private func readMarks() throws(ConnectorError) {
        let path = state + "/marks"
        guard let status = try FileStatus.at(path) else { return }
        let bytes = try OpenFile(path, flags: O_RDONLY).read(Int(status.size), at: 0)
        do throws(StateReader.Malformed) {
            marks = try FilesMarks(bytes)
        } catch {
            throw ConnectorError(
                .configuration,
                "'\(path)' is damaged, so what has arrived is not known: restore it from a backup, or move the directory away and accept that deliveries under way come twice"
            )
        }
    }

    private func recover() throws(ConnectorError) {
        try publish()
        for name in marks.outputs.keys.sorted() {
            try cutBack(path(of: name), to: marks.outputs[name]?.length ?? 0)
        }
        for part in marks.parts { try cutBack(path(ofPart: part.file), to: part.length) }
        try removeStrayParts()
    }

    /// A file that is not there was taken away by a person or program; it begins anew when something arrives.
    private func cutBack(_ path: String, to length: UInt64) throws(ConnectorError) {
        guard let status = try FileStatus.at(path), status.size != length else { return }
        guard status.size > length else { throw .shortened(path, is: status.size, was: length) }
        let file = try OpenFile(path, flags: O_WRONLY)
        try file.truncate(to: length)
        try file.synchronize()
    }

    private func removeStrayParts() throws(ConnectorError) {
        let kept = Set(marks.parts.map(\.file))
        let listing = FileListing(directory: parts, pattern: "*", isRecursive: false, excluded: nil)
        for file in try listing.everything() where !kept.contains(file.name) {
            guard unlink(listing.path(of: file.name)) == 0 || errno == ENOENT else {
                throw .system("cannot delete", listing.path(of: file.name))
            }
        }
    }
}

extension ConnectorError {
    static func shortened(_ path: String, is size: UInt64, was length: UInt64) -> ConnectorError {
        ConnectorError(
            .configuration,
            "'\(path)' has \(size) bytes, but \(length) were delivered to it: something else writes to it or data was lost; move it away to go on with a new file"
        )
    }
}
