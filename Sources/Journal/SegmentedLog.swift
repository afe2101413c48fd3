/// An append-only log in segment files; docs/formats/journal.md says what it promises and how it lies on disk.
///
/// Used on one thread. ``append(_:_:_:urgent:)`` and ``release(_:)`` stage in memory; nothing of it is durable, and
/// releases have no effect, before ``commit()`` comes back.
///
/// Errors: a refused `append` changes nothing. A failed `commit` leaves everything staged, and the next one writes
/// it again to another segment; should the process end before that, the next opening finds the failed commit whole
/// or not at all. After a failed `clean` the journal is as valid as before.
public struct SegmentedLog<Files: FileSystem>: ~Copyable {
    let files: Files
    let directory: String
    let options: LogOptions
    let lock: FileHandle
    /// What opening found.
    public internal(set) var report: RecoveryReport

    /// Segments in use, by rising number. The last one takes the next commit while ``isOpen``.
    var segments: [Segment]
    var isOpen = false
    /// False from the beginning of the last segment until its first commit is durable: its file is the pool's last.
    var isNamed = true
    /// Where the next record goes in the last segment.
    var place = 0
    /// Place of the last commit record in the last segment, 0 for none.
    var commitPlace = 0
    /// Numbers of the empty files kept ready.
    var pool: [UInt64]
    /// One that is to come into the pool and is not full of zeros yet.
    var filling: FillingFile?
    var nextFile: UInt64
    var nextLSN: LSN
    var nextCommit: UInt64
    /// The last commit known durable.
    var acknowledged: UInt64
    /// What the disk says ``acknowledged`` is. A part of a later commit must not go while the others stay.
    var acknowledgedOnDisk: UInt64

    /// A name was changed and the directory not synchronized since. Until it is, no file may get other content
    /// under a name that a crash could take back, and no further segment may go.
    var namesAreUnsure = false

    var staging = Staging()
    /// The lowest lsn that can be among what is staged.
    var stagedFrom: LSN
    var plan = Placement()
    /// Copies made by cleaning among what is staged.
    var stagedCopies = 0
    var pendingReleases: [NumberPair] = []
    /// Segments that end earlier once the next commit, which holds what stands behind, is durable: number and place.
    var pendingCuts: [NumberPair] = []
    var useCount: UInt64 = 0

    /// Records that were found damaged since opening, by reading or cleaning.
    public internal(set) var damageFound: [DamagedRecord] = []

    deinit {
        for segment in segments {
            if let handle = segment.handle { files.close(handle) }
        }
        if let filling { files.close(filling.handle) }
        files.close(lock)
    }

    public var usage: LogUsage {
        var usage = LogUsage()
        for segment in segments {
            usage.records += segment.liveRecords
            usage.liveBytes += segment.liveBytes
        }
        usage.segments = segments.count
        usage.segmentBytes = segments.count * options.segmentBytes
        usage.diskBytes = (segments.count + pool.count) * options.segmentBytes
        usage.maxBytes = options.maxBytes
        usage.stagedBytes = staging.bytes
        return usage
    }

    /// True where a commit would have something to write.
    public var hasStaged: Bool { !staging.records.isEmpty || !pendingReleases.isEmpty }

    func path(_ name: SegmentName) -> String { directory + "/" + name.text }
}

/// Where the next staged record will lie, counted ahead so that a full journal refuses before it accepts.
struct Placement {
    /// Segments that must be begun.
    var newSegments = 0
    /// Place in the last of them, or in the current segment; `.max` where a new one is needed first.
    var place = Int.max

    /// True where the record goes into a further segment.
    func needsSegment(for footprint: Int, segmentBytes: Int) -> Bool {
        place > segmentBytes || place + footprint + Layout.commitRecord > segmentBytes
    }

    mutating func add(_ footprint: Int, segmentBytes: Int) {
        if needsSegment(for: footprint, segmentBytes: segmentBytes) {
            newSegments += 1
            place = Layout.firstRecord
        }
        place += footprint
    }
}

/// A file with the name `.new`, and how many zeros it has.
struct FillingFile {
    var number: UInt64
    var handle: FileHandle
    var bytes = 0
}
