import Crypto
import Envelope
import Glibc
import Testing

/// An authority with nodes of its own, at a fixed time of day.
struct Mesh {
    static let now = WallTime(milliseconds: 1_795_000_000_000)
    static let afterADay = WallTime(milliseconds: now.milliseconds + 86_400_000)

    let authority: Authority

    init() throws { authority = try Authority(newAt: Self.now, days: 3_650) }

    func context(_ name: String, days: Int = 30) throws -> TLSContext {
        let key = SigningKey()
        let certificate = try authority.issue(
            to: NodeName(name), publicKey: key.verifyingKey, now: Self.now, days: days)
        return try TLSContext(certificate: certificate, key: key, authorities: [authority.certificate])
    }
}

/// Two connected sockets that do not block, closed with the test. A peer that is gone must not end the process.
final class SocketPair {
    private(set) var first: Int32
    private(set) var second: Int32

    init() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw SystemFailure(call: "socketpair", code: errno)
        }
        first = ends[0]
        second = ends[1]
    }

    func closeFirst() {
        close(first)
        first = -1
    }

    func closeSecond() {
        close(second)
        second = -1
    }

    deinit {
        if first >= 0 { close(first) }
        if second >= 0 { close(second) }
    }
}

/// What lies in the socket, up to `limit` bytes; nil where there is nothing, now or ever.
func receive(_ socket: Int32, limit: Int = 65_536) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: limit)
    let count = recv(socket, &buffer, limit, 0)
    return count > 0 ? Array(buffer[..<count]) : nil
}

func transmit(_ bytes: [UInt8], to socket: Int32) throws {
    guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
        throw SystemFailure(call: "send", code: errno)
    }
}

/// Two sessions over one pair of sockets.
final class Conversation {
    let sockets: SocketPair
    let client: TLSSession
    let server: TLSSession

    init(
        _ client: TLSContext, _ server: TLSContext, clientTime: WallTime = Mesh.now, serverTime: WallTime = Mesh.now
    ) throws {
        sockets = try SocketPair()
        self.client = TLSSession(client, socket: sockets.first, side: .client, at: clientTime)
        self.server = TLSSession(server, socket: sockets.second, side: .server, at: serverTime)
    }

    /// Lets both sides go on in turn until neither waits.
    func handshake() -> (client: TLSProgress, server: TLSProgress) {
        var ends: (client: TLSProgress, server: TLSProgress) = (.wantsRead, .wantsRead)
        for _ in 0..<20 {
            if ends.client.isWaiting { ends.client = client.handshake() }
            if ends.server.isWaiting { ends.server = server.handshake() }
            if !ends.client.isWaiting && !ends.server.isWaiting { break }
        }
        return ends
    }
}

extension TLSProgress {
    var isWaiting: Bool { self == .wantsRead || self == .wantsWrite }

    var failure: String? {
        guard case .failed(let text) = self else { return nil }
        return text
    }
}

extension TLSTransfer {
    var failure: String? {
        guard case .failed(let text) = self else { return nil }
        return text
    }
}

extension TLSSession {
    func read(upTo count: Int) -> (outcome: TLSTransfer, bytes: [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: count)
        let outcome = buffer.withUnsafeMutableBytes { read(into: $0) }
        guard case .bytes(let read) = outcome else { return (outcome, []) }
        return (outcome, Array(buffer[..<read]))
    }

    func write(_ bytes: ArraySlice<UInt8>) -> TLSTransfer {
        bytes.withUnsafeBytes { write($0) }
    }
}
