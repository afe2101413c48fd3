extension SegmentedLog {
    /// Opens the journal in `directory`, making it where there is none, and shows every live record in rising order
    /// of lsn.
    ///
    /// Memory: 16 bytes a record and a window of the file, whatever the journal holds.
    /// - Throws: ``JournalError/tooOpen(path:permissions:)``, ``JournalError/inUse(path:)``,
    ///   ``JournalError/unknownVersion(path:version:)``, ``JournalError/options(_:)`` or ``JournalError/file(_:)``.
    ///   Damage is not an error: see ``report``.
    public static func open(
        _ files: Files, directory: String, options: LogOptions, replay: (ReplayedRecord) -> Void
    ) throws(JournalError) -> SegmentedLog {
        try options.check()
        try checkDirectory(files, directory)
        for _ in 0..<4 {
            let lock = try takeLock(files, directory)
            var recovery = Recovery(files, directory, options)
            do throws(JournalError) { try recovery.run() } catch {
                files.close(lock)
                throw error
            }
            var log = SegmentedLog(recovery, lock)
            // Where something had to be written elsewhere, what the disk holds now is found out anew.
            guard try log.secure(recovery.unsure) else { continue }
            try recovery.replay(replay)
            log.report = recovery.report
            return log
        }
        throw .file(FileError(.synchronize, path: directory, kind: .other, reason: "the disk fails again and again"))
    }

    private init(_ recovery: Recovery<Files>, _ lock: FileHandle) {
        files = recovery.files
        directory = recovery.directory
        options = recovery.options
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

    /// Makes durable what the process before this one may have left in the system's memory alone, before anybody builds
    /// on it. Names first: a segment's first commit is written before it has its name, and no file of the pool may get
    /// other content under a name that a crash could take back. The same bytes are then written to their place once more:
    /// that process may have failed to synchronize them, and then the system takes them for clean, and a synchronize
    /// without a write says nothing about them. Where the disk fails that, the bytes are not trusted to be there later:
    /// what can be read of them is written again elsewhere, and the segment ends before them, by a record of the same
    /// commit: the old bytes are the only ones until it is durable. A copy that cannot be read any more thereby never
    /// was: its original counts again.
    /// - Returns: false where that was so, and nothing that was found counts as it was found.
    private mutating func secure(_ ends: [UnsureEnd]) throws(JournalError) -> Bool {
        try synchronizeNames()
        var isSure = true
        for end in ends {
            guard let index = segments.firstIndex(where: { $0.number == end.segment }) else { continue }
            let handle = try handle(of: index)
            do throws(FileError) {
                try writeAgain(handle, end.from..<segments[index].end)
                try files.synchronize(handle)
            } catch {
                try stageAgain(index, from: end.from)
                pendingCuts.append(NumberPair(first: end.segment, second: UInt64(end.from)))
                isSure = false
            }
        }
        if !isSure { try commit(flags: 0) }
        return isSure
    }

    private func writeAgain(_ handle: FileHandle, _ range: Range<Int>) throws(FileError) {
        var window = Window(ahead: 1 << 20)
        var place = range.lowerBound
        while place < range.upperBound {
            let bytes = try window.view(files, handle, at: place, min(1 << 20, range.upperBound - place))
            guard !bytes.isEmpty else { return }
            try files.write(handle, bytes, at: UInt64(place))
            place += bytes.count
        }
    }

    private mutating func stageAgain(_ index: Int, from place: Int) throws(JournalError) {
        let number = segments[index].number
        for other in segments.indices where segments[other].releasers.contains(number) {
            pendingReleases.append(contentsOf: segments[other].releasedRanges())
        }
        var payload: [UInt8] = []
        var report = CleaningReport()
        for isCopy in [false, true] {
            let entries = (isCopy ? segments[index].copied : segments[index].fresh).entries
            for (position, entry) in entries.enumerated() where entry.state == .live && Int(entry.place) >= place {
                let location = RecordLocation(segment: index, position: position, isCopy: isCopy)
                try stageCopy(location, LSN(entry.lsn), &payload, &report)
            }
        }
    }

    private static func checkDirectory(_ files: Files, _ directory: String) throws(JournalError) {
        do throws(FileError) {
            if try files.attributes(of: directory) == nil {
                try files.createDirectory(directory, permissions: 0o700)
            }
            // Also where it is there: a start that was killed may have made it and not made that durable.
            try files.synchronizeDirectory(parent(of: directory))
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

    static func takeLock(_ files: Files, _ directory: String) throws(JournalError) -> FileHandle {
        do throws(FileError) {
            return try files.lock(directory + "/" + Layout.lockName)
        } catch {
            throw error.kind == .locked ? .inUse(path: directory) : .file(error)
        }
    }
}
