import Agent
import Envelope
import Glibc

/// Collects files of a directory: line by line, row by row, or whole.
///
/// Invariant: what a call appends depends on the checkpoint and on the files alone. What is kept between calls
/// (`pass`, `reading`) only saves looking again, and is dropped whenever the next call does not go on exactly
/// where the last one stopped.
public final class FilesSource: Source {
    let settings: FilesSourceSettings
    let listing: FileListing
    let clocks: Clocks
    /// The walk under way and the checkpoint that was handed out with it.
    private var pass: (state: FilesPass, checkpoint: Checkpoint?)?
    /// The file whose records are being read.
    var rows: RowReading?
    var chunks: ChunkReading?
    /// When each file was first seen as it is now.
    private var sightings: [String: (status: FileStatus, since: Instant)] = [:]
    /// Files whose every byte has arrived, to be deleted or moved once they are at rest.
    var arrived: [FileProgress] = []
    /// The file whose name the batch under way has last told.
    var described: String?

    public convenience init(_ settings: FilesSourceSettings) { self.init(settings, clocks: .system) }

    init(_ settings: FilesSourceSettings, clocks: Clocks) {
        self.settings = settings
        self.clocks = clocks
        listing = FileListing(
            directory: settings.directory, pattern: settings.pattern, isRecursive: settings.isRecursive,
            excluded: settings.afterwards == .move ? settings.moveTo : nil)
    }

    public func read(
        into batch: inout RecordBatch.Builder, after checkpoint: Checkpoint?
    ) throws(ConnectorError) -> ReadOutcome {
        try tidyUp()
        let countBefore = batch.count
        described = nil
        var state = try resume(after: checkpoint)
        pass = nil
        while state.index < state.files.count {
            let step = try advance(&state, into: &batch)
            if step == .batchFull {
                let place = batch.count > countBefore ? state.checkpoint : checkpoint
                pass = (state, place)
                return ReadOutcome(checkpoint: place, hasMore: true)
            }
            if step == .notAtRest { state.isWaiting = true }
            state.index += 1
        }
        let place = batch.count > countBefore ? state.checkpoint : checkpoint
        return ReadOutcome(checkpoint: place, hasMore: false, again: state.isWaiting ? settings.stableFor : nil)
    }

    enum Step { case finished, batchFull, notAtRest }

    private func resume(after checkpoint: Checkpoint?) throws(ConnectorError) -> FilesPass {
        if let pass, pass.checkpoint == checkpoint { return pass.state }
        rows = nil
        chunks = nil
        let decoded = try checkpoint.map { (bytes) throws(ConnectorError) in try FilesCheckpoint(bytes) }
        let state = try FilesPass(listing, after: decoded ?? FilesCheckpoint(), settings: settings)
        noteSightings(of: state.files)
        return state
    }

    private func advance(_ state: inout FilesPass, into batch: inout RecordBatch.Builder) throws(ConnectorError) -> Step
    {
        let file = state.files[state.index]
        switch settings.mode {
        case .lines, .csv: return try readRows(of: file, &state.progress[state.index], into: &batch)
        case .whole: return try readChunks(of: file, &state.progress[state.index], into: &batch)
        }
    }

    // MARK: Rest

    /// Whether nobody seems to be writing the file: by its own times where the clocks agree, else by how long it
    /// has been seen unchanged. The time of status change counts too, as programs set the other one back.
    func isAtRest(_ name: String, _ status: FileStatus) -> Bool {
        let quiet = settings.stableFor.wholeNanoseconds
        let now = clocks.wall().milliseconds
        let newest = max(status.modified, status.changed) / 1_000_000
        if newest <= now, now - newest > quiet / 1_000_000 { return true }
        guard let seen = sightings[name], seen.status == status else { return false }
        return clocks.monotonic() - seen.since >= settings.stableFor
    }

    private func noteSightings(of files: [ListedFile]) {
        let now = clocks.monotonic()
        var current: [String: (FileStatus, Instant)] = [:]
        for file in files {
            let before = sightings[file.name]
            current[file.name] = before?.status == file.status ? before : (file.status, now)
        }
        sightings = current
    }
}

extension FileListing {
    /// nil where the file has vanished since it was listed.
    func open(_ name: String) throws(ConnectorError) -> OpenFile? {
        do throws(ConnectorError) {
            return try OpenFile(path(of: name), flags: O_RDONLY)
        } catch {
            if try FileStatus.at(path(of: name)) == nil { return nil }
            throw error
        }
    }
}
