/// A file's content: what processes see, and what the medium holds.
final class Inode {
    let permissions: UInt16
    /// The page cache.
    var bytes: [UInt8] = []
    /// The medium.
    var durable: [UInt8] = []
    var pending = PendingWrites()
    /// Names it has; content without one takes no space that counts.
    var isNamed = true

    init(permissions: UInt16) { self.permissions = permissions }

    convenience init(permissions: UInt16, durable: [UInt8]) {
        self.init(permissions: permissions)
        self.durable = durable
        bytes = durable
    }

    func write(_ new: UnsafeRawBufferPointer, at offset: Int) {
        Self.put(new, at: offset, into: &bytes)
        pending.append(new, at: offset)
    }

    func truncate(to count: Int) {
        Self.resize(&bytes, to: count)
        pending.appendTruncation(to: count)
    }

    /// All that waits gets to the medium.
    func synchronize() {
        for index in pending.entries.indices { apply(index) }
        pending.removeAll()
    }

    /// One pending entry gets to the medium, or of a write only the part at `range` of its bytes.
    func apply(_ index: Int, range: Range<Int>? = nil) {
        let entry = pending.entries[index]
        if entry.isTruncation { return Self.resize(&durable, to: entry.offset) }
        let part = range ?? 0..<entry.count
        pending.bytes.withUnsafeBytes { all in
            let bytes = UnsafeRawBufferPointer(
                rebasing: all[entry.start + part.lowerBound..<entry.start + part.upperBound])
            Self.put(bytes, at: entry.offset + part.lowerBound, into: &durable)
        }
    }

    /// The page cache is gone; what is read from now on comes from the medium.
    func forgetCache() {
        pending.removeAll()
        bytes = durable
    }

    static func put(_ new: UnsafeRawBufferPointer, at offset: Int, into file: inout [UInt8]) {
        guard let source = new.baseAddress, !new.isEmpty else { return }
        if file.count == offset { return file.append(contentsOf: new) }
        if file.count < offset + new.count { resize(&file, to: offset + new.count) }
        file.withUnsafeMutableBytes { file in
            file.baseAddress?.advanced(by: offset).copyMemory(from: source, byteCount: new.count)
        }
    }

    static func resize(_ file: inout [UInt8], to count: Int) {
        if count <= file.count {
            file.removeLast(file.count - count)
        } else {
            file.append(contentsOf: repeatElement(0, count: count - file.count))
        }
    }
}

/// Writes and truncations that are not on the medium yet, in order. Their bytes lie together, so that a write costs no
/// allocation.
struct PendingWrites {
    struct Entry {
        /// Where in the file it goes; of a truncation the length that stays.
        var offset: Int
        /// Bytes; -1 for a truncation.
        var count: Int
        /// Where its bytes begin in `bytes`.
        var start: Int

        var isTruncation: Bool { count < 0 }
    }

    private(set) var entries: [Entry] = []
    private(set) var bytes: [UInt8] = []

    var isEmpty: Bool { entries.isEmpty }

    mutating func append(_ new: UnsafeRawBufferPointer, at offset: Int) {
        guard !new.isEmpty else { return }
        entries.append(Entry(offset: offset, count: new.count, start: bytes.count))
        bytes.append(contentsOf: new)
    }

    mutating func appendTruncation(to count: Int) { entries.append(Entry(offset: count, count: -1, start: 0)) }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    /// True where a byte of the file has a newer value on its way.
    func covers(_ place: Int) -> Bool {
        entries.contains { !$0.isTruncation && ($0.offset..<$0.offset + $0.count).contains(place) }
    }
}
