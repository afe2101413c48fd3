import Envelope
import Link

// What happens to streams. Numbers only rise.
extension StreamLedger {
    // MARK: What is made here

    private mutating func change(
        _ stream: StreamID, job: String, destination: NodeID, at wall: WallTime, _ body: (inout Outgoing) -> Void
    ) {
        revision += 1
        if made.change(stream, body) { return }
        var entry = Outgoing(stream: stream, job: job, destination: destination, at: wall)
        body(&entry)
        made.put(stream, entry)
    }

    /// An envelope is durable here.
    package mutating func stored(_ stream: OutboxStream, _ sequence: Sequence, records: Int, at wall: WallTime) {
        change(stream.id, job: stream.job, destination: stream.destination, at: wall) { entry in
            // One that is not new was counted already. A number read back may be anything, and must not trap.
            if sequence > entry.sent { entry.records &+= UInt64(max(0, records)) }
            entry.sent = max(entry.sent, sequence)
            entry.last = max(entry.last, wall)
        }
    }

    /// The outbox's journal holds an envelope of a process before this one.
    package mutating func recovered(
        _ stream: StreamID, _ sequence: Sequence, job: String, destination: NodeID, at wall: WallTime
    ) {
        change(stream, job: job, destination: destination, at: wall) { entry in
            guard sequence > entry.sent else { return }
            entry.sent = sequence
            entry.recordsAreAtLeast = true
        }
    }

    /// Everything in the outbox's journal was shown. What is not in there has its receipt or has expired, whatever a
    /// copy of the ledger from before says.
    /// - Parameter floor: the lowest sequence of a stream that the outbox keeps; nil for a stream it does not know.
    package mutating func recovered(floor: (StreamID) -> Sequence?) {
        revision += 1
        made.changeAll { entry in
            guard !entry.hasEnded else { return }
            let kept = floor(entry.stream)
            entry.hasEnded = kept == nil
            let through = kept.map { Sequence($0.number > 0 ? $0.number - 1 : 0) } ?? entry.sent
            entry.receipted = max(entry.receipted, min(through, entry.sent))
        }
    }

    /// The destination's receipt for all up to here.
    package mutating func receipted(_ stream: StreamID, through mark: Sequence, at wall: WallTime) {
        let isKnown = made.change(stream) { entry in
            entry.receipted = max(entry.receipted, min(mark, entry.sent))
            entry.last = max(entry.last, wall)
        }
        if isKnown { revision += 1 }
    }

    /// One lived out its lifetime.
    package mutating func expired(_ stream: StreamID, _ sequence: Sequence, at wall: WallTime) {
        let isKnown = made.change(stream) { entry in
            entry.last = max(entry.last, wall)
            guard !entry.expired.contains(sequence.number) else { return }
            entry.expired.insert(sequence.number)
            entry.expired.keepHighest(Self.ranges)
            entry.expiredCount &+= 1
        }
        if isKnown { revision += 1 }
    }

    /// A stream gets no more, and nothing of it is kept.
    package mutating func ended(_ stream: StreamID) {
        if made.change(stream, { $0.hasEnded = true }) { revision += 1 }
    }

    // MARK: What is delivered here

    private mutating func change(
        _ source: NodeID, _ stream: StreamID, at wall: WallTime, _ body: (inout Incoming) -> Void
    ) {
        revision += 1
        let origin = Origin(source: source, stream: stream)
        let isKnown = taken.change(origin) { entry in
            body(&entry)
            entry.last = max(entry.last, wall)
        }
        guard !isKnown else { return }
        var entry = Incoming(source: source, stream: stream, delivered: .none, first: wall, last: wall)
        body(&entry)
        taken.put(origin, entry)
    }

    /// The effect of all up to the mark is durable.
    package mutating func delivered(_ source: NodeID, _ stream: StreamID, through mark: Sequence, at wall: WallTime) {
        change(source, stream, at: wall) { $0.delivered = max($0.delivered, mark) }
    }

    /// A sink goes on behind these, which it never had. What was delivered before, such as by another sink, is no gap.
    package mutating func skipped(
        _ source: NodeID, _ stream: StreamID, _ gap: ClosedRange<UInt64>, at wall: WallTime
    ) {
        change(source, stream, at: wall) { entry in
            let first = max(gap.lowerBound, entry.delivered.next.number)
            guard first <= gap.upperBound else { return }
            entry.skipped.insert(first...gap.upperBound)
            entry.skipped.keepHighest(Self.ranges)
        }
    }
}
