import Envelope

/// Brings the envelopes of each stream into order before a sink, and keeps out what has had its effect.
///
/// Invariant: what ``takeReady(_:)`` gives out for one stream rises without gap from the stream's mark, gaps that
/// the source has given up (below its floor) excepted.
struct DeliveryOrder<Token> {
    struct Waiting {
        var sequence: Sequence
        var bytes: Int
        var token: Token
    }

    struct Stream {
        var id: StreamID
        var mark: Sequence
        /// Rising by sequence.
        var waiting: [Waiting] = []
    }

    enum Verdict: Equatable {
        case waits
        /// Its effect is durable already: confirm it and throw it away.
        case duplicate
        /// Another copy waits already, or there is no memory for it: give it back.
        case turnedAway
    }

    private var streams: [Stream] = []
    private var index: [StreamID: Int] = [:]
    private(set) var bytesWaiting = 0
    let memoryBytes: Int

    /// - Parameter memoryBytes: what may wait for earlier envelopes before more is turned away.
    init(memoryBytes: Int) { self.memoryBytes = memoryBytes }

    func knows(_ stream: StreamID) -> Bool { index[stream] != nil }

    /// A stream met for the first time, with the mark its sink keeps.
    mutating func add(_ stream: StreamID, mark: Sequence) {
        guard index[stream] == nil else { return }
        index[stream] = streams.count
        streams.append(Stream(id: stream, mark: mark))
    }

    func mark(of stream: StreamID) -> Sequence? { index[stream].map { streams[$0].mark } }

    /// - Parameter floor: the lowest sequence the source still cares for; what lies below never comes.
    /// - Precondition: the stream is known.
    mutating func offer(
        _ stream: StreamID, _ sequence: Sequence, floor: Sequence, bytes: Int, token: Token
    ) -> Verdict {
        guard let place = index[stream] else { preconditionFailure("a stream is added before it is offered to") }
        if sequence <= streams[place].mark { return .duplicate }
        raise(place, to: floor)
        // Nearly always the last: looked for from the back.
        let position = (streams[place].waiting.lastIndex { $0.sequence < sequence } ?? -1) + 1
        if position < streams[place].waiting.count, streams[place].waiting[position].sequence == sequence {
            return .turnedAway
        }
        let isNext = sequence == streams[place].mark.next
        guard isNext || bytesWaiting + bytes <= memoryBytes,
            sequence.number - streams[place].mark.number <= Limits.window
        else { return .turnedAway }
        streams[place].waiting.insert(Waiting(sequence: sequence, bytes: bytes, token: token), at: position)
        bytesWaiting += bytes
        return .waits
    }

    /// The source gave up everything below its floor: a gap there is no reason to wait.
    private mutating func raise(_ place: Int, to floor: Sequence) {
        guard floor.number > streams[place].mark.number + 1 else { return }
        let firstWaiting = streams[place].waiting.first?.sequence.number ?? .max
        streams[place].mark = Sequence(min(floor.number, firstWaiting) - 1)
    }

    /// Takes the runs that may be applied now, at most `bytes` of them (but at least one envelope).
    mutating func takeReady(bytes limit: Int) -> [(stream: StreamID, sequence: Sequence, token: Token)] {
        var ready: [(stream: StreamID, sequence: Sequence, token: Token)] = []
        var bytes = 0
        for place in streams.indices {
            var expected = streams[place].mark.next
            var taken = 0
            for waiting in streams[place].waiting {
                guard waiting.sequence == expected, bytes == 0 || bytes + waiting.bytes <= limit else { break }
                ready.append((streams[place].id, waiting.sequence, waiting.token))
                bytes += waiting.bytes
                bytesWaiting -= waiting.bytes
                expected = expected.next
                taken += 1
            }
            streams[place].waiting.removeFirst(taken)
        }
        return ready
    }

    /// The effect of what was taken is durable.
    /// - Returns: copies that came meanwhile and now are duplicates.
    mutating func applied(_ stream: StreamID, through sequence: Sequence) -> [Token] {
        guard let place = index[stream] else { return [] }
        streams[place].mark = max(streams[place].mark, sequence)
        let copies = streams[place].waiting.prefix { $0.sequence <= streams[place].mark }
        bytesWaiting -= copies.reduce(0) { $0 + $1.bytes }
        streams[place].waiting.removeFirst(copies.count)
        return copies.map(\.token)
    }

    /// Gives out all that waits, for giving it back.
    mutating func removeAll() -> [Token] {
        let tokens = streams.flatMap { $0.waiting.map(\.token) }
        for place in streams.indices { streams[place].waiting.removeAll() }
        bytesWaiting = 0
        return tokens
    }
}
