import Glibc
import Node

/// A bound, listening TCP port of a numeric address.
struct ListeningPort {
    let descriptor: Int32

    init(_ address: NodeConfiguration.Address) throws(ServerError) {
        let name = "\(address)"
        let isLong = address.host.contains(":")
        descriptor = socket(isLong ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ServerError.last("socket", name) }
        do throws(ServerError) {
            // A port that a process before this one has just left is free.
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            let bound = isLong ? Self.bindLong(descriptor, address) : Self.bindShort(descriptor, address)
            guard bound == 0 else { throw ServerError.last("bind", name) }
            guard listen(descriptor, 64) == 0 else { throw ServerError.last("listen", name) }
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func bindShort(_ descriptor: Int32, _ address: NodeConfiguration.Address) -> Int32 {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = address.port.bigEndian
        guard inet_pton(AF_INET, address.host, &place.sin_addr) == 1 else { return invalid }
        return withUnsafeBytes(of: &place) {
            bind(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    private static func bindLong(_ descriptor: Int32, _ address: NodeConfiguration.Address) -> Int32 {
        var place = sockaddr_in6()
        place.sin6_family = sa_family_t(AF_INET6)
        place.sin6_port = address.port.bigEndian
        guard inet_pton(AF_INET6, address.host, &place.sin6_addr) == 1 else { return invalid }
        return withUnsafeBytes(of: &place) {
            bind(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    /// What `bind` says of an address that is none.
    private static var invalid: Int32 {
        errno = EINVAL
        return -1
    }
}
