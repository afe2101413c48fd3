import Crypto
import Envelope
import Glibc
import Testing

@testable import Platform

/// A reactor on the test's own thread: the test sets the scene, the loop plays it until somebody calls `stop()`.
/// A scene that does not end within the limit fails.
func play(
    within limit: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation,
    _ scene: (Reactor) throws -> Void
) throws {
    let reactor = try Reactor()
    defer { reactor.shutDown() }
    try scene(reactor)
    var isLate = false
    let end = reactor.schedule(after: limit) {
        isLate = true
        reactor.stop()
    }
    reactor.run()
    reactor.cancel(end)
    #expect(!isLate, "the scene did not end in time", sourceLocation: sourceLocation)
}

/// Identities of one mesh, and of a stranger that calls itself the same.
enum Identities {
    static let relay = context("dmz/relay", authority)
    static let agent = context("plant-a/agent", authority)
    static let stranger = context("plant-a/agent", otherAuthority)

    private static let now = Clock.wall
    private static let authority = Result { try Authority(newAt: now, days: 2) }
    private static let otherAuthority = Result { try Authority(newAt: now, days: 2) }

    private static func context(_ name: String, _ authority: Result<Authority, any Error>) -> TLSContext {
        do {
            let authority = try authority.get()
            let key = SigningKey()
            let certificate = try authority.issue(
                to: NodeName(name), publicKey: key.verifyingKey, now: now, days: 1)
            return try TLSContext(certificate: certificate, key: key, authorities: [authority.certificate])
        } catch {
            fatalError("no identity for the tests: \(error)")
        }
    }
}

/// An owner that does what the test tells it.
final class Player: ChannelOwner {
    var opened: (Channel) -> Void = { _ in }
    var readable: (Channel) -> Void = { channel in
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { _ = channel.read(into: $0) }
    }
    var writable: (Channel) -> Void = { _ in }
    var closed: (Channel, CloseReason) -> Void = { _, _ in }
    private(set) var reasons: [CloseReason] = []

    func channelOpened(_ channel: Channel) { opened(channel) }
    func channelReadable(_ channel: Channel) { readable(channel) }
    func channelWritable(_ channel: Channel) { writable(channel) }
    func channelClosed(_ channel: Channel, reason: CloseReason) {
        reasons.append(reason)
        closed(channel, reason)
    }
}

extension Channel {
    /// Reads all there is for now.
    func readAll() -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let part = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
                count = read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if part.isEmpty { return all }
            all += part
        }
    }

    /// For messages that surely fit.
    func say(_ text: String) {
        let bytes = Array(text.utf8)
        let taken = bytes.withUnsafeBytes { write($0) }
        #expect(taken == bytes.count)
    }
}

extension Reactor {
    /// A listener on a loopback port of the system's choice.
    func listen(
        host: String = "127.0.0.1", limits: AdmissionLimits = AdmissionLimits(handshakeTimeout: .seconds(30)),
        refused: @escaping (RefusalReason, SocketAddress?) -> Void = { _, _ in },
        accept: @escaping (Channel) -> Void
    ) throws -> Listener {
        try Listener(
            self, host: host, port: 0, context: Identities.relay, limits: limits, accept: accept, refused: refused)
    }

    @discardableResult
    func dial(_ port: UInt16, as context: TLSContext = Identities.agent, _ owner: any ChannelOwner) -> Channel {
        Dialer(self).dial(
            host: "127.0.0.1", port: port, context: context, timeout: .seconds(30), handshakeTimeout: .seconds(30),
            owner: owner)
    }
}

/// A plain TCP connection, as somebody without TLS would make it.
final class Stranger {
    let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
    }

    deinit { close(descriptor) }

    func say(_ bytes: [UInt8]) {
        #expect(send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }
}

/// A scene with threads that carry channels for its reactor.
func play(
    carriers count: Int, sourceLocation: SourceLocation = #_sourceLocation,
    _ scene: (Reactor, Carriers) throws -> Void
) throws {
    var carriers: Carriers?
    try play(sourceLocation: sourceLocation) { reactor in
        let made = try Carriers(reactor, count: count)
        carriers = made
        try scene(reactor, made)
    }
    carriers?.stop()
}

/// The same with or without threads that carry: what holds of a channel holds of both kinds.
func play(
    threads count: Int, sourceLocation: SourceLocation = #_sourceLocation,
    _ scene: (Reactor, Carriers?) throws -> Void
) throws {
    guard count > 0 else { return try play(sourceLocation: sourceLocation) { try scene($0, nil) } }
    try play(carriers: count, sourceLocation: sourceLocation) { try scene($0, $1) }
}

extension Process {
    /// Of the own process.
    static var residentBytes: Int {
        let descriptor = open("/proc/self/statm", O_RDONLY)
        defer { close(descriptor) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = read(descriptor, &text, text.count)
        let words = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * 4096
    }
}
