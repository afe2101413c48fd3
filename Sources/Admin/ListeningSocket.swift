import Glibc

/// A bound, listening Unix socket that belongs to this process alone.
struct ListeningSocket: Sendable {
    let path: String
    let descriptor: Int32
    private let device: dev_t
    private let inode: ino_t

    /// Takes the path over where nobody answers on it.
    ///
    /// Two processes that start at once cannot both win: the look at the old socket and the bind happen under a
    /// lock on the directory, which leaves no file behind.
    init(path text: String) throws(ServerError) {
        let path = try SocketPath(text)
        let lock = try Self.lockDirectory(path.parent)
        defer { close(lock) }
        try Self.removeStale(path)
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ServerError.last("socket", text) }
        do throws(ServerError) {
            // Before the bind, so that there is no moment in which others may connect.
            guard fchmod(descriptor, 0o600) == 0 else { throw ServerError.last("fchmod", text) }
            let descriptor = descriptor
            guard path.withAddress({ bind(descriptor, $0, $1) }) == 0 else { throw ServerError.last("bind", text) }
            guard listen(descriptor, 64) == 0 else { throw ServerError.last("listen", text) }
            var status = stat()
            guard lstat(text, &status) == 0 else { throw ServerError.last("lstat", text) }
            (device, inode) = (status.st_dev, status.st_ino)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = text
    }

    /// Removes the name, unless another process has put its own socket there meanwhile.
    func unlinkOwn() {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
        unlink(path)
    }

    /// - Returns: a descriptor of the directory, locked.
    private static func lockDirectory(_ path: String) throws(ServerError) -> Int32 {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .noDirectory(path, reason: String(cString: strerror(errno))) }
        do throws(ServerError) {
            try check(directory, path)
            // Held by others for the length of a bind; the limit is for one who holds it out of malice.
            for _ in 0..<200 {
                if flock(directory, LOCK_EX | LOCK_NB) == 0 { return directory }
                guard errno == EWOULDBLOCK || errno == EINTR else { throw ServerError.last("flock", path) }
                usleep(10_000)
            }
            throw ServerError.last("flock", path)
        } catch {
            close(directory)
            throw error
        }
    }

    private static func check(_ directory: Int32, _ path: String) throws(ServerError) {
        var status = stat()
        guard fstat(directory, &status) == 0 else { throw .noDirectory(path, reason: String(cString: strerror(errno))) }
        let openToOthers = status.st_mode & 0o022 != 0
        // With the sticky bit others may add names, but not swap ours.
        let isSticky = status.st_mode & S_ISVTX != 0
        guard status.st_uid == geteuid() || status.st_uid == 0, !openToOthers || isSticky else {
            throw .unsafeDirectory(path)
        }
    }

    private static func removeStale(_ path: SocketPath) throws(ServerError) {
        var status = stat()
        guard lstat(path.text, &status) == 0 else {
            guard errno == ENOENT else { throw ServerError.last("lstat", path.text) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path.text) }
        let probe = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { throw ServerError.last("socket", path.text) }
        defer { close(probe) }
        // EAGAIN: somebody listens whose queue is full.
        if path.withAddress({ connect(probe, $0, $1) }) == 0 || errno == EAGAIN { throw .alreadyServed(path.text) }
        guard errno == ECONNREFUSED else { throw ServerError.last("connect", path.text) }
        guard unlink(path.text) == 0 else { throw ServerError.last("unlink", path.text) }
    }
}
