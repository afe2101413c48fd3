import CUV
import Glibc

/// Tells systemd (or whoever set NOTIFY_SOCKET) how the service is doing; see sd_notify(3).
public enum ServiceManager {
    public enum State: Equatable, Sendable {
        case ready
        case reloading
        case stopping
        /// One line for `systemctl status`.
        case status(String)

        var message: String {
            switch self {
            case .ready: "READY=1"
            case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(Self.microseconds)"
            case .stopping: "STOPPING=1"
            case .status(let text): "STATUS=" + String(text.map { $0.isNewline ? " " : $0 })
            }
        }

        private static var microseconds: Int64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        }
    }

    /// - Returns: false where nobody asked to be told, or the message could not be sent.
    @discardableResult
    public static func notify(_ state: State) -> Bool {
        guard let path = getenv("NOTIFY_SOCKET") else { return false }
        return send(state.message, to: String(cString: path))
    }

    /// - Parameter path: a Unix socket's path, or `@name` for an abstract one.
    static func send(_ message: String, to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        let isAbstract = name.first == UInt8(ascii: "@")
        guard isAbstract || name.first == UInt8(ascii: "/") else { return false }
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        if isAbstract { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + name.count + (isAbstract ? 0 : 1)
        let descriptor = cuv_unix_datagram()
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, socklen_t(length))
            }
        }
        return sent == bytes.count
    }
}
