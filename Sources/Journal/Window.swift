/// A stretch of a file in memory, moved along as it is read: bounded, whatever the file holds.
struct Window: ~Copyable {
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var count = 0
    private let ahead: Int

    /// - Parameter ahead: bytes read at least at a time.
    init(ahead: Int) {
        self.ahead = ahead
        buffer = .allocate(byteCount: max(ahead, Layout.recordHeader), alignment: 4096)
    }

    deinit { buffer.deallocate() }

    /// Forgets what was read: another file follows.
    mutating func reset() { count = 0 }

    /// Bytes at a place; fewer than asked for where the file ends. Valid until the next call.
    /// - Parameter length: bounded by the caller; the longest record is the most ever asked for.
    mutating func view<Files: FileSystem>(
        _ files: Files, _ handle: FileHandle, at place: Int, _ length: Int
    ) throws(FileError) -> UnsafeRawBufferPointer {
        if place < start || place + length > start + count {
            if length > buffer.count {
                buffer.deallocate()
                buffer = .allocate(byteCount: length, alignment: 4096)
            }
            count = 0
            let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer[..<max(length, min(ahead, buffer.count))])
            count = try files.read(handle, into: wanted, at: UInt64(place))
            start = place
        }
        let lower = place - start
        return UnsafeRawBufferPointer(rebasing: buffer[lower..<max(lower, min(lower + length, count))])
    }
}
