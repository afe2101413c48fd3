import Envelope

/// Puts the fragments of one lane's current envelope together. Memory grows with the bytes that really come, not
/// with what the first fragment announces.
struct Reassembly: ~Copyable {
    private var bytes = ByteQueue()
    private(set) var transmission: UInt64 = 0
    private(set) var total = 0
    private(set) var hop = HopFields(hopLimit: 0, age: 0)

    var isActive: Bool { total > 0 }

    mutating func begin(_ prefix: DataPrefix) {
        transmission = prefix.transmission
        total = prefix.total
        hop = prefix.hop
    }

    /// - Throws: where the fragment does not continue what has begun.
    mutating func append(_ fragment: UnsafeRawBufferPointer, _ prefix: DataPrefix) throws(SessionError) {
        guard prefix.transmission == transmission, prefix.total == total, prefix.offset == bytes.count,
            fragment.count <= total - bytes.count
        else { throw .malformed("a fragment that does not continue its envelope") }
        bytes.append(fragment)
    }

    var isComplete: Bool { isActive && bytes.count == total }
    var envelope: UnsafeRawBufferPointer { bytes.readable }

    /// Ready for the next envelope; the memory goes back.
    mutating func reset() {
        total = 0
        bytes.removeAll()
        bytes.shrink()
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
}
