/// A file's content: what processes see, and what the medium holds.
final class Inode {
    let permissions: UInt16
    // Not checked for overlapping access when it runs, as `World` says.
    /// The page cache.
    @exclusivity(unchecked) var bytes: [UInt8] = []
    /// The medium.
    @exclusivity(unchecked) var durable: [UInt8] = []
    @exclusivity(unchecked) var pending = PendingWrites()
    /// Names it has; content without one takes no space that counts.
    @exclusivity(unchecked) var isNamed = true

    init(permissions: UInt16) { self.permissions = permissions }

    convenience init(permissions: UInt16, durable: [UInt8]) {
        self.init(permissions: permissions)
        self.durable = durable
        bytes = durable
    }

    func write(_ new: UnsafeRawBufferPointer, at offset: Int) {
        pending.part(from: bytes, at: offset..<offset + new.count)
        Self.put(new, at: offset, into: &bytes)
        pending.append(new.count, at: offset)
    }

    func truncate(to count: Int) {
        pending.part(from: bytes, at: count..<max(count, bytes.count))
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
        put(index, range ?? 0..<entry.count, at: entry.offset + (range?.lowerBound ?? 0))
    }

    /// A part of a pending write gets to the medium, and to this place on it.
    func put(_ index: Int, _ part: Range<Int>, at place: Int) {
        let entry = pending.entries[index]
        let start = entry.start ?? entry.offset
        (entry.start == nil ? bytes : pending.bytes).withUnsafeBytes { all in
            let bytes = UnsafeRawBufferPointer(rebasing: all[start + part.lowerBound..<start + part.upperBound])
            Self.put(bytes, at: place, into: &durable)
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

/// Writes and truncations that are not on the medium yet, in order. What was written lies in the page cache; only where
/// that changes once more before it is on the medium do these have the bytes for themselves.
struct PendingWrites {
    struct Entry {
        /// Where in the file it goes; of a truncation the length that stays.
        var offset: Int
        /// Bytes; -1 for a truncation.
        var count: Int
        /// Where its bytes begin in `bytes`; nil while the page cache has them as they were written.
        var start: Int?

        var isTruncation: Bool { count < 0 }
    }

    private(set) var entries: [Entry] = []
    private(set) var bytes: [UInt8] = []
    /// No write goes further.
    private var end = 0

    var isEmpty: Bool { entries.isEmpty }

    /// The page cache has a write, ``part(from:at:)`` was called before.
    mutating func append(_ count: Int, at offset: Int) {
        guard count > 0 else { return }
        entries.append(Entry(offset: offset, count: count))
        end = max(end, offset + count)
    }

    mutating func appendTruncation(to count: Int) { entries.append(Entry(offset: count, count: -1)) }

    /// The page cache is about to change at these places: what was written there before is kept apart.
    mutating func part(from cache: [UInt8], at places: Range<Int>) {
        // Files mostly grow.
        guard places.lowerBound < end else { return }
        for index in entries.indices where entries[index].start == nil && !entries[index].isTruncation {
            let place = entries[index].offset..<entries[index].offset + entries[index].count
            guard place.overlaps(places) else { continue }
            entries[index].start = bytes.count
            bytes.append(contentsOf: cache[place])
        }
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        end = 0
    }

    /// True where a byte of the file has a newer value on its way.
    func covers(_ place: Int) -> Bool {
        entries.contains { !$0.isTruncation && ($0.offset..<$0.offset + $0.count).contains(place) }
    }
}
