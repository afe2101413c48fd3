extension SegmentedLog {
    /// Looks at the journal in `directory` and shows every live record in rising order of lsn. Nothing is changed:
    /// what a crash left is neither cut nor removed. Meanwhile nobody can open it.
    ///
    /// - Parameters:
    ///   - kinds: kinds to be shown; others are counted in the report. Empty: all.
    ///   - replayPrefix: bytes of each payload that are shown at most.
    /// - Throws: ``JournalError/noJournal(path:)``, ``JournalError/inUse(path:)``,
    ///   ``JournalError/unknownVersion(path:version:)`` or ``JournalError/file(_:)``. Damage is in the report.
    public static func inspect(
        _ files: Files, directory: String, kinds: Set<UInt16> = [], replayPrefix: Int,
        replay: (ReplayedRecord) -> Void
    ) throws(JournalError) -> RecoveryReport {
        let options = LogOptions(entropy: 0, kinds: kinds, replayPrefix: replayPrefix)
        // Taking the lock would make its file.
        guard try hasLock(files, directory) else { throw .noJournal(path: directory) }
        let lock = try takeLock(files, directory)
        defer { files.close(lock) }
        var recovery = Recovery(files, directory, options)
        recovery.changesNothing = true
        try recovery.run()
        try recovery.replay(replay)
        return recovery.report
    }

    private static func hasLock(_ files: Files, _ directory: String) throws(JournalError) -> Bool {
        do throws(FileError) {
            return try files.attributes(of: directory + "/" + Layout.lockName) != nil
        } catch {
            throw .file(error)
        }
    }
}
