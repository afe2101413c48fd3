import Glibc
import Synchronization

/// Free ports of the loopback interface. Each is given out once in a test process; between this and the daemon's
/// listening anybody could take it, which the system makes unlikely by giving them out in turn.
enum Ports {
    private static let given = Mutex<Set<UInt16>>([])

    static func free() throws -> UInt16 {
        for _ in 0..<100 {
            let descriptor = try bound()
            defer { close(descriptor) }
            let port = try port(of: descriptor)
            if given.withLock({ $0.insert(port).inserted }) { return port }
        }
        throw SystemFailure(text: "no free port on the loopback interface")
    }

    /// A socket bound to a port that the system has chosen, on the loopback interface.
    static func bound(to port: UInt16 = 0) throws -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw SystemFailure("socket") }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let result = withAddress(port) { bind(descriptor, $0, $1) }
        guard result == 0 else {
            let failure = SystemFailure("bind 127.0.0.1:\(port)")
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    static func port(of descriptor: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { throw SystemFailure("getsockname") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// A blocking connection to a port of the loopback interface.
    static func connect(to port: UInt16) throws -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw SystemFailure("socket") }
        let result = withAddress(port) { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 else {
            let failure = SystemFailure("connect 127.0.0.1:\(port)")
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func withAddress<Result>(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
