import CUV
import Glibc

/// An IPv4 or IPv6 address with a port. An IPv4 address that came in through an IPv6 socket is kept as IPv4.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes in network order.
    public let bytes: [UInt8]
    public let port: UInt16
    /// The interface of a link-local IPv6 address; 0 for every other.
    let scope: UInt32

    var isIPv6: Bool { bytes.count == 16 }
    var family: Int32 { isIPv6 ? AF_INET6 : AF_INET }

    /// `127.0.0.1:443` or `[::1]:443`.
    public var description: String {
        isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The address without the port.
    public var host: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            guard let base = text.baseAddress,
                bytes.withUnsafeBytes({ inet_ntop(family, $0.baseAddress, base, socklen_t(text.count)) }) != nil
            else { return "?" }
            return String(cString: base)
        }
    }

    /// What one source counts as: an IPv4 address, or the 64-bit network of an IPv6 address, since whoever has
    /// one address of such a network has them all.
    var source: [UInt8] { isIPv6 && !isLoopback ? Array(bytes.prefix(8)) : bytes }

    private var isLoopback: Bool { bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 }
}

extension SocketAddress {
    /// nil for a family that is neither IPv4 nor IPv6.
    init?(_ address: UnsafePointer<sockaddr>?) {
        guard let address else { return nil }
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            let inet = raw.loadUnaligned(as: sockaddr_in.self)
            bytes = withUnsafeBytes(of: inet.sin_addr) { Array($0) }
            port = UInt16(bigEndian: inet.sin_port)
            scope = 0
        case AF_INET6:
            let inet = raw.loadUnaligned(as: sockaddr_in6.self)
            let all = withUnsafeBytes(of: inet.sin6_addr) { Array($0) }
            let isMapped = all.prefix(10).allSatisfy { $0 == 0 } && all[10] == 255 && all[11] == 255
            bytes = isMapped ? Array(all.suffix(4)) : all
            port = UInt16(bigEndian: inet.sin6_port)
            scope = isMapped ? 0 : inet.sin6_scope_id
        default:
            return nil
        }
    }

    /// Reads an address in figures; nil for anything else, such as a name or an address with an interface.
    init?(figures host: String, port: UInt16) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, host, &bytes) == 1 {
            bytes.removeLast(12)
        } else if inet_pton(AF_INET6, host, &bytes) != 1 {
            return nil
        }
        self.bytes = bytes
        self.port = port
        scope = 0
    }

    /// The address as the system calls want it.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        return withUnsafeMutableBytes(of: &storage) { raw in
            let length: Int
            if isIPv6 {
                var inet = sockaddr_in6()
                inet.sin6_family = sa_family_t(AF_INET6)
                inet.sin6_port = port.bigEndian
                inet.sin6_scope_id = scope
                withUnsafeMutableBytes(of: &inet.sin6_addr) { $0.copyBytes(from: bytes) }
                raw.storeBytes(of: inet, as: sockaddr_in6.self)
                length = MemoryLayout<sockaddr_in6>.size
            } else {
                var inet = sockaddr_in()
                inet.sin_family = sa_family_t(AF_INET)
                inet.sin_port = port.bigEndian
                withUnsafeMutableBytes(of: &inet.sin_addr) { $0.copyBytes(from: bytes) }
                raw.storeBytes(of: inet, as: sockaddr_in.self)
                length = MemoryLayout<sockaddr_in>.size
            }
            return raw.withMemoryRebound(to: sockaddr.self) { bound in
                body(UnsafePointer(bound.baseAddress.unsafelyUnwrapped), socklen_t(length))
            }
        }
    }

    static func local(of descriptor: Int32) -> SocketAddress? {
        withStorage { getsockname(descriptor, $0, $1) }.address
    }

    static func remote(of descriptor: Int32) -> SocketAddress? {
        withStorage { getpeername(descriptor, $0, $1) }.address
    }

    /// Lets a system call write an address and reads it.
    static func withStorage(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> (status: Int32, address: SocketAddress?) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { raw in
            raw.withMemoryRebound(to: sockaddr.self) { bound in
                guard let base = bound.baseAddress else { return (-1, nil) }
                let status = call(base, &length)
                return (status, status < 0 ? nil : SocketAddress(base))
            }
        }
    }
}
