import Glibc

/// TCP on 127.0.0.1.
enum Loopback {
    /// Non-blocking; nil where the system has none left.
    static func socket() -> Int32? {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(AF_INET, kind, Int32(IPPROTO_TCP))
        return descriptor >= 0 ? descriptor : nil
    }

    static func bind(_ descriptor: Int32, port: UInt16) -> Bool {
        // Connections of an earlier demo that are on their way out do not count.
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        return withAddress(port) { Glibc.bind(descriptor, $0, $1) } == 0
    }

    /// True where the connection stands or is under way.
    static func connect(_ descriptor: Int32, port: UInt16) -> Bool {
        withAddress(port) { Glibc.connect(descriptor, $0, $1) } == 0 || errno == EINPROGRESS
    }

    /// Two ends of a line within this machine, closed in children.
    static func pair(isBlocking: Bool) -> (read: Int32, write: Int32)? {
        var ends: [Int32] = [0, 0]
        let manner = Int32(SOCK_CLOEXEC.rawValue) | (isBlocking ? 0 : Int32(SOCK_NONBLOCK.rawValue))
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | manner, 0, &ends) == 0 else { return nil }
        return (ends[0], ends[1])
    }

    static func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func withAddress(_ port: UInt16, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
