import Envelope
import Link

/// The streams and sources of which something is held, so that an instance names both by one number.
///
/// Places are kept for a while after the last envelope has gone, since most streams go on; those without any are given
/// up when there are many.
struct StreamTable {
    struct Stream {
        fileprivate var key: Key
        /// Place of its source.
        fileprivate(set) var source: Int32
        fileprivate var held = 0
        /// Of the held, those that travel as history.
        var history = 0
        /// The highest taken since nothing of it was held.
        fileprivate var highest = Sequence.none
        /// The lowest refused for want of room and not taken since.
        fileprivate var refused = Sequence.none
        fileprivate var refusedAt = Instant.zero
        /// A destination has had all up to here, by its own signed word.
        private(set) var receipted = Sequence.none
        private(set) var receiptedBy = NodeID(Bytes16(low: 0, high: 0))
        /// When that word came by. A copy that comes later goes on: its source sent it because the word did not arrive.
        private(set) var receiptedAt = Instant.zero

        fileprivate init(_ key: Key, source: Int32) {
            self.key = key
            self.source = source
        }

        /// Whether an earlier one of its stream was refused for want of room a moment ago. It goes back too: taken, it
        /// would wait at the destination for the earlier one, which would wait for the room that it takes.
        func isBehindRefused(_ header: Header, at now: Instant) -> Bool {
            refused != .none && header.kind == .data && header.sequence > refused
                && now < refusedAt + Limits.refusedStream
        }

        /// Whether something held comes behind it.
        func isGap(_ sequence: Sequence) -> Bool { held > 0 && sequence < highest }

        mutating func noteRefused(_ header: Header, at now: Instant) {
            guard header.kind == .data, !isBehindRefused(header, at: now) else { return }
            refused = header.sequence
            refusedAt = now
        }

        mutating func noteTaken(_ sequence: Sequence) {
            highest = max(highest, sequence)
            if sequence >= refused { refused = .none }
        }

        /// A stream has one destination; the word of another says nothing of what is on its way to the first.
        mutating func noteReceipt(through mark: Sequence, by destination: NodeID, at now: Instant) {
            receipted = destination == receiptedBy ? max(receipted, mark) : mark
            receiptedBy = destination
            receiptedAt = now
        }
    }

    struct Source {
        fileprivate(set) var node: NodeID
        var account = Account()
        fileprivate var streams = 0
    }

    struct Key: Hashable {
        var source: NodeID
        var stream: StreamID
    }

    private var streams: [Stream] = []
    private(set) var sources: [Source] = []
    private var streamIndex: [Key: Int32] = [:]
    private var sourceIndex: [NodeID: Int32] = [:]
    private var vacantStreams: [Int32] = []
    private var vacantSources: [Int32] = []
    private var last: Int32 = -1
    /// Streams there may be before those without envelopes are given up.
    private var crowd = Limits.idleStreams
    /// Of every source.
    private(set) var quota = Quota.none

    var count: Int { streamIndex.count }

    subscript(stream: Int32) -> Stream {
        _read { yield streams[Int(stream)] }
        _modify { yield &streams[Int(stream)] }
    }

    func account(of stream: Int32) -> Account { sources[Int(streams[Int(stream)].source)].account }

    func source(of stream: Int32) -> NodeID { streams[Int(stream)].key.source }

    func id(of stream: Int32) -> StreamID { streams[Int(stream)].key.stream }

    /// The place of a stream of which something is held or was lately.
    func find(_ stream: StreamID, of source: NodeID) -> Int32? {
        streamIndex[Key(source: source, stream: stream)]
    }

    /// The place of a stream; valid while something of it is held.
    mutating func place(_ stream: StreamID, of source: NodeID) -> Int32 {
        let key = Key(source: source, stream: stream)
        if last >= 0, streams[Int(last)].key == key { return last }
        last = streamIndex[key] ?? add(key)
        return last
    }

    mutating func open(_ place: Int32, _ length: Int) {
        streams[Int(place)].held += 1
        sources[Int(streams[Int(place)].source)].account.open(length)
    }

    mutating func close(_ place: Int32, _ length: Int, _ end: AccountEnd) {
        streams[Int(place)].held -= 1
        if streams[Int(place)].held == 0 { streams[Int(place)].highest = .none }
        sources[Int(streams[Int(place)].source)].account.close(length, end)
    }

    mutating func refused(_ place: Int32) {
        sources[Int(streams[Int(place)].source)].account.counters.refused += 1
    }

    mutating func bound(by quota: Quota) {
        self.quota = quota
        for index in sources.indices { sources[index].account.bound(by: quota) }
    }

    mutating func setStale(_ source: Int, _ isStale: Bool) { sources[source].account.isStale = isStale }

    private mutating func add(_ key: Key) -> Int32 {
        if streamIndex.count >= crowd { giveUpIdle() }
        let source = place(of: key.source)
        sources[Int(source)].streams += 1
        let stream = Stream(key, source: source)
        let index = vacantStreams.popLast() ?? Int32(streams.count)
        if Int(index) < streams.count { streams[Int(index)] = stream } else { streams.append(stream) }
        streamIndex[key] = index
        return index
    }

    private mutating func place(of node: NodeID) -> Int32 {
        if let index = sourceIndex[node] { return index }
        var source = Source(node: node)
        source.account.bound(by: quota)
        let index = vacantSources.popLast() ?? Int32(sources.count)
        if Int(index) < sources.count { sources[Int(index)] = source } else { sources.append(source) }
        sourceIndex[node] = index
        return index
    }

    private mutating func giveUpIdle() {
        last = -1
        for index in streams.indices where streams[index].held == 0 {
            let key = streams[index].key
            guard streamIndex[key] == Int32(index) else { continue }
            streamIndex[key] = nil
            vacantStreams.append(Int32(index))
            let source = streams[index].source
            sources[Int(source)].streams -= 1
            guard sources[Int(source)].streams == 0 else { continue }
            sourceIndex[sources[Int(source)].node] = nil
            sources[Int(source)].account = Account()
            vacantSources.append(source)
        }
        crowd = max(Limits.idleStreams, 2 * streamIndex.count)
    }
}

// For the exhaustive checker; see Forwarder.fold.
extension StreamTable {
    func fold(into print: inout Fingerprint, at now: Instant) {
        for stream in streams where stream.held > 0 || stream.refused != .none {
            print.add(stream.highest.number)
            print.add(stream.refused.number)
            if stream.refused != .none { print.add(stream.refusedAt + Limits.refusedStream, at: now) }
            print.add(stream.history)
            print.add(stream.receipted.number)
        }
    }
}
