import Glibc
public import Journal

/// Small files, read and written whole: configuration, marks, certificates.
public enum Files {
    private static let system = PosixFileSystem()

    /// The whole file.
    /// - Parameter limit: bytes the file may have.
    /// - Throws: a ``FileError``; of kind `tooLong` where the file has more than `limit`.
    public static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let handle = try system.open(path, .read)
        defer { system.close(handle) }
        // Read rather than asked for its size: a device or a file in /proc says 0, and a file may grow meanwhile.
        var bytes: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = try system.read(handle, into: chunk, at: UInt64(bytes.count))
            guard bytes.count + count <= limit else {
                throw FileError(.read, path: path, kind: .tooLong, reason: "it is longer than \(limit) bytes")
            }
            bytes.append(contentsOf: chunk[..<count])
            if count < chunk.count { return bytes }
        }
    }

    /// Puts `bytes` in the place of the file, all or nothing, durable when it comes back. A reader sees the old
    /// file or the new one.
    /// - Parameter mode: permissions of the new file.
    public static func replace(_ path: String, with bytes: [UInt8], mode: UInt16 = 0o600) throws(FileError) {
        let temporary = "\(path).\(getpid()).\(Entropy.word()).new"
        let handle = try system.open(temporary, .create(permissions: mode))
        do throws(FileError) {
            defer { system.close(handle) }
            try write(handle, bytes, at: 0)
            try system.synchronize(handle)
            try system.rename(temporary, to: path)
        } catch {
            try? system.remove(temporary)
            throw error
        }
        try system.synchronizeDirectory(directory(of: path))
    }

    /// Adds `bytes` to the end of the file, which is made where there is none, durable when it comes back.
    /// - Parameter mode: permissions of a new file; an old one keeps its own.
    /// - Returns: the file's length afterwards.
    @discardableResult
    public static func append(_ path: String, _ bytes: [UInt8], mode: UInt16 = 0o600) throws(FileError) -> UInt64 {
        let isNew = try system.attributes(of: path) == nil
        let handle = try system.open(path, isNew ? .create(permissions: mode) : .readWrite)
        defer { system.close(handle) }
        let end = try system.size(of: handle)
        try write(handle, bytes, at: end)
        try system.synchronize(handle)
        if isNew { try system.synchronizeDirectory(directory(of: path)) }
        return end + UInt64(bytes.count)
    }

    /// Makes the directory and those above it, as far as they are missing, durable when it comes back. One that is
    /// there may be of a process that was killed before it made that durable, so it is made so now; whoever may not
    /// read the directory above has not made this one.
    public static func createDirectory(_ path: String, mode: UInt16 = 0o700) throws(FileError) {
        let parent = directory(of: path)
        if try system.attributes(of: path) != nil {
            do throws(FileError) { try system.synchronizeDirectory(parent) } catch {
                guard error.kind == .notPermitted else { throw error }
            }
            return
        }
        if parent != path { try createDirectory(parent, mode: mode) }
        do throws(FileError) {
            try system.createDirectory(path, permissions: mode)
        } catch  where error.kind == .exists {
            return
        }
        try system.synchronizeDirectory(parent)
    }

    /// Removes the file, durable when it comes back. No error where there is none.
    public static func remove(_ path: String) throws(FileError) {
        do throws(FileError) {
            try system.remove(path)
        } catch  where error.kind == .missing {
            return
        }
        try system.synchronizeDirectory(directory(of: path))
    }

    /// nil where nothing has this name.
    public static func attributes(of path: String) throws(FileError) -> FileAttributes? {
        try system.attributes(of: path)
    }

    /// The directory a path lies in: `.` for a bare name.
    public static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func write(_ handle: FileHandle, _ bytes: [UInt8], at offset: UInt64) throws(FileError) {
        let result = bytes.withUnsafeBytes { bytes -> Result<Void, FileError> in
            do throws(FileError) {
                return .success(try system.write(handle, bytes, at: offset))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
