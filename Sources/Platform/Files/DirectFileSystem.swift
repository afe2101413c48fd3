import Glibc
public import Journal

/// The system's files, written past its page cache (`O_DIRECT`) where they allow it.
///
/// A journal writes much and reads little of it again. Through the page cache each byte is copied once more, into pages
/// that are rarely at hand, and the first touch of a block that is not cached reads it from the disk; both cost more than
/// the writing itself. What is written is gathered here, in whole blocks, and goes to the disk when it is synchronized, when
/// there is much of it, or when it is read back. A block that is not full is written again with what follows it, as the
/// page cache does too.
///
/// Reads go through the page cache; the system keeps both views alike. Where a file system has no such writes, all goes
/// as in ``PosixFileSystem``. For one thread at a time.
public final class DirectFileSystem: FileSystem {
    private let files = PosixFileSystem()
    private var writer = DirectWriter()

    public init() {}

    public func open(_ path: String, _ access: FileAccess) throws(FileError) -> FileHandle {
        let handle = try files.open(path, access)
        if case .read = access { return handle }
        guard let flag = Self.direct, let size = try? files.size(of: handle) else { return handle }
        let descriptor = Glibc.open(path, O_WRONLY | flag | O_CLOEXEC)
        if descriptor >= 0 { writer.opened(handle, descriptor, size: size) }
        return handle
    }

    /// `O_DIRECT`, which the C library's header hides behind another name; nil where it is not known here.
    private static var direct: Int32? {
        #if arch(x86_64)
            0o40000
        #elseif arch(arm64)
            0o200000
        #else
            nil
        #endif
    }

    public func close(_ handle: FileHandle) {
        writer.closed(handle)
        files.close(handle)
    }

    public func size(of handle: FileHandle) throws(FileError) -> UInt64 {
        try flush(handle)
        return try files.size(of: handle)
    }

    public func read(
        _ handle: FileHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int {
        if writer.holds(handle, upTo: offset + UInt64(buffer.count), from: offset) { try writer.flush(files) }
        return try files.read(handle, into: buffer, at: offset)
    }

    public func willRead(_ path: String) { files.willRead(path) }

    public func write(
        _ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(FileError) {
        try writer.write(handle, bytes, at: offset, isEnd: false, files)
    }

    public func writeEnd(
        _ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(FileError) {
        try writer.write(handle, bytes, at: offset, isEnd: true, files)
    }

    public func synchronize(_ handle: FileHandle) throws(FileError) {
        try flush(handle)
        try writer.check(handle)
        try files.synchronize(handle)
    }

    public func truncate(_ handle: FileHandle, to bytes: UInt64) throws(FileError) {
        try flush(handle)
        try files.truncate(handle, to: bytes)
        writer.truncated(handle, to: bytes)
    }

    private func flush(_ handle: FileHandle) throws(FileError) {
        if writer.owner == handle { try writer.flush(files) }
    }

    // MARK: Names

    public func rename(_ path: String, to target: String) throws(FileError) { try files.rename(path, to: target) }
    public func remove(_ path: String) throws(FileError) { try files.remove(path) }
    public func list(_ directory: String) throws(FileError) -> [String] { try files.list(directory) }
    public func attributes(of path: String) throws(FileError) -> FileAttributes? { try files.attributes(of: path) }
    public func createDirectory(_ path: String, permissions: UInt16) throws(FileError) {
        try files.createDirectory(path, permissions: permissions)
    }
    public func synchronizeDirectory(_ path: String) throws(FileError) { try files.synchronizeDirectory(path) }
    public func lock(_ path: String) throws(FileError) -> FileHandle { try files.lock(path) }
}
