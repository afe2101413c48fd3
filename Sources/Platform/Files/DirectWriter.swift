import Glibc
import Journal

/// What is gathered for one file at a time, in memory and pieces as direct writes want them: whole blocks at places and
/// addresses that are multiples of a block. Long runs that lie in memory as they will lie in the file are not gathered, but
/// written from where they are, with what was gathered before them.
struct DirectWriter: ~Copyable {
    /// A multiple of the sector of every disk there is.
    static let block = 4096
    /// What is gathered before it is written: a longer write is no faster.
    static let capacity = 1 << 20
    /// Bytes from which on a copy costs more than a piece of its own.
    static let uncopied = 32 << 10

    private struct File {
        /// Opened for direct writes.
        var descriptor: Int32
        var size: UInt64
        /// Something that was to be written is lost: no later synchronize may say that all is well.
        var failure: FileError?
    }

    private var files: [FileHandle: File] = [:]
    private var memory: UnsafeMutableRawBufferPointer?
    /// Whose bytes are gathered; nil for nobody's.
    private(set) var owner: FileHandle?
    /// Place of the first, a multiple of a block.
    private var base: UInt64 = 0
    /// How many there are, and how many of them, less than a block, the file has already.
    private var filled = 0
    private var written = 0
    /// What follows them in their last block is of no use.
    private var isEnd = false

    deinit {
        memory?.deallocate()
        for file in files.values { Glibc.close(file.descriptor) }
    }

    // MARK: Files

    mutating func opened(_ handle: FileHandle, _ descriptor: Int32, size: UInt64) {
        files[handle] = File(descriptor: descriptor, size: size)
    }

    /// What was not synchronized is thrown away.
    mutating func closed(_ handle: FileHandle) {
        if owner == handle { owner = nil }
        if let file = files.removeValue(forKey: handle) { Glibc.close(file.descriptor) }
    }

    mutating func truncated(_ handle: FileHandle, to bytes: UInt64) {
        if owner == handle { owner = nil }
        files[handle]?.size = bytes
    }

    /// Whether some of the file's bytes from one place up to another are only here.
    func holds(_ handle: FileHandle, upTo end: UInt64, from start: UInt64) -> Bool {
        owner == handle && start < base + UInt64(filled) && end > base + UInt64(written)
    }

    // MARK: Bytes

    /// - Parameter isEnd: what the file holds behind the bytes, within their last block, is of no use.
    mutating func write(
        _ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64, isEnd: Bool, _ system: PosixFileSystem
    ) throws(FileError) {
        guard let file = files[handle] else { return try system.write(handle, bytes, at: offset) }
        // What is gathered of another file need not make way for them.
        if owner != handle, try writeWhole(bytes, at: offset, file, handle, system) { return }
        if owner != handle || offset != base + UInt64(filled) {
            try flush(system)
            try begin(handle, at: offset, system)
        }
        guard let memory else { return }
        self.isEnd = isEnd
        if isEnd, try writeUncopied(handle, bytes, system) { return }
        var done = 0
        while done < bytes.count {
            let count = min(Self.capacity - filled, bytes.count - done)
            UnsafeMutableRawBufferPointer(rebasing: memory[filled...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]))
            filled += count
            done += count
            if filled == Self.capacity { try flush(system) }
        }
    }

    /// Writes whole blocks that lie right from where they are.
    /// - Returns: false where they do not, and nothing was written.
    private mutating func writeWhole(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ file: File, _ handle: FileHandle,
        _ system: PosixFileSystem
    ) throws(FileError) -> Bool {
        let places = UInt(bitPattern: bytes.baseAddress) | UInt(bytes.count) | UInt(offset)
        guard places % UInt(Self.block) == 0, bytes.count >= Self.uncopied,
            try writeDirectly([bytes], at: offset, handle, system)
        else { return false }
        files[handle]?.size = max(file.size, offset + UInt64(bytes.count))
        return true
    }

    /// Writes what is gathered, and the bytes behind it from where they are, together with zeros to the end of their last
    /// block.
    /// - Returns: false where they do not lie right for it, and nothing was written.
    private mutating func writeUncopied(
        _ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, _ system: PosixFileSystem
    ) throws(FileError) -> Bool {
        // The bytes that are missing in the last block gathered.
        let front = -filled & (Self.block - 1)
        let begin = filled + front
        // Behind what is gathered there must be room for the last block.
        guard let memory, let file = files[handle], let address = bytes.baseAddress, bytes.count >= Self.uncopied,
            begin + Self.block <= Self.capacity, Int(bitPattern: address + front) & (Self.block - 1) == 0
        else { return false }
        let whole = (bytes.count - front) & ~(Self.block - 1)
        let rest = bytes.count - front - whole
        let end = base + UInt64(filled + bytes.count)
        guard rest == 0 || end - UInt64(rest) + UInt64(Self.block) <= file.size else { return false }
        UnsafeMutableRawBufferPointer(rebasing: memory[filled..<begin])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<front]))
        let last = UnsafeMutableRawBufferPointer(rebasing: memory[begin..<begin + Self.block])
        last.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[(front + whole)...]))
        UnsafeMutableRawBufferPointer(rebasing: last[rest...]).initializeMemory(as: UInt8.self, repeating: 0)
        let pieces = [
            UnsafeRawBufferPointer(rebasing: memory[..<begin]),
            UnsafeRawBufferPointer(rebasing: bytes[front..<front + whole]),
            UnsafeRawBufferPointer(rebasing: last[..<(rest > 0 ? Self.block : 0)]),
        ]
        guard try writeDirectly(pieces, at: base, handle, system) else { return false }
        files[handle]?.size = max(file.size, end)
        memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: last[..<rest]))
        base = end - UInt64(rest)
        filled = rest
        written = rest
        return true
    }

    /// Nothing is gathered: begins with what the file has before the place in its block.
    private mutating func begin(_ handle: FileHandle, at offset: UInt64, _ system: PosixFileSystem) throws(FileError) {
        let memory = memory ?? .allocate(byteCount: Self.capacity, alignment: Self.block)
        self.memory = memory
        owner = nil
        base = offset & ~UInt64(Self.block - 1)
        filled = Int(offset - base)
        written = filled
        try fill(memory[..<filled], from: base, of: handle, system)
        owner = handle
    }

    /// The file's bytes; zeros behind its end.
    private func fill(
        _ part: Slice<UnsafeMutableRawBufferPointer>, from offset: UInt64, of handle: FileHandle,
        _ system: PosixFileSystem
    ) throws(FileError) {
        if part.isEmpty { return }
        let part = UnsafeMutableRawBufferPointer(rebasing: part)
        let count = try system.read(handle, into: part, at: offset)
        for index in count..<part.count { part[index] = 0 }
    }

    /// - Throws: why bytes of the file did not get as far as the system since it was opened.
    func check(_ handle: FileHandle) throws(FileError) {
        if let failure = files[handle]?.failure { throw failure }
    }

    /// Gives the system all that is gathered. Where it fails, that is forgotten, and remembered that it was.
    mutating func flush(_ system: PosixFileSystem) throws(FileError) {
        guard let handle = owner else { return }
        do throws(FileError) { try writeOut(system) } catch {
            owner = nil
            files[handle]?.failure = error
            throw error
        }
    }

    private mutating func writeOut(_ system: PosixFileSystem) throws(FileError) {
        guard let handle = owner, let memory, let file = files[handle], filled > written else { return }
        owner = nil
        let whole = filled & ~(Self.block - 1)
        let rest = filled - whole
        // A last block that the file does not have to its end must not make it longer.
        let isWithin = rest == 0 || base + UInt64(whole + Self.block) <= file.size
        if rest > 0, isWithin {
            let tail = memory[filled..<whole + Self.block]
            if isEnd {
                UnsafeMutableRawBufferPointer(rebasing: tail).initializeMemory(as: UInt8.self, repeating: 0)
            } else {
                try fill(tail, from: base + UInt64(filled), of: handle, system)
            }
        }
        let blocks = isWithin && rest > 0 ? whole + Self.block : whole
        let direct = try writeDirectly([UnsafeRawBufferPointer(rebasing: memory[..<blocks])], at: base, handle, system)
        if !isWithin || !direct {
            let start = max(written, direct ? whole : 0)
            try system.write(handle, UnsafeRawBufferPointer(rebasing: memory[start..<filled]), at: base + UInt64(start))
        }
        let end = base + UInt64(filled)
        if direct { files[handle]?.size = max(file.size, end) } else { closed(handle) }
        // The block that is not full goes on.
        memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[whole..<filled]))
        base += UInt64(whole)
        filled = rest
        written = rest
        owner = direct ? handle : nil
    }

    /// - Returns: false where the file system has no direct writes after all; nothing is written then.
    /// - Throws: also remembers that bytes are lost, and forgets what was gathered of the file.
    private mutating func writeDirectly(
        _ pieces: [UnsafeRawBufferPointer], at offset: UInt64, _ handle: FileHandle, _ system: PosixFileSystem
    ) throws(FileError) -> Bool {
        guard let file = files[handle] else { return false }
        do throws(FileError) {
            try system.write(FileHandle(file.descriptor), pieces, at: offset)
            return true
        } catch {
            guard error.kind != .unsupported else { return false }
            if owner == handle { owner = nil }
            files[handle]?.failure = error
            throw error
        }
    }
}
