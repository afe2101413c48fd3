extension SegmentedLog {
    /// Opens the journal in `directory`, making it where there is none, and shows every live record in rising order
    /// of lsn.
    ///
    /// Memory: 16 bytes a record and a window of the file, whatever the journal holds.
    /// - Throws: ``JournalError/tooOpen(path:permissions:)``, ``JournalError/inUse(path:)``,
    ///   ``JournalError/unknownVersion(path:version:)``, ``JournalError/options(_:)`` or ``JournalError/file(_:)``.
    ///   Damage is not an error: see ``report``.
    public init(
        _ files: Files, directory: String, options: LogOptions, replay: (ReplayedRecord) -> Void
    ) throws(JournalError) {
        try options.check()
        try Self.checkDirectory(files, directory)
        let lock = try Self.takeLock(files, directory)
        var recovery = Recovery(files, directory, options)
        do throws(JournalError) {
            try recovery.run()
            try recovery.replay(replay)
        } catch {
            files.close(lock)
            throw error
        }
        self.files = files
        self.directory = directory
        self.options = options
        self.lock = lock
        segments = recovery.scans.map(\.segment)
        pool = recovery.pool
        nextFile = recovery.nextFile
        nextLSN = recovery.nextLSN
        nextCommit = recovery.nextCommit
        acknowledged = recovery.settled
        acknowledgedOnDisk = recovery.acknowledged
        stagedFrom = recovery.nextLSN
        report = recovery.report
    }

    private static func checkDirectory(_ files: Files, _ directory: String) throws(JournalError) {
        do throws(FileError) {
            if try files.attributes(of: directory) == nil {
                try files.createDirectory(directory, permissions: 0o700)
                try files.synchronizeDirectory(parent(of: directory))
            }
        } catch {
            throw .file(error)
        }
        let found: FileAttributes?
        do throws(FileError) {
            found = try files.attributes(of: directory)
        } catch {
            throw .file(error)
        }
        guard let found, found.isDirectory else { throw .notDirectory(path: directory) }
        guard found.permissions & 0o077 == 0 else {
            throw .tooOpen(path: directory, permissions: found.permissions)
        }
    }

    private static func parent(of directory: String) -> String {
        var parts = directory.split(separator: "/", omittingEmptySubsequences: true)
        if !parts.isEmpty { parts.removeLast() }
        let path = parts.joined(separator: "/")
        return directory.utf8.first == UInt8(ascii: "/") ? "/" + path : (path.isEmpty ? "." : path)
    }

    private static func takeLock(_ files: Files, _ directory: String) throws(JournalError) -> FileHandle {
        do throws(FileError) {
            return try files.lock(directory + "/" + Layout.lockName)
        } catch {
            throw error.kind == .locked ? .inUse(path: directory) : .file(error)
        }
    }
}
