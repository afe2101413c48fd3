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

    /// Where everything of the job has gone up to: the last item of its newest stream without receipt.
    func lastUnreceipted(of name: String) -> (stream: StreamID, sequence: Sequence)? {
        guard let job = jobIndex[name], let index = jobs[job].streams.last else { return nil }
        return (streams[index].id, streams[index].last)
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

// MARK: Time

extension Outbox {
    /// How long a receipted envelope may be kept for its checkpoint's sake before a small record takes its place.
    static let checkpointDelay: Duration = .seconds(1)
    /// Envelopes sent again in one go when no receipt comes; the rest follows with the receipts.
    static let resendBatch = 64

    var nextDeadline: Instant {
        var deadline = Instant.never
        for job in jobs {
            if job.isHolderDone, job.saving == nil, job.doneSince != .never {
                deadline = min(deadline, job.doneSince + Self.checkpointDelay)
            }
            for index in job.streams where !streams[index].isDrained {
                deadline = min(deadline, itemDeadline(streams[index].items[streams[index].head]))
            }
        }
        return deadline
    }

    private func itemDeadline(_ item: Item) -> Instant {
        switch item.state {
        case .departed(let time): min(item.expiry, time + resendAfter)
        case .held: item.expiry
        // The forwarder expires what it holds.
        case .underWay: .never
        }
    }

    mutating func timeReached(_ now: Instant) {
        for job in jobs.indices {
            saveCheckpoint(of: job, at: now)
            for index in jobs[job].streams {
                expire(index, at: now)
                resend(index, at: now)
            }
        }
    }

    private mutating func saveCheckpoint(of index: Int, at now: Instant) {
        let job = jobs[index]
        guard job.isHolderDone, job.saving == nil, job.doneSince != .never, now >= job.doneSince + Self.checkpointDelay,
            let checkpoint = job.checkpoint
        else { return }
        jobs[index].saving = job.checkpointOrigin
        effects.append(
            .saveCheckpoint(job: index, name: job.name, origin: job.checkpointOrigin, checkpoint: checkpoint))
    }

    private mutating func expire(_ index: Int, at now: Instant) {
        while !streams[index].isDrained {
            let item = streams[index].items[streams[index].head]
            guard item.state != .underWay, now >= item.expiry else { return }
            expireHead(of: index, at: now)
        }
    }

    /// The forwarder dropped an expired item: it will never be receipted.
    mutating func expiredUnderWay(stored: UInt64, at now: Instant) {
        guard let place = places[stored] else { return }
        let head = streams[place.stream].items[streams[place.stream].head]
        // One behind the head waits for the head's own end.
        guard head.sequence == place.sequence else { return departed(stored: stored, at: now) }
        expireHead(of: place.stream, at: now)
    }

    /// Sends the oldest again where they left long ago and no receipt has come.
    private mutating func resend(_ index: Int, at now: Instant) {
        guard !streams[index].isDrained, case .departed(let time) = streams[index].items[streams[index].head].state,
            now >= time + resendAfter
        else { return }
        for place in (streams[index].head..<streams[index].items.count).prefix(Self.resendBatch) {
            guard case .departed(let time) = streams[index].items[place].state, now >= time + resendAfter else {
                return
            }
            countResent()
            send(index, place, at: now)
        }
    }
}
