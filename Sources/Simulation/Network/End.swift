/// One end of a connection: what its program wrote and the other end has not got yet. An end and the other one of the
/// same connection lie beside each other, so that one's place is the other's with the lowest bit changed.
///
/// Not checked for overlapping access when it runs, as ``World`` says.
final class End {
    enum State {
        case unused
        /// The dial is under way.
        case opening
        case open
        /// The process has closed it, or is no more.
        case gone
    }

    @exclusivity(unchecked) var state = State.unused
    /// Void for every other number.
    @exclusivity(unchecked) var number: UInt64 = 0
    @exclusivity(unchecked) var host = 0
    /// The process that has it.
    @exclusivity(unchecked) var process: UInt32 = 0
    /// The direction of a link that bytes from here take.
    @exclusivity(unchecked) var direction = 0

    /// Bytes that the other end has not got, from `head` on.
    @exclusivity(unchecked) var bytes: [UInt8] = []
    @exclusivity(unchecked) var head = 0
    /// When which bytes arrive, from `firstChunk` on.
    @exclusivity(unchecked) var chunks: [Chunk] = []
    @exclusivity(unchecked) var firstChunk = 0
    /// No byte arrives before this.
    @exclusivity(unchecked) var lastArrival: Int64 = 0
    /// Until then the link is busy with earlier bytes of this connection.
    @exclusivity(unchecked) var busyUntil: Int64 = 0
    /// A delivery is in the queue.
    @exclusivity(unchecked) var isQueued = false
    /// The delivery waits for the link or for the other end.
    @exclusivity(unchecked) var isStalled = false
    /// After the last byte the other end learns that this one has closed.
    @exclusivity(unchecked) var closesAfter = false
    /// A write took less than it was offered.
    @exclusivity(unchecked) var wantsRoom = false
    /// Bytes that arrived but whose acknowledgement cannot come back, or that went nowhere.
    @exclusivity(unchecked) var held = 0
    /// Nothing passes any more, either way.
    @exclusivity(unchecked) var isCut = false
    /// A reset is on its way for a write to nobody.
    @exclusivity(unchecked) var isResetting = false

    struct Chunk {
        var time: Int64
        var count: Int
    }

    var unreadCount: Int { bytes.count - head }
    var hasChunks: Bool { firstChunk < chunks.count }

    func open(number: UInt64, host: Int, process: UInt32, direction: Int, at time: Int64) {
        state = .opening
        self.number = number
        self.host = host
        self.process = process
        self.direction = direction
        lastArrival = time
        busyUntil = time
        forgetBytes()
        isQueued = false
        isStalled = false
        closesAfter = false
        wantsRoom = false
        held = 0
        isCut = false
        isResetting = false
    }

    func forgetBytes() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 16)
        chunks.removeAll(keepingCapacity: true)
        head = 0
        firstChunk = 0
    }

    func append(_ new: UnsafeRawBufferPointer, at time: Int64) {
        bytes.append(contentsOf: new)
        chunks.append(Chunk(time: time, count: new.count))
    }

    /// Takes the chunks that have arrived by `time`, up to about `limit` bytes.
    /// - Returns: how many bytes that are.
    func arrive(by time: Int64, limit: Int) -> Int {
        var count = 0
        while hasChunks, chunks[firstChunk].time <= time, count < limit {
            count += chunks[firstChunk].count
            firstChunk += 1
        }
        if firstChunk == chunks.count {
            chunks.removeAll(keepingCapacity: true)
            firstChunk = 0
        }
        return count
    }

    /// Gives the last `count` bytes that arrived back, as one chunk that comes later.
    func postpone(_ count: Int, to time: Int64) {
        if firstChunk > 0 {
            firstChunk -= 1
            chunks[firstChunk] = Chunk(time: time, count: count)
        } else {
            chunks.insert(Chunk(time: time, count: count), at: 0)
        }
    }

    func consume(_ count: Int) {
        head += count
        if head == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1 << 16, head > bytes.count / 2 {
            bytes.removeFirst(head)
            head = 0
        }
    }
}

/// One direction of a link.
struct Direction {
    let from: Int
    let to: Int
    /// Connections may be opened this way.
    let isDialled: Bool
    var delay: Int64
    var bytesPerSecond: Int64
    var blockedUntil: Int64 = 0
    var slowUntil: Int64 = 0
    /// Ends whose delivery waits until this direction opens.
    var stalled: [Int] = []
    /// Ends whose acknowledgements wait for it.
    var unacknowledged: [Int] = []
}
