import Envelope

/// Bytes on their way to the socket: frames made here, and between them long stretches of envelopes that stay where they
/// lie, in memory that the owner lends until they are written.
struct Outlet: ~Copyable {
    private struct Stretch {
        var bytes: UnsafeRawBufferPointer
        /// The owner's name for the memory.
        var place: Int32
        /// Where it stands among the bytes of `made`, counted from the first ever.
        var position: UInt64
    }

    /// What one TLS record carries: a stretch begins where one ends.
    private static let recordBytes = 16 << 10

    private var made = ByteQueue()
    /// Bytes of `made` that were consumed.
    private var consumed: UInt64 = 0
    /// A few, since a session prepares half a MiB at most.
    private var stretches: [Stretch] = []
    private var bytesLent = 0
    private var written: [Int32] = []

    var count: Int { made.count + bytesLent }
    var isEmpty: Bool { made.isEmpty && bytesLent == 0 }

    /// What comes first; more may follow it.
    var readable: UnsafeRawBufferPointer {
        guard let first = stretches.first else { return made.readable }
        let before = Int(first.position - consumed)
        return before == 0 ? first.bytes : UnsafeRawBufferPointer(rebasing: made.readable[..<before])
    }

    /// Takes bytes off the front.
    /// - Precondition: no more than ``readable`` has.
    mutating func consume(_ bytes: Int) {
        guard let first = stretches.first, first.position == consumed else {
            consumed += UInt64(bytes)
            return made.consume(bytes)
        }
        bytesLent -= bytes
        stretches[0].bytes = UnsafeRawBufferPointer(rebasing: first.bytes[bytes...])
        guard stretches[0].bytes.isEmpty else { return }
        written.append(first.place)
        stretches.removeFirst()
    }

    mutating func reserve(_ bytes: Int) -> UnsafeMutableRawBufferPointer { made.reserve(bytes) }
    mutating func commit(_ bytes: Int) { made.commit(bytes) }
    mutating func append(_ bytes: UnsafeRawBufferPointer) { made.append(bytes) }
    mutating func append(_ body: (inout ByteQueue) -> Void) { body(&made) }

    mutating func appendFrame(_ kind: FrameKind, flags: UInt8 = 0, _ body: (inout ByteQueue) -> Void) {
        made.appendFrame(kind, flags: flags, body)
    }

    /// How many bytes of a fragment should be copied behind `front` bytes of frame, so that a stretch begins with a record.
    func lead(behind front: Int) -> Int {
        let end = consumed + UInt64(made.count)
        let start = stretches.last?.position ?? consumed
        let used = (Int(end - start) + front) % Self.recordBytes
        return used == 0 ? 0 : Self.recordBytes - used
    }

    /// Appends bytes that stay as they are until ``takeWritten()`` names their place.
    mutating func lend(_ bytes: UnsafeRawBufferPointer, in place: Int32) {
        stretches.append(Stretch(bytes: bytes, place: place, position: consumed + UInt64(made.count)))
        bytesLent += bytes.count
    }

    /// Places of stretches that are written, each once.
    mutating func takeWritten() -> [Int32] {
        if written.isEmpty { return [] }
        defer { written = [] }
        return written
    }

    /// Forgets everything.
    mutating func removeAll() {
        written += stretches.map(\.place)
        stretches = []
        bytesLent = 0
        consumed += UInt64(made.count)
        made.removeAll()
    }

    mutating func shrink() { made.shrink() }
    mutating func shrinkToLeast() { made.shrinkToLeast() }
}
