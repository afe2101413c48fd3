import Agent
import Glibc

/// A file descriptor that is closed when it is let go. Calls are repeated when a signal interrupts them.
final class OpenFile {
    let path: String
    private let descriptor: Int32

    /// - Parameter flags: as of open(2); O_CLOEXEC is added.
    init(_ path: String, flags: Int32, mode: mode_t = 0o640) throws(ConnectorError) {
        self.path = path
        descriptor = open(path, flags | O_CLOEXEC, mode)
        if descriptor < 0 { throw .system("cannot open", path) }
    }

    deinit { close(descriptor) }

    func status() throws(ConnectorError) -> FileStatus { try .of(descriptor: descriptor, path: path) }

    /// Reads up to `count` bytes; fewer only at the end of the file.
    func read(_ count: Int, at offset: UInt64) throws(ConnectorError) -> [UInt8] {
        var failure: ConnectorError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let place = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let got = pread(descriptor, place.baseAddress, place.count, off_t(offset) + off_t(filled))
                if got == 0 { return }
                if got < 0 {
                    if errno == EINTR { continue }
                    failure = .system("cannot read", path)
                    return
                }
                filled += got
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes all bytes at a place.
    func write(_ bytes: [UInt8], at offset: UInt64) throws(ConnectorError) {
        var failure: ConnectorError?
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
                let put = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
                if put < 0 {
                    if errno == EINTR { continue }
                    failure = .system("cannot write", path)
                    return
                }
                done += put
            }
        }
        if let failure { throw failure }
    }

    func truncate(to length: UInt64) throws(ConnectorError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw .system("cannot shorten", path) }
    }

    /// Makes content and length durable. After a failure nothing written since the last success may be trusted:
    /// the caller starts again from its last mark.
    func synchronize() throws(ConnectorError) {
        guard fdatasync(descriptor) == 0 else { throw .system("cannot make durable", path) }
    }

    func setModified(_ time: timespec) throws(ConnectorError) {
        guard futimens(descriptor, [time, time]) == 0 else { throw .system("cannot set the time of", path) }
    }

    /// False where another process holds it.
    func lockExclusively() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }
}
