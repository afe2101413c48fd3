import Envelope

extension Outbox {
    /// How long a receipted envelope may be kept for its checkpoint's sake before a small record takes its place.
    static let checkpointDelay: Duration = .seconds(1)
    var nextDeadline: Instant {
        var deadline = Instant.never
        for job in jobs {
            if job.isHolderDone, job.saving == nil, job.doneSince != .never {
                deadline = min(deadline, job.doneSince + Self.checkpointDelay)
            }
            for index in job.streams where !streams[index].isDrained {
                deadline = min(deadline, headDeadline(of: streams[index]))
            }
        }
        return deadline
    }

    private func headDeadline(of stream: Stream) -> Instant {
        let item = stream.items[stream.head]
        return switch item.state {
        case .departed(let time): min(item.expiry, stream.resending.due(departed: time, after: resendAfter))
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

    /// The relay of this agent was lost and is back: what it had may be gone, so nobody waits longer than at first.
    mutating func linkReturned() {
        for index in streams.indices { streams[index].resending.tryAnew() }
    }

    /// Sends the oldest again where no receipt has come for long.
    private mutating func resend(_ index: Int, at now: Instant) {
        guard !streams[index].isDrained, case .departed(let time) = streams[index].items[streams[index].head].state,
            now >= streams[index].resending.due(departed: time, after: resendAfter)
        else { return }
        var last = Sequence.none
        for place in streams[index].waiting.prefix(streams[index].resending.batch) {
            let item = streams[index].items[place]
            guard case .departed(let time) = item.state, now >= time + resendAfter else { break }
            last = item.sequence
            countResent()
            send(index, place, at: now)
        }
        streams[index].resending.sent(through: last)
    }
}
