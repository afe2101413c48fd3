import Journal
import Platform

/// The files of the daemons, with a count of what is made durable.
final class CountingFiles: FileSystem {
    final class Count {
        var bytes: UInt64 = 0
        var synchronizes: UInt64 = 0
    }

    let count = Count()
    private let files = DirectFileSystem()

    func write(_ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        try files.write(handle, bytes, at: offset)
        count.bytes += UInt64(bytes.count)
    }

    func writeEnd(_ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        try files.writeEnd(handle, bytes, at: offset)
        count.bytes += UInt64(bytes.count)
    }

    func synchronize(_ handle: FileHandle) throws(FileError) {
        try files.synchronize(handle)
        count.synchronizes += 1
    }

    func open(_ path: String, _ access: FileAccess) throws(FileError) -> FileHandle { try files.open(path, access) }
    func close(_ handle: FileHandle) { files.close(handle) }
    func size(of handle: FileHandle) throws(FileError) -> UInt64 { try files.size(of: handle) }
    func read(
        _ handle: FileHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int {
        try files.read(handle, into: buffer, at: offset)
    }
    func truncate(_ handle: FileHandle, to bytes: UInt64) throws(FileError) {
        try files.truncate(handle, to: bytes)
    }
    func rename(_ path: String, to target: String) throws(FileError) { try files.rename(path, to: target) }
    func remove(_ path: String) throws(FileError) { try files.remove(path) }
    func list(_ directory: String) throws(FileError) -> [String] { try files.list(directory) }
    func attributes(of path: String) throws(FileError) -> FileAttributes? { try files.attributes(of: path) }
    func createDirectory(_ path: String, permissions: UInt16) throws(FileError) {
        try files.createDirectory(path, permissions: permissions)
    }
    func synchronizeDirectory(_ path: String) throws(FileError) { try files.synchronizeDirectory(path) }
    func lock(_ path: String) throws(FileError) -> FileHandle { try files.lock(path) }
}
