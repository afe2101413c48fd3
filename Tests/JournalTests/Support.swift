import Journal
import TestSupport

let directory = "/journal"
let data = RecordKind(1)

func smallOptions(
    segmentBytes: Int = 8 << 10, segments: Int = 64, kinds: Set<UInt16> = [], prefix: Int = .max
) -> LogOptions {
    LogOptions(
        segmentBytes: segmentBytes, maxBytes: segmentBytes * segments, poolSegments: 2, entropy: 0x1234_5678_9ABC_DEF0,
        kinds: kinds, replayPrefix: prefix)
}

/// What a journal shows in replay, in order.
struct Shown: Equatable {
    var lsn: LSN
    var kind: RecordKind
    var length: Int
    var prefix: [UInt8]
}

/// Opens the journal on a disk, each time with other entropy.
func openLog(
    _ disk: MemoryDisk, _ options: LogOptions = smallOptions(), shown: inout [Shown]
) throws(JournalError) -> SegmentedLog<MemoryDisk> {
    var found: [Shown] = []
    var options = options
    options.entropy &+= disk.locksTaken
    let log = try SegmentedLog.open(disk, directory: directory, options: options) { record in
        found.append(
            Shown(lsn: record.lsn, kind: record.kind, length: record.length, prefix: Array(record.prefix)))
    }
    shown = found
    return log
}

func openLog(
    _ disk: MemoryDisk, _ options: LogOptions = smallOptions()
) throws(JournalError) -> SegmentedLog<MemoryDisk> {
    var shown: [Shown] = []
    return try openLog(disk, options, shown: &shown)
}

/// Opens the journal, gives what it shows and found, and lets it go.
func inspect(
    _ disk: MemoryDisk, _ options: LogOptions = smallOptions()
) throws(JournalError) -> (shown: [Shown], report: RecoveryReport) {
    var shown: [Shown] = []
    let log = try openLog(disk, options, shown: &shown)
    return (shown, log.report)
}

/// Bytes that tell which record they belong to.
func payload(_ tag: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: tag &* 31 &+ $0 &* 7) }
}

/// The error of an action that must fail. (A closure that captures a noncopyable journal is not for `#expect`.)
func failure(
    of log: inout SegmentedLog<MemoryDisk>,
    _ action: (inout SegmentedLog<MemoryDisk>) throws(JournalError) -> Void
) -> JournalError? {
    do throws(JournalError) {
        try action(&log)
        return nil
    } catch {
        return error
    }
}
