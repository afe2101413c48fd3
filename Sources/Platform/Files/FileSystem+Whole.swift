import Glibc
public import Journal

/// Small files read and written whole, over any disk. ``Files`` has the same for the system's own.
extension FileSystem {
    /// The whole file.
    /// - Parameter limit: bytes the file may have.
    /// - Throws: a ``FileError``; of kind `tooLong` where the file has more than `limit`.
    public func readWhole(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let handle = try open(path, .read)
        defer { close(handle) }
        // Read rather than asked for its size: a device or a file in /proc says 0, and a file may grow meanwhile.
        var bytes: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = try read(handle, into: chunk, at: UInt64(bytes.count))
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
    public func replaceWhole(_ path: String, with bytes: [UInt8], mode: UInt16 = 0o600) throws(FileError) {
        let temporary = "\(path).\(getpid()).\(Entropy.word()).new"
        let handle = try open(temporary, .create(permissions: mode))
        do throws(FileError) {
            defer { close(handle) }
            try writeWhole(handle, bytes, at: 0)
            try synchronize(handle)
            try rename(temporary, to: path)
        } catch {
            try? remove(temporary)
            throw error
        }
        try synchronizeDirectory(Files.directory(of: path))
    }

    /// Adds `bytes` to the end of the file, which is made where there is none, durable when it comes back.
    /// - Parameter mode: permissions of a new file; an old one keeps its own.
    /// - Returns: the file's length afterwards.
    public func appendWhole(_ path: String, _ bytes: [UInt8], mode: UInt16 = 0o600) throws(FileError) -> UInt64 {
        let isNew = try attributes(of: path) == nil
        let handle = try open(path, isNew ? .create(permissions: mode) : .readWrite)
        defer { close(handle) }
        let end = try size(of: handle)
        try writeWhole(handle, bytes, at: end)
        try synchronize(handle)
        if isNew { try synchronizeDirectory(Files.directory(of: path)) }
        return end + UInt64(bytes.count)
    }

    /// Makes the directory and those above it, as far as they are missing, durable when it comes back. One that is
    /// there may be of a process that was killed before it made that durable, so it is made so now; whoever may not
    /// read the directory above has not made this one.
    public func createDirectories(_ path: String, mode: UInt16 = 0o700) throws(FileError) {
        let parent = Files.directory(of: path)
        if try attributes(of: path) != nil {
            do throws(FileError) { try synchronizeDirectory(parent) } catch {
                guard error.kind == .notPermitted else { throw error }
            }
            return
        }
        if parent != path { try createDirectories(parent, mode: mode) }
        do throws(FileError) {
            try createDirectory(path, permissions: mode)
        } catch  where error.kind == .exists {
            return
        }
        try synchronizeDirectory(parent)
    }

    /// Removes the file, durable when it comes back. No error where there is none.
    public func removeDurably(_ path: String) throws(FileError) {
        do throws(FileError) {
            try remove(path)
        } catch  where error.kind == .missing {
            return
        }
        try synchronizeDirectory(Files.directory(of: path))
    }

    private func writeWhole(_ handle: FileHandle, _ bytes: [UInt8], at offset: UInt64) throws(FileError) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(FileError) in try write(handle, bytes, at: offset) }
        }
        try result.get()
    }
}
