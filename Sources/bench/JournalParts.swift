import Glibc
import Journal
import Platform

/// Records appended to a journal in groups and released when durable, on files in memory: what the journal itself takes,
/// without the disk. `bench journal` is the one with the disk.
enum JournalParts {
    private static let group = 64

    static func run(_ selection: Selection) {
        for size in [128, 1024, 65_536] {
            let name = "journal: \(size) B appended in groups of \(group), then released"
            guard selection.wants(name) else { continue }
            do throws(JournalError) { try measure(selection, name, size) } catch { print("| \(name): \(error) | - |") }
        }
    }

    private static func measure(_ selection: Selection, _ name: String, _ size: Int) throws(JournalError) {
        var template = Array("/dev/shm/gridrelay-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .options("there is no /dev/shm to write to") }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let files = PosixFileSystem()
        defer {
            for name in (try? files.list(directory)) ?? [] { try? files.remove(directory + "/" + name) }
            rmdir(directory)
        }
        let options = LogOptions(segmentBytes: 16 << 20, maxBytes: 256 << 20, entropy: 1)
        var committer = Committer(
            try SegmentedLog.open(files, directory: directory, options: options, replay: { _ in }))
        while committer.tidy(isIdle: true) {}
        let payload = [UInt8](repeating: 0x5A, count: size)
        var kept: [LSN] = []
        selection.measure(name, count: min(20_000, 200_000_000 / (size + 10_000))) { count in
            var done = 0
            while done < count {
                var batch = JournalBatch()
                payload.withUnsafeBytes { bytes in
                    for token in 0..<min(group, count - done) {
                        batch.append(RecordKind(1), token: UInt64(token), bytes)
                    }
                }
                for lsn in kept { batch.release(lsn) }
                kept.removeAll(keepingCapacity: true)
                for completion in committer.run(batch) {
                    guard case .durable = completion.outcome else { continue }
                    kept.append(completion.lsn)
                }
                done += group
                _ = committer.tidy(isIdle: false)
            }
        }
        _ = committer.finish()
    }
}
