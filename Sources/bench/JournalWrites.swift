import Journal

/// The write path of a relay's store: records appended and committed in groups on the real disk. Prints one JSON
/// object, for `bench/run.py` to set beside what the disk does by itself.
enum JournalWrites {
    static let usage = "bench journal DIRECTORY RECORD-BYTES RECORDS-A-COMMIT COMMITS stays|passes"

    struct Plan {
        /// A directory that is not there yet.
        var directory: String
        var recordBytes: Int
        var group: Int
        var commits: Int
        /// Each group is released once the next is durable, as where envelopes are passed on: files of the pool go round.
        /// Else all stays, and as many empty files as that takes are made ready before the clock starts.
        var passes: Bool

        /// - Returns: nil where the words are no plan.
        init?(_ words: [String]) {
            guard words.count == 5, let bytes = Int(words[1]), let group = Int(words[2]), let commits = Int(words[3]),
                (1...LogOptions.longestPayload).contains(bytes), (1...JournalBatch.operationLimit).contains(group),
                bytes * group <= JournalBatch.byteLimit, (1...1_000_000).contains(commits),
                ["stays", "passes"].contains(words[4])
            else { return nil }
            (directory, recordBytes, self.group, self.commits) = (words[0], bytes, group, commits)
            passes = words[4] == "passes"
        }

        var options: LogOptions {
            var options = LogOptions(segmentBytes: 32 << 20, maxBytes: 16 << 30, entropy: 1)
            // Frames and the ends of segments take less than an eighth more.
            if !passes { options.poolSegments = 3 + recordBytes * group * commits / 8 * 9 / options.segmentBytes }
            return options
        }
    }

    static func run(_ words: [String]) -> Bool {
        guard let plan = Plan(words) else {
            print("usage: \(usage)")
            return false
        }
        do throws(JournalError) {
            try measure(plan)
            return true
        } catch {
            print("the journal fails: \(error)")
            return false
        }
    }

    private static func measure(_ plan: Plan) throws(JournalError) {
        let files = CountingFiles()
        do throws(FileError) {
            try files.createDirectory(plan.directory, permissions: 0o700)
        } catch {
            throw .file(error)
        }
        var committer = Committer(
            try SegmentedLog.open(files, directory: plan.directory, options: plan.options, replay: { _ in }))
        while committer.tidy(isIdle: true) {}
        let payload = [UInt8](repeating: 0x5A, count: plan.recordBytes)
        var batch = appends(of: payload, plan.group)
        let (bytes, synchronizes) = (files.count.bytes, files.count.synchronizes)
        let clock = ContinuousClock()
        let begun = clock.now
        for _ in 0..<plan.commits {
            let done = committer.run(batch)
            let kept = durable(done)
            guard kept.count == plan.group else { throw .options("the journal took \(kept.count) of \(plan.group)") }
            if plan.passes {
                batch = appends(of: payload, plan.group)
                for lsn in kept { batch.release(lsn) }
                _ = committer.tidy(isIdle: false)
            }
        }
        let elapsed = begun.duration(to: clock.now)
        report(plan, elapsed, files.count.bytes - bytes, files.count.synchronizes - synchronizes)
        _ = committer.finish()
    }

    private static func appends(of payload: [UInt8], _ count: Int) -> JournalBatch {
        var batch = JournalBatch()
        payload.withUnsafeBytes { bytes in
            for token in 0..<count { batch.append(RecordKind(1), token: UInt64(token), bytes) }
        }
        return batch
    }

    private static func durable(_ done: [JournalCompletion]) -> [LSN] {
        done.compactMap { completion in
            guard case .durable = completion.outcome else { return nil }
            return completion.lsn
        }
    }

    private static func report(_ plan: Plan, _ elapsed: Duration, _ written: UInt64, _ synchronizes: UInt64) {
        let (seconds, attoseconds) = elapsed.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        let payload = plan.recordBytes * plan.group * plan.commits
        print(
            #"{"nanoseconds": \#(nanoseconds), "payloadBytes": \#(payload), "writtenBytes": \#(written), "#
                + #""synchronizes": \#(synchronizes), "commits": \#(plan.commits)}"#)
    }
}
