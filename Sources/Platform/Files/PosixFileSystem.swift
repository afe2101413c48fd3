import Glibc
public import Journal

/// The system's own files.
///
/// Reads and writes go on after interruptions and short counts. A new file gets exactly the permissions asked for,
/// whatever the umask says.
public final class PosixFileSystem: FileSystem, Sendable {
    public init() {}

    public func open(_ path: String, _ access: FileAccess) throws(FileError) -> FileHandle {
        let (flags, permissions): (Int32, mode_t) =
            switch access {
            case .read: (O_RDONLY, 0)
            case .readWrite: (O_RDWR, 0)
            case .create(let permissions): (O_RDWR | O_CREAT | O_EXCL, mode_t(permissions))
            }
        let operation: FileError.Operation = flags & O_CREAT == 0 ? .open : .create
        let number = Glibc.open(path, flags | O_CLOEXEC, permissions)
        guard number >= 0 else { throw Self.error(operation, path) }
        if case .create(let permissions) = access, fchmod(number, mode_t(permissions)) != 0 {
            let error = Self.error(.create, path)
            Glibc.close(number)
            throw error
        }
        return FileHandle(number)
    }

    public func close(_ handle: FileHandle) { Glibc.close(handle.number) }

    public func size(of handle: FileHandle) throws(FileError) -> UInt64 {
        var status = stat()
        guard fstat(handle.number, &status) == 0 else { throw error(.inspect, handle) }
        return UInt64(max(0, status.st_size))
    }

    public func read(
        _ handle: FileHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(handle.number, rest.baseAddress, rest.count, off_t(clamping: offset) &+ off_t(done))
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw error(.read, handle)
            }
        }
        return done
    }

    public func willRead(_ path: String) {
        let number = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return }
        posix_fadvise(number, 0, 0, POSIX_FADV_WILLNEED)
        Glibc.close(number)
    }

    public func write(
        _ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(FileError) {
        try write(handle, [bytes], at: offset)
    }

    /// Writes the pieces one behind the other, all of them or throws.
    func write(_ handle: FileHandle, _ pieces: [UnsafeRawBufferPointer], at offset: UInt64) throws(FileError) {
        var vectors = pieces.filter { !$0.isEmpty }
            .map { iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count) }
        var place = off_t(clamping: offset)
        while !vectors.isEmpty {
            var count = pwritev(handle.number, vectors, Int32(vectors.count), place)
            guard count > 0 || count < 0 && errno == EINTR else { throw error(.write, handle) }
            place += off_t(max(0, count))
            while count > 0, let first = vectors.first {
                let taken = min(count, first.iov_len)
                count -= taken
                vectors[0].iov_base += taken
                vectors[0].iov_len -= taken
                if vectors[0].iov_len == 0 { vectors.removeFirst() }
            }
        }
    }

    public func synchronize(_ handle: FileHandle) throws(FileError) {
        guard fdatasync(handle.number) == 0 else { throw error(.synchronize, handle) }
    }

    public func truncate(_ handle: FileHandle, to bytes: UInt64) throws(FileError) {
        guard ftruncate(handle.number, off_t(clamping: bytes)) == 0 else { throw error(.truncate, handle) }
    }
}
