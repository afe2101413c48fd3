/// An open file. A small value: who opened it must close it.
public struct FileHandle: Hashable, Sendable {
    public var number: Int32
    public init(_ number: Int32) { self.number = number }
}

/// What is known of a path.
public struct FileAttributes: Hashable, Sendable {
    public var isDirectory: Bool
    /// The nine permission bits, such as 0o700.
    public var permissions: UInt16
    public var bytes: UInt64

    public init(isDirectory: Bool, permissions: UInt16, bytes: UInt64) {
        self.isDirectory = isDirectory
        self.permissions = permissions
        self.bytes = bytes
    }
}

public enum FileAccess: Sendable {
    case read
    case readWrite
    /// Makes the file, with these permissions, and opens it for both; fails where it is there already.
    case create(permissions: UInt16)
}

/// The disk as the journal sees it: the one seam between the journal and the world.
///
/// What an implementation must hold: written bytes are sure to outlive a crash only after `synchronize` of their
/// handle came back without an error; a name made, changed or removed only after `synchronizeDirectory`. Before
/// that, each may have happened or not, in any order. After a failed `synchronize` nothing may be assumed of
/// what was written since the last good one.
///
/// A class, so that what holds one has the same layout whichever it is: the journal's code is generic over it and is not
/// made anew for each, and would otherwise look up where its own parts lie for every record.
public protocol FileSystem: AnyObject {
    func open(_ path: String, _ access: FileAccess) throws(FileError) -> FileHandle
    func close(_ handle: FileHandle)
    func size(of handle: FileHandle) throws(FileError) -> UInt64
    /// Reads until the buffer is full or the file ends.
    /// - Returns: the bytes read; fewer than asked for only at the end of the file.
    func read(
        _ handle: FileHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int
    /// The whole file is about to be read: a hint, which may do nothing.
    func willRead(_ path: String)
    /// Writes all bytes or throws; then some of them may have been written.
    func write(_ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError)
    /// The same, where what the file holds behind the bytes is of no use: up to the next multiple of 4096 it may have
    /// changed afterwards.
    func writeEnd(_ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError)
    /// Makes the file's bytes durable (fdatasync).
    func synchronize(_ handle: FileHandle) throws(FileError)
    func truncate(_ handle: FileHandle, to bytes: UInt64) throws(FileError)
    /// Replaces what `target` names, all or nothing.
    func rename(_ path: String, to target: String) throws(FileError)
    func remove(_ path: String) throws(FileError)
    /// Names in the directory, without `.` and `..`, in no order.
    func list(_ directory: String) throws(FileError) -> [String]
    /// nil where nothing has this name.
    func attributes(of path: String) throws(FileError) -> FileAttributes?
    func createDirectory(_ path: String, permissions: UInt16) throws(FileError)
    /// Makes the directory's names durable.
    func synchronizeDirectory(_ path: String) throws(FileError)
    /// Takes the lock that two processes cannot both have, making its file (0600) where there is none. The lock
    /// ends with the handle or the process.
    /// - Throws: a ``FileError`` of kind `locked` where somebody has it.
    func lock(_ path: String) throws(FileError) -> FileHandle
}

extension FileSystem {
    public func willRead(_ path: String) {}

    public func writeEnd(_ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        try write(handle, bytes, at: offset)
    }
}
