import CUV
import Glibc

/// The port cannot be had.
public struct ListenError: Error, Equatable, CustomStringConvertible {
    public let host: String
    public let port: UInt16
    public let reason: String

    public var description: String {
        "cannot listen on \(host):\(port): \(reason); is another process using the port, or the address not this machine's?"
    }
}

enum ListeningSocket {
    private static let backlog: Int32 = 512

    /// Opens a socket on the first of the host's addresses that takes it.
    static func open(host: String, port: UInt16) throws(ListenError) -> (Int32, SocketAddress) {
        var reason = "the name has no address"
        for address in try resolve(host: host, port: port) {
            let descriptor = cuv_socket(address.family)
            guard descriptor >= 0 else {
                reason = SystemError.text(errno)
                continue
            }
            if let bound = bind(descriptor, to: address) { return (descriptor, bound) }
            reason = SystemError.text(errno)
            close(descriptor)
        }
        throw ListenError(host: host, port: port, reason: reason)
    }

    private static func bind(_ descriptor: Int32, to address: SocketAddress) -> SocketAddress? {
        Socket.set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if address.isIPv6 {
            // Only the address that stands for all of them also takes IPv4.
            let isAny = address.bytes.allSatisfy { $0 == 0 }
            Socket.set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, isAny ? 0 : 1)
        }
        guard address.withSockaddr({ Glibc.bind(descriptor, $0, $1) }) == 0, listen(descriptor, backlog) == 0 else {
            return nil
        }
        return SocketAddress.local(of: descriptor)
    }

    private static func resolve(host: String, port: UInt16) throws(ListenError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw ListenError(host: host, port: port, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        return SocketAddress.all(in: list)
    }
}

extension SocketAddress {
    /// The addresses of a resolver's answer, each once.
    static func all(in list: UnsafeMutablePointer<addrinfo>?) -> [SocketAddress] {
        var addresses: [SocketAddress] = []
        var entry = list
        while let current = entry {
            if let address = SocketAddress(current.pointee.ai_addr), !addresses.contains(address) {
                addresses.append(address)
            }
            entry = current.pointee.ai_next
        }
        return addresses
    }
}
