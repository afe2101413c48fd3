import Envelope

/// Brings the envelopes of each stream into order before a sink, and keeps out what has had its effect.
///
/// Invariant: what ``takeReady(bytes:)`` gives out for one stream rises without gap from the stream's mark, gaps that
/// the source has given up (below its floor) excepted.
package struct DeliveryOrder<Token> {
    struct Waiting {
        var sequence: Sequence
        var bytes: Int
        var token: Token
    }

    struct Stream {
        var id: StreamID
        /// The effect of all up to here is durable, or never comes.
        var mark: Sequence
        /// The highest given out; at least the mark.
        var handedOut: Sequence
        /// The highest floor heard of.
        var floor = Sequence.none
        /// Rising by sequence.
        var waiting: [Waiting] = []
        /// Stands in the list of those that may have something ready.
        var isListed = false
        /// What the mark was raised over since it was asked last, as the source cared for it no more.
        var gaps: [ClosedRange<UInt64>] = []
        var lastUse: UInt64 = 0
    }

    package enum Verdict: Equatable {
        case waits
        /// Its effect is durable already: confirm it and throw it away.
        case duplicate
        /// Another copy waits already, or there is no memory for it: give it back.
        case turnedAway
    }

    private var streams: [Stream] = []
    private var index: [StreamID: Int] = [:]
    private var vacant: [Int] = []
    /// Streams that may have something ready, in turn.
    private var listed: [Int] = []
    private var uses: UInt64 = 0
    private(set) var bytesWaiting = 0
    let memoryBytes: Int
    let streamLimit: Int

    /// - Parameters:
    ///   - memoryBytes: what may wait for earlier envelopes before more is turned away.
    ///   - streamLimit: streams remembered; of those beyond, the ones with nothing waiting that were used longest ago
    ///     are forgotten, and their marks asked of the sink again.
    package init(memoryBytes: Int, streamLimit: Int = 4096) {
        self.memoryBytes = memoryBytes
        self.streamLimit = streamLimit
    }

    package var streamCount: Int { index.count }

    package func knows(_ stream: StreamID) -> Bool { index[stream] != nil }

    /// A stream met for the first time, with the mark its sink keeps.
    package mutating func add(_ id: StreamID, mark: Sequence) {
        guard index[id] == nil else { return }
        if index.count >= streamLimit { forgetIdle() }
        var stream = Stream(id: id, mark: mark, handedOut: mark)
        uses += 1
        stream.lastUse = uses
        let place = vacant.popLast() ?? streams.count
        if place < streams.count { streams[place] = stream } else { streams.append(stream) }
        index[id] = place
    }

    /// Forgets the less used half of the streams in which nothing is going on.
    private mutating func forgetIdle() {
        let idle = streams.indices.filter { place in
            index[streams[place].id] == place && streams[place].waiting.isEmpty && !streams[place].isListed
                && streams[place].handedOut == streams[place].mark
        }
        for place in idle.sorted(by: { streams[$0].lastUse < streams[$1].lastUse }).prefix((idle.count + 1) / 2) {
            index[streams[place].id] = nil
            vacant.append(place)
        }
    }

    package func mark(of stream: StreamID) -> Sequence? { index[stream].map { streams[$0].mark } }

    /// - Parameter floor: the lowest sequence the source still cares for; what lies below never comes.
    /// - Precondition: the stream is known.
    package mutating func offer(
        _ stream: StreamID, _ sequence: Sequence, floor: Sequence, bytes: Int, token: Token
    ) -> Verdict {
        guard let place = index[stream] else { preconditionFailure("a stream is added before it is offered to") }
        uses += 1
        streams[place].lastUse = uses
        if sequence <= streams[place].mark { return .duplicate }
        streams[place].floor = max(streams[place].floor, floor)
        let verdict = insert(Waiting(sequence: sequence, bytes: bytes, token: token), place)
        raise(place)
        list(place)
        return verdict
    }

    private mutating func insert(_ new: Waiting, _ place: Int) -> Verdict {
        guard new.sequence > streams[place].handedOut else { return .turnedAway }
        let position = position(of: new.sequence, place)
        if position < streams[place].waiting.count, streams[place].waiting[position].sequence == new.sequence {
            return .turnedAway
        }
        let isNext = new.sequence.number - streams[place].handedOut.number == 1
        guard isNext || bytesWaiting + new.bytes <= memoryBytes,
            new.sequence.number - streams[place].mark.number <= Limits.window
                || isWithinWindow(new.sequence, of: streams[place].floor)
        else { return .turnedAway }
        streams[place].waiting.insert(new, at: position)
        bytesWaiting += new.bytes
        return .waits
    }

    /// A late copy may lie below the floor that a later envelope told of.
    private func isWithinWindow(_ sequence: Sequence, of floor: Sequence) -> Bool {
        sequence >= floor && sequence.number - max(1, floor.number) < Limits.window
    }

    /// The first that is not below the sequence. Envelopes mostly come in order, so the end is looked at first.
    private func position(of sequence: Sequence, _ place: Int) -> Int {
        guard let last = streams[place].waiting.last, last.sequence >= sequence else {
            return streams[place].waiting.count
        }
        var low = 0
        var high = streams[place].waiting.count
        while low < high {
            let middle = (low + high) / 2
            if streams[place].waiting[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The source gave up everything below its floor: a gap there is no reason to wait. What waits below it is
    /// applied first.
    private mutating func raise(_ place: Int) {
        guard streams[place].handedOut == streams[place].mark else { return }
        let firstWaiting = streams[place].waiting.first?.sequence.number ?? .max
        let lowest = min(streams[place].floor.number, firstWaiting)
        guard lowest > 0, lowest - 1 > streams[place].mark.number else { return }
        let gap = streams[place].mark.next.number...lowest - 1
        if let last = streams[place].gaps.last, last.upperBound + 1 == gap.lowerBound {
            streams[place].gaps[streams[place].gaps.count - 1] = last.lowerBound...gap.upperBound
        } else {
            streams[place].gaps.append(gap)
        }
        streams[place].mark = Sequence(lowest - 1)
        streams[place].handedOut = streams[place].mark
    }

    private func isReady(_ place: Int) -> Bool {
        guard let first = streams[place].waiting.first else { return false }
        return first.sequence.number - streams[place].handedOut.number == 1
    }

    private mutating func list(_ place: Int) {
        guard !streams[place].isListed, isReady(place) else { return }
        streams[place].isListed = true
        listed.append(place)
    }

    /// Takes the runs that may be applied now, at most `bytes` of them (but at least one envelope). Each stream gets
    /// its turn.
    package mutating func takeReady(bytes limit: Int) -> [(stream: StreamID, sequence: Sequence, token: Token)] {
        var ready: [(stream: StreamID, sequence: Sequence, token: Token)] = []
        var bytes = 0
        var rest: [Int] = []
        var served = 0
        for place in listed where bytes < limit || ready.isEmpty {
            served += 1
            streams[place].isListed = false
            var taken = 0
            for waiting in streams[place].waiting {
                guard waiting.sequence.number - streams[place].handedOut.number == 1,
                    ready.isEmpty || bytes + waiting.bytes <= limit
                else { break }
                ready.append((streams[place].id, waiting.sequence, waiting.token))
                bytes += waiting.bytes
                bytesWaiting -= waiting.bytes
                streams[place].handedOut = waiting.sequence
                taken += 1
            }
            streams[place].waiting.removeFirst(taken)
            if isReady(place) {
                streams[place].isListed = true
                rest.append(place)
            }
        }
        listed.removeFirst(served)
        listed += rest
        return ready
    }

    /// The effect of what was taken is durable up to here.
    package mutating func applied(_ stream: StreamID, through sequence: Sequence) {
        guard let place = index[stream] else { return }
        streams[place].mark = max(streams[place].mark, sequence)
        streams[place].handedOut = max(streams[place].handedOut, sequence)
        raise(place)
        list(place)
    }

    /// Takes what never came before this one, since the last time.
    package mutating func takeGaps(of stream: StreamID, before sequence: Sequence) -> [ClosedRange<UInt64>] {
        guard let place = index[stream], let first = streams[place].gaps.first, first.upperBound < sequence.number
        else { return [] }
        let taken = streams[place].gaps.prefix { $0.upperBound < sequence.number }
        streams[place].gaps.removeFirst(taken.count)
        return Array(taken)
    }

    /// Forgets a stream and gives out what waits in it.
    package mutating func remove(_ stream: StreamID) -> [Token] {
        guard let place = index.removeValue(forKey: stream) else { return [] }
        let tokens = streams[place].waiting.map(\.token)
        bytesWaiting -= streams[place].waiting.reduce(0) { $0 + $1.bytes }
        streams[place].waiting = []
        if streams[place].isListed { listed.removeAll { $0 == place } }
        streams[place].isListed = false
        vacant.append(place)
        return tokens
    }

    /// Forgets everything and gives out all that waits, for giving it back.
    package mutating func removeAll() -> [Token] {
        let tokens = streams.flatMap { $0.waiting.map(\.token) }
        self = DeliveryOrder(memoryBytes: memoryBytes, streamLimit: streamLimit)
        return tokens
    }
}
