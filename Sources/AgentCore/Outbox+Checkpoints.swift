import Envelope

extension Outbox {
    /// A checkpoint record was read back at start.
    ///
    /// It may have been written after the item that replaced it and not yet be forgotten: then it holds an older
    /// checkpoint than that item, and reading on from it would bring records twice.
    /// - Parameter origin: the record of the item whose checkpoint it holds.
    /// - Returns: whether it holds the job's newest checkpoint so far.
    @discardableResult
    mutating func recovered(checkpoint: [UInt8], of name: String, stored: UInt64, origin: UInt64) -> Bool {
        let index = job(named: name)
        guard origin >= jobs[index].checkpointOrigin else {
            effects.append(.forget(stored: stored))
            return false
        }
        moveCheckpoint(of: index, to: stored, origin: origin, checkpoint, isDone: true)
        return true
    }

    /// The checkpoint record asked for is durable.
    mutating func checkpointSaved(job: Int, as stored: UInt64) {
        guard jobs.indices.contains(job), let origin = jobs[job].saving else { return }
        jobs[job].saving = nil
        // A newer item may have become the holder meanwhile.
        guard origin == jobs[job].checkpointOrigin, jobs[job].isHolderDone else {
            effects.append(.forget(stored: stored))
            return
        }
        effects.append(.forget(stored: jobs[job].checkpointHolder))
        jobs[job].checkpointHolder = stored
        jobs[job].doneSince = .never
    }

    mutating func checkpointNotSaved(job: Int, at now: Instant) {
        guard jobs.indices.contains(job), jobs[job].saving != nil else { return }
        jobs[job].saving = nil
        if jobs[job].isHolderDone, jobs[job].doneSince != .never { jobs[job].doneSince = now }
    }

    /// The newest durable checkpoint of a job: where its source goes on after a restart.
    func checkpoint(of name: String) -> [UInt8]? {
        jobIndex[name].flatMap { jobs[$0].checkpoint }
    }

    /// The record that holds a job's newest checkpoint; 0 for none.
    func checkpointHolder(of name: String) -> UInt64 { jobIndex[name].map { jobs[$0].checkpointHolder } ?? 0 }

    /// The bytes of a checkpoint that was too long for the replay.
    mutating func setCheckpoint(of name: String, _ checkpoint: [UInt8]) {
        if let index = jobIndex[name] { jobs[index].checkpoint = checkpoint }
    }

    /// Envelopes of the job without a receipt.
    func unreceipted(of name: String) -> Int {
        guard let index = jobIndex[name] else { return 0 }
        return jobs[index].streams.reduce(0) { $0 + streams[$1].items.count - streams[$1].head }
    }

    /// Everything the job has sent is receipted.
    func isSettled(_ name: String) -> Bool { jobIndex[name].map { jobs[$0].streams.isEmpty } ?? true }

    /// The last item of each of the job's streams with something without receipt, oldest first.
    func unreceiptedEnds(of name: String) -> [JobMachine.Place] {
        guard let job = jobIndex[name] else { return [] }
        return jobs[job].streams.map { JobMachine.Place(stream: streams[$0].id, sequence: streams[$0].last) }
    }

    mutating func moveCheckpoint(
        of job: Int, to stored: UInt64, origin: UInt64, _ checkpoint: [UInt8], isDone: Bool
    ) {
        if jobs[job].isHolderDone, jobs[job].checkpointHolder != 0 {
            effects.append(.forget(stored: jobs[job].checkpointHolder))
        }
        jobs[job].checkpointHolder = stored
        jobs[job].checkpointOrigin = origin
        jobs[job].checkpoint = checkpoint
        jobs[job].isHolderDone = isDone
        jobs[job].doneSince = .never
    }
}
