import Envelope

/// What this agent has made and has no receipt for yet, as a machine without I/O.
///
/// Invariants:
/// - an item is forgotten only when receipted or expired, so losing every relay's disk costs time, not data;
/// - the streams of one job go out one after the other, so that a restart (which begins a new stream) does not
///   change the order of the job's records at the destination; but for the jobs in ``Overtaking``;
/// - of each job one durable record holds the newest checkpoint: an item's, or a checkpoint record of its own. Which
///   one is the newest is told by the number of the item that first held it, never by when it was written.
///
/// The owner takes what is to be done with ``takeEffects()`` after each call.
struct Outbox {
    struct Item {
        var sequence: Sequence
        /// The journal's number of its durable copy.
        var stored: UInt64
        var length: Int
        var lifetime: UInt32
        /// When its age was zero.
        var madeAt: Instant
        var state: State

        enum State: Equatable {
            /// Waits for an earlier stream of its job.
            case held
            /// In the forwarder's care.
            case underWay
            /// In the care of a relay since then; no receipt yet.
            case departed(Instant)
        }

        var expiry: Instant { madeAt + .seconds(Int64(lifetime)) }
    }

    struct Stream {
        var id: StreamID
        var job: Int
        var destination: NodeID
        var lane: Lane
        /// Nothing more will be added: forgotten once it has drained.
        var isClosed: Bool
        var items: [Item] = []
        var head = 0
        /// Highest sequence ever added.
        var last = Sequence.none
        var resending = Resending()
        /// Told to its maker as having fallen behind.
        var isLate = false

        var isDrained: Bool { head == items.count }
        /// Places of the items without receipt.
        var waiting: Range<Int> { head..<items.count }
    }

    /// Jobs by their place in the configuration's order of appearance; messages sent by hand have jobs too.
    struct Job {
        var name: String
        /// Its streams do not wait for each other.
        var overtakes = false
        /// Indices of streams with items, oldest first.
        var streams: [Int] = []
        /// The record that holds the newest checkpoint; 0 before the first.
        var checkpointHolder: UInt64 = 0
        /// The record of the item that first held it.
        var checkpointOrigin: UInt64 = 0
        /// Its item is receipted: only the checkpoint keeps it.
        var isHolderDone = false
        /// When the holder became done; never for a record that holds nothing but the checkpoint.
        var doneSince = Instant.never
        /// A checkpoint record is being written, for the checkpoint of this origin.
        var saving: UInt64?
        var checkpoint: [UInt8]?
        /// Bytes that no relay has taken yet, and how many there may be before the source is left to wait.
        var unsent = 0
        var readAhead = Int.max
        var isAhead = false
    }

    enum Effect: Equatable {
        /// Give it to the forwarder; its bytes are in the journal under `stored`.
        case send(
            stored: UInt64, stream: StreamID, sequence: Sequence, destination: NodeID, lane: Lane, length: Int,
            lifetime: UInt32, age: Duration)
        /// The durable copy is no longer needed.
        case forget(stored: UInt64)
        /// Write a checkpoint record for the job, then call ``Outbox/checkpointSaved(job:as:)``.
        case saveCheckpoint(job: Int, name: String, origin: UInt64, checkpoint: [UInt8])
        /// Receipts have come up to here; `floor` is the lowest without.
        case receipted(stream: StreamID, job: String, through: Sequence, floor: Sequence)
        /// What its receipts are for has waited long, and more of it waits: what is fresh should go in another stream.
        case fellBehind(stream: StreamID)
        /// More of the job waits for its way than may be read ahead; false once it is half of that.
        case ahead(job: String, Bool)
        /// Lived out its lifetime without a receipt.
        case expired(stream: StreamID, sequence: Sequence, floor: Sequence)
        /// Everything of a closed stream is receipted or expired; nil where it never had anything.
        case ended(stream: StreamID, job: String?)
    }

    struct Place: Hashable {
        var stream: Int
        var sequence: Sequence
    }

    var resendAfter: Duration
    private(set) var overtaking = Overtaking()
    /// By the names of jobs.
    private(set) var readAhead: [String: Int] = [:]
    var jobs: [Job] = []
    var streams: [Stream] = []
    /// Places in `streams` that may be taken anew.
    private var vacant: [Int] = []
    private(set) var streamIndex: [StreamID: Int] = [:]
    var jobIndex: [String: Int] = [:]
    /// Where the item of a journal record is.
    private(set) var places: [UInt64: Place] = [:]
    var effects: [Effect] = []
    private(set) var itemCount = 0
    private(set) var byteCount = 0
    private(set) var expiredCount: UInt64 = 0
    private(set) var resentCount: UInt64 = 0

    init(resendAfter: Duration) { self.resendAfter = resendAfter }

    mutating func takeEffects() -> [Effect] {
        var taken: [Effect] = []
        swap(&taken, &effects)
        return taken
    }

    mutating func job(named name: String) -> Int {
        if let index = jobIndex[name] { return index }
        jobs.append(
            Job(name: name, overtakes: overtaking.jobs.contains(name), readAhead: readAhead[name] ?? .max))
        jobIndex[name] = jobs.count - 1
        return jobs.count - 1
    }

    /// - Parameter isClosed: true for a stream that a process before this one made.
    mutating func stream(
        _ id: StreamID, job: String, destination: NodeID, lane: Lane, isClosed: Bool = false
    ) -> Int {
        if let index = streamIndex[id] { return index }
        let stream = Stream(
            id: id, job: self.job(named: job), destination: destination, lane: lane, isClosed: isClosed)
        let index = vacant.popLast() ?? streams.count
        if index < streams.count { streams[index] = stream } else { streams.append(stream) }
        streamIndex[id] = index
        return index
    }

    /// Nothing more will be added to the stream.
    mutating func close(_ id: StreamID) {
        guard let index = streamIndex[id] else { return effects.append(.ended(stream: id, job: nil)) }
        streams[index].isClosed = true
        prune(index)
    }

    private mutating func prune(_ index: Int) {
        guard streams[index].isClosed, streams[index].isDrained else { return }
        streamIndex[streams[index].id] = nil
        effects.append(.ended(stream: streams[index].id, job: jobs[streams[index].job].name))
        streams[index].items = []
        vacant.append(index)
    }

    /// The lowest sequence of the stream without receipt; the one after the last where all are receipted.
    func floor(of index: Int) -> Sequence {
        streams[index].isDrained ? streams[index].last.next : streams[index].items[streams[index].head].sequence
    }
}

// MARK: What happens

extension Outbox {
    /// An envelope and the checkpoint behind it are durable. Records of a stream come in the order of their sequences,
    /// records of a job in the order of their numbers.
    ///
    /// - Returns: true where the caller may give it to the forwarder right away; false where it must wait for an
    ///   earlier stream, and comes back as ``Effect/send``.
    mutating func added(
        _ index: Int, _ sequence: Sequence, stored: UInt64, length: Int, lifetime: UInt32, age: Duration,
        checkpoint: [UInt8]?, at now: Instant
    ) -> Bool {
        let job = streams[index].job
        if streams[index].isDrained { jobs[job].streams.append(index) }
        let isFirst = jobs[job].overtakes || jobs[job].streams.first == index
        streams[index].items.append(
            Item(
                sequence: sequence, stored: stored, length: length, lifetime: lifetime,
                madeAt: Instant(nanoseconds: now.nanoseconds - age.wholeNanoseconds), state: isFirst ? .underWay : .held
            ))
        streams[index].last = max(streams[index].last, sequence)
        places[stored] = Place(stream: index, sequence: sequence)
        itemCount += 1
        byteCount += length
        countUnsent(length, of: job)
        if let checkpoint { moveCheckpoint(of: job, to: stored, origin: stored, checkpoint, isDone: false) }
        return isFirst
    }

    /// The forwarder handed the item to a relay.
    mutating func departed(stored: UInt64, at now: Instant) {
        guard let place = places[stored], let item = itemIndex(place) else { return }
        forgetUnsent(streams[place.stream].items[item], of: streams[place.stream].job)
        streams[place.stream].items[item].state = .departed(now)
    }

    /// The destination's receipt: all up to `mark` have had their effect. A mark beyond the last item known here
    /// counts up to that one: after damage on this disk the destination may know more than the source.
    mutating func receipt(stream id: StreamID, through mark: Sequence, at now: Instant) {
        guard let index = streamIndex[id] else { return }
        let job = streams[index].job
        var released = Sequence.none
        var madeAt = now
        while !streams[index].isDrained, streams[index].items[streams[index].head].sequence <= mark {
            released = streams[index].items[streams[index].head].sequence
            madeAt = streams[index].items[streams[index].head].madeAt
            releaseHead(of: index, at: now)
        }
        guard released != .none else { return }
        streams[index].resending.receipted(through: released, at: now)
        effects.append(
            .receipted(stream: id, job: jobs[job].name, through: released, floor: floor(of: index)))
        if now - madeAt > overtaking.after { fellBehind(index) }
        finishRelease(index, at: now)
    }

    private mutating func releaseHead(of index: Int, at now: Instant) {
        let item = streams[index].items[streams[index].head]
        streams[index].head += 1
        itemCount -= 1
        byteCount -= item.length
        places[item.stored] = nil
        let job = streams[index].job
        forgetUnsent(item, of: job)
        if jobs[job].checkpointHolder == item.stored {
            jobs[job].isHolderDone = true
            jobs[job].doneSince = now
        } else {
            effects.append(.forget(stored: item.stored))
        }
    }

    /// Gives memory back and lets the job's next stream go where this one has drained.
    private mutating func finishRelease(_ index: Int, at now: Instant) {
        if streams[index].head > 1024, streams[index].head * 2 > streams[index].items.count {
            streams[index].items.removeFirst(streams[index].head)
            streams[index].head = 0
        }
        guard streams[index].isDrained else { return }
        streams[index].items.removeAll(keepingCapacity: streams[index].items.capacity <= 4096)
        streams[index].head = 0
        let job = streams[index].job
        jobs[job].streams.removeAll { $0 == index }
        prune(index)
        if let next = jobs[job].streams.first { sendHeld(of: next, at: now) }
    }

    private mutating func sendHeld(of index: Int, at now: Instant) {
        for place in streams[index].waiting where streams[index].items[place].state == .held {
            send(index, place, at: now)
        }
    }

    mutating func send(_ index: Int, _ place: Int, at now: Instant) {
        if case .departed = streams[index].items[place].state {
            countUnsent(streams[index].items[place].length, of: streams[index].job)
        }
        streams[index].items[place].state = .underWay
        let item = streams[index].items[place]
        effects.append(
            .send(
                stored: item.stored, stream: streams[index].id, sequence: item.sequence,
                destination: streams[index].destination, lane: streams[index].lane, length: item.length,
                lifetime: item.lifetime, age: now - item.madeAt))
    }

    private func itemIndex(_ place: Place) -> Int? {
        var low = streams[place.stream].head
        var high = streams[place.stream].items.count
        while low < high {
            let middle = (low + high) / 2
            if streams[place.stream].items[middle].sequence < place.sequence { low = middle + 1 } else { high = middle }
        }
        guard low < streams[place.stream].items.count, streams[place.stream].items[low].sequence == place.sequence
        else { return nil }
        return low
    }

    mutating func countResent() { resentCount += 1 }

    /// Takes the head off a stream because it will never be receipted.
    mutating func expireHead(of index: Int, at now: Instant) {
        let item = streams[index].items[streams[index].head]
        expiredCount += 1
        releaseHead(of: index, at: now)
        effects.append(
            .expired(stream: streams[index].id, sequence: item.sequence, floor: floor(of: index)))
        finishRelease(index, at: now)
    }
}

// MARK: Reading ahead

extension Outbox {
    /// How many bytes of each job may wait for their way before its source is left to wait: what a source can be asked for
    /// again need not lie here too. Jobs that are not named may read ahead as far as they get.
    mutating func set(readAhead: [String: Int]) {
        self.readAhead = readAhead
        for job in jobs.indices {
            jobs[job].readAhead = readAhead[jobs[job].name] ?? .max
            judgeAhead(job)
        }
    }

    func isAhead(_ name: String) -> Bool { jobIndex[name].map { jobs[$0].isAhead } ?? false }

    private mutating func countUnsent(_ bytes: Int, of job: Int) {
        jobs[job].unsent += bytes
        judgeAhead(job)
    }

    private mutating func forgetUnsent(_ item: Item, of job: Int) {
        if case .departed = item.state { return }
        countUnsent(-item.length, of: job)
    }

    private mutating func judgeAhead(_ job: Int) {
        let isAhead = jobs[job].unsent > (jobs[job].isAhead ? jobs[job].readAhead / 2 : jobs[job].readAhead)
        guard isAhead != jobs[job].isAhead else { return }
        jobs[job].isAhead = isAhead
        effects.append(.ahead(job: jobs[job].name, isAhead))
    }
}

// MARK: Overtaking

extension Outbox {
    /// Streams of a job that may have something without receipt when another is asked for: each costs the destination
    /// a mark and everybody a window.
    private static let overtakingStreams = 4

    /// Which jobs give up their order. Of those that do so from now on nothing is held any more.
    mutating func set(_ overtaking: Overtaking, at now: Instant) {
        self.overtaking = overtaking
        for job in jobs.indices {
            jobs[job].overtakes = overtaking.jobs.contains(jobs[job].name)
            guard jobs[job].overtakes else { continue }
            for index in jobs[job].streams { sendHeld(of: index, at: now) }
        }
    }

    /// Asks for another stream once, where this one is the job's newest and more of it waits.
    private mutating func fellBehind(_ index: Int) {
        let job = streams[index].job
        guard jobs[job].overtakes, !streams[index].isLate, !streams[index].isClosed, !streams[index].isDrained,
            jobs[job].streams.last == index, jobs[job].streams.count < Self.overtakingStreams
        else { return }
        streams[index].isLate = true
        effects.append(.fellBehind(stream: streams[index].id))
    }
}
