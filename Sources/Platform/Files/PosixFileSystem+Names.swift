import Glibc
public import Journal

extension PosixFileSystem {
    public func rename(_ path: String, to target: String) throws(FileError) {
        guard Glibc.rename(path, target) == 0 else { throw Self.error(.rename, path) }
    }

    public func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 else { throw Self.error(.remove, path) }
    }

    public func list(_ directory: String) throws(FileError) -> [String] {
        guard let stream = opendir(directory) else { throw Self.error(.list, directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw Self.error(.list, directory) }
                return names
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    public func attributes(of path: String) throws(FileError) -> FileAttributes? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw Self.error(.inspect, path)
        }
        return FileAttributes(
            isDirectory: status.st_mode & S_IFMT == S_IFDIR, permissions: UInt16(status.st_mode & 0o777),
            bytes: UInt64(max(0, status.st_size)))
    }

    public func createDirectory(_ path: String, permissions: UInt16) throws(FileError) {
        guard mkdir(path, mode_t(permissions)) == 0, chmod(path, mode_t(permissions)) == 0 else {
            throw Self.error(.createDirectory, path)
        }
    }

    public func synchronizeDirectory(_ path: String) throws(FileError) {
        let number = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw Self.error(.synchronizeDirectory, path) }
        defer { Glibc.close(number) }
        guard fsync(number) == 0 else { throw Self.error(.synchronizeDirectory, path) }
    }

    public func lock(_ path: String) throws(FileError) -> FileHandle {
        let number = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw Self.error(.lock, path) }
        guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
            let error = Self.error(.lock, path)
            Glibc.close(number)
            throw error
        }
        return FileHandle(number)
    }

    /// What `errno` says. To be called before anything else can change it.
    static func error(_ operation: FileError.Operation, _ path: String) -> FileError {
        let code = errno
        let kind: FileError.Kind =
            switch code {
            case ENOENT: .missing
            case EEXIST: .exists
            case ENOSPC, EDQUOT: .noSpace
            case EACCES, EPERM, EROFS: .notPermitted
            case EWOULDBLOCK where operation == .lock: .locked
            case EINVAL where operation == .write: .unsupported
            default: .other
            }
        return FileError(operation, path: path, kind: kind, reason: SystemError.text(code))
    }

    /// The same for an open file, whose name the kernel knows.
    func error(_ operation: FileError.Operation, _ handle: FileHandle) -> FileError {
        let code = errno
        let path = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            guard let base = buffer.baseAddress else { return "file \(handle.number)" }
            let count = readlink("/proc/self/fd/\(handle.number)", base, buffer.count)
            guard count > 0 else { return "file \(handle.number)" }
            return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        errno = code
        return Self.error(operation, path)
    }
}
