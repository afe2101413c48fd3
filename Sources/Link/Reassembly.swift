import Envelope

/// Memory that a session's owner lends it for an envelope that comes in parts.
public struct EnvelopePlace {
    public var base: UnsafeMutableRawPointer
    /// The owner's name for it.
    public var number: Int32

    public init(base: UnsafeMutableRawPointer, number: Int32) {
        self.base = base
        self.number = number
    }
}

/// Puts the parts of one lane's current envelope together, in the owner's memory where it lends some. What was not
/// written to costs nothing: memory grows with the bytes that really come, not with what the first fragment announces.
struct Reassembly: ~Copyable {
    private var bytes = ByteQueue()
    private(set) var place: EnvelopePlace?
    private(set) var count = 0
    private(set) var transmission: UInt64 = 0
    private(set) var total = 0
    private(set) var hop = HopFields(hopLimit: 0, age: 0)

    var isActive: Bool { total > 0 }

    mutating func begin(_ prefix: DataPrefix, in place: EnvelopePlace?) {
        transmission = prefix.transmission
        total = prefix.total
        hop = prefix.hop
        self.place = place
    }

    /// - Throws: where a fragment of `length` bytes does not continue what has begun.
    func check(_ prefix: DataPrefix, _ length: Int) throws(SessionError) {
        guard prefix.transmission == transmission, prefix.total == total, prefix.offset == count,
            length <= total - count
        else { throw .malformed("a fragment that does not continue its envelope") }
    }

    mutating func append(_ part: UnsafeRawBufferPointer) {
        guard part.count > 0 else { return }
        if let place {
            UnsafeMutableRawBufferPointer(start: place.base + count, count: part.count).copyMemory(from: part)
        } else {
            bytes.append(part)
        }
        count += part.count
    }

    var isComplete: Bool { isActive && count == total }

    var envelope: UnsafeRawBufferPointer {
        place.map { UnsafeRawBufferPointer(start: $0.base, count: count) } ?? bytes.readable
    }

    /// Ready for the next envelope; the memory goes back.
    /// - Returns: what is the owner's again.
    @discardableResult
    mutating func reset() -> EnvelopePlace? {
        total = 0
        count = 0
        bytes.removeAll()
        bytes.shrink()
        return place.take()
    }
}

/// One reassembly a lane: a fragment of a higher lane may come between two of a lower one.
struct LaneReassembly: ~Copyable {
    private var control = Reassembly()
    private var live = Reassembly()
    private var bulk = Reassembly()

    mutating func with<Result>(
        _ lane: Lane, _ body: (inout Reassembly) throws(SessionError) -> Result
    ) throws(SessionError) -> Result {
        switch lane {
        case .control: try body(&control)
        case .live: try body(&live)
        case .bulk: try body(&bulk)
        }
    }

    /// Forgets all that has begun.
    /// - Returns: what is the owner's again.
    mutating func reset() -> [EnvelopePlace] {
        [control.reset(), live.reset(), bulk.reset()].compactMap { $0 }
    }
}
