import Crypto
import Glibc

/// Somebody who knocks at a relay's port, with or without TLS, and says what the test wants. Blocks for short times.
final class Stranger {
    private let socket: Int32
    private var tls: TLSSession?

    init(port: UInt16) throws {
        signal(SIGPIPE, SIG_IGN)
        socket = try Ports.connect(to: port)
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
    }

    deinit { close(socket) }

    /// - Throws: where the handshake fails at this end.
    func handshake(_ context: TLSContext, within limit: Duration = .seconds(5)) throws {
        let session = TLSSession(context, socket: socket, side: .client)
        let end = ContinuousClock.now + limit
        while true {
            switch session.handshake() {
            case .done:
                tls = session
                return
            case .failed(let text): throw SystemFailure(text: text)
            case .wantsRead, .wantsWrite: wait()
            }
            guard ContinuousClock.now < end else { throw SystemFailure(text: "the handshake takes too long") }
        }
    }

    /// Sends as much as goes, inside TLS after a handshake.
    func say(_ bytes: [UInt8]) {
        if let tls {
            _ = bytes.withUnsafeBytes { tls.write($0) }
            _ = tls.flush()
        } else {
            _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// Reads until the other end closes. False where it still stands after `limit`.
    func isClosed(within limit: Duration) -> Bool {
        let end = ContinuousClock.now + limit
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while ContinuousClock.now < end {
            if let tls {
                switch buffer.withUnsafeMutableBytes({ tls.read(into: $0) }) {
                case .bytes: continue
                case .wantsRead, .wantsWrite: wait()
                default: return true
                }
            } else {
                let count = recv(socket, &buffer, buffer.count, 0)
                if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return true }
                if count < 0 { wait() }
            }
        }
        return false
    }

    private func wait() {
        var polled = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        _ = poll(&polled, 1, 20)
    }
}
