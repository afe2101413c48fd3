import CUV
import Envelope
import Glibc

/// The socket options this system uses, on raw descriptors.
enum Socket {
    /// A silent peer is asked after this many seconds, again every ``probeEvery`` seconds, and given up after
    /// ``probes`` unanswered ones: some firewalls forget idle connections after a minute.
    private static let idleSeconds: Int32 = 30
    private static let probeEvery: Int32 = 10
    private static let probes: Int32 = 3
    /// Data unacknowledged for so long means that the path is gone. The links' own pings are usually faster.
    private static let userTimeoutMilliseconds: Int32 = 30_000
    /// Bytes the kernel takes ahead of what the network accepts: enough to keep it busy, little enough that a
    /// control frame does not wait behind megabytes.
    private static let unsentBytes: Int32 = 256 << 10

    static func tune(_ descriptor: Int32) {
        set(descriptor, Int32(IPPROTO_TCP), Int32(CUV_TCP_NODELAY), 1)
        set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        set(descriptor, Int32(IPPROTO_TCP), Int32(CUV_TCP_KEEPIDLE), idleSeconds)
        set(descriptor, Int32(IPPROTO_TCP), Int32(CUV_TCP_KEEPINTVL), probeEvery)
        set(descriptor, Int32(IPPROTO_TCP), Int32(CUV_TCP_KEEPCNT), probes)
        set(descriptor, Int32(IPPROTO_TCP), Int32(CUV_TCP_USER_TIMEOUT), userTimeoutMilliseconds)
        set(descriptor, Int32(IPPROTO_TCP), Int32(CUV_TCP_NOTSENT_LOWAT), unsentBytes)
    }

    @discardableResult
    static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
        var value = value
        return setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }

    /// The error that waits on a socket; 0 for none. Asking clears it.
    static func takeError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }
}
