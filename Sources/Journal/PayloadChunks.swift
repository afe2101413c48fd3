/// Bytes of many payloads, one behind the other, in chunks of which each holds whole payloads: they grow without being
/// moved, and what a burst took is given back.
struct PayloadChunks: Sendable {
    /// Bytes of an ordinary chunk. A longer payload gets one of its own.
    static let chunkBytes = 1 << 20
    /// Empty chunks that are kept for what comes next.
    static let kept = 4

    /// Those in use, and empty ones behind them.
    private var chunks: [[UInt8]] = []
    private var used = 0
    private(set) var count = 0

    /// Bytes it has room for.
    var capacity: Int { chunks.reduce(0) { $0 + $1.capacity } }

    /// The payloads in the chunk; nothing where there is none.
    /// - Precondition: there is such a chunk, or none at all.
    func withBytes<Value>(of chunk: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        guard used > 0 else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return chunks[chunk].withUnsafeBytes(body)
    }

    /// One payload in two parts.
    mutating func append(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) {
        let length = first.count + second.count
        if used == 0 || chunks[used - 1].capacity - chunks[used - 1].count < length { begin(length) }
        chunks[used - 1].append(contentsOf: first)
        chunks[used - 1].append(contentsOf: second)
        count += length
    }

    /// Puts what another one has behind what this one has, and empties the other.
    mutating func take(_ other: inout PayloadChunks) {
        chunks.insert(contentsOf: other.chunks[..<other.used], at: used)
        used += other.used
        count += other.count
        other.chunks.removeFirst(other.used)
        (other.used, other.count) = (0, 0)
    }

    mutating func removeAll() {
        for index in chunks.indices { chunks[index].removeAll(keepingCapacity: true) }
        chunks.removeAll { $0.capacity >= 2 * Self.chunkBytes }
        if chunks.count > Self.kept { chunks.removeLast(chunks.count - Self.kept) }
        (used, count) = (0, 0)
    }

    private mutating func begin(_ length: Int) {
        if used == chunks.count { chunks.append([]) }
        chunks[used].reserveCapacity(max(Self.chunkBytes, length))
        used += 1
    }
}
