import Agent
import Envelope
import Glibc

/// What the file system says of a file.
struct FileStatus: Equatable {
    enum Kind { case regular, directory, other }

    var kind: Kind
    var device: UInt64
    var inode: UInt64
    /// Bytes.
    var size: UInt64
    /// Nanoseconds since 1970 of the last change to the content.
    var modified: Int64
    /// Nanoseconds since 1970 of the last change to content, name, owner or mode; no program can set it back.
    var changed: Int64

    private init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        default: kind = .other
        }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
        size = UInt64(max(0, status.st_size))
        modified = Self.nanoseconds(status.st_mtim)
        changed = Self.nanoseconds(status.st_ctim)
    }

    /// Follows symbolic links; nil where there is no such file.
    static func at(_ path: String) throws(ConnectorError) -> FileStatus? {
        var status = stat()
        if stat(path, &status) == 0 { return FileStatus(status) }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw .system("cannot look at", path)
    }

    /// Does not follow a symbolic link; nil where there is no such file.
    static func ofLink(_ path: String) -> FileStatus? {
        var status = stat()
        return lstat(path, &status) == 0 ? FileStatus(status) : nil
    }

    static func of(descriptor: Int32, path: String) throws(ConnectorError) -> FileStatus {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("cannot look at", path) }
        return FileStatus(status)
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (scaled, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? 0 : scaled &+ Int64(time.tv_nsec)
    }
}

extension ConnectorError {
    /// The last failed system call, sorted by whether waiting can help.
    static func system(_ action: String, _ path: String, code: Int32 = errno) -> ConnectorError {
        let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
        return ConnectorError(kind(of: code), "\(action) '\(path)': \(reason)")
    }

    private static func kind(of code: Int32) -> Kind {
        switch code {
        case EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, EINVAL, EXDEV: .configuration
        default: .transient
        }
    }
}
