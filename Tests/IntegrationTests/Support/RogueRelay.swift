import Crypto
import Envelope
import Glibc
import Link
import Platform
import Synchronization

/// A relay in the hands of an attacker: it has a relay's certificate and speaks the link, and sends on whatever the
/// test wants of what it gets. It listens in the place of the real relay.
final class RogueRelay: Sendable {
    /// What becomes of an envelope on its way; called on the rogue's thread.
    typealias Meddling = @Sendable (_ envelope: [UInt8], _ from: NodeName) -> [(envelope: [UInt8], to: NodeName)]

    struct State {
        var meddling: Meddling = { _, _ in [] }
        var toSend: [(envelope: [UInt8], to: NodeName)] = []
        var received: [(envelope: [UInt8], from: NodeName)] = []
        /// Envelopes that peers have taken into custody, and that they refused.
        var confirmed = 0
        var refused = 0
        var peers: Set<NodeName> = []
        var isStopped = false
    }

    /// What the test's thread and the rogue's share.
    final class Shared: Sendable {
        private let state = Mutex(State())
        func withLock<Result: Sendable>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }
    }

    private let shared = Shared()

    /// - Parameters:
    ///   - name: whose place it takes.
    ///   - directory: where that node's identity lies.
    init(as name: NodeName, directory: String, port: UInt16) throws {
        signal(SIGPIPE, SIG_IGN)
        let context = try Identity.context(directory)
        let listening = try Ports.bound(to: port)
        guard listen(listening, 16) == 0 else { throw SystemFailure("listen") }
        try Threads.run { [shared] in
            var loop = RogueLoop(name: name, context: context, listening: listening, shared: shared)
            loop.run()
        }
    }

    deinit { stop() }

    func stop() { shared.withLock { $0.isStopped = true } }

    func meddle(_ meddling: @escaping Meddling) { shared.withLock { $0.meddling = meddling } }
    func send(_ envelope: [UInt8], to peer: NodeName) { shared.withLock { $0.toSend.append((envelope, peer)) } }

    var confirmed: Int { shared.withLock { $0.confirmed } }
    var refused: Int { shared.withLock { $0.refused } }
    var received: [(envelope: [UInt8], from: NodeName)] { shared.withLock { Envelopes($0.received) }.list }

    func isJoined(by peer: NodeName) -> Bool { shared.withLock { $0.peers.contains(peer) } }

    /// Tuples are not Sendable as a generic result.
    private struct Envelopes: Sendable {
        let list: [(envelope: [UInt8], from: NodeName)]
        init(_ list: [(envelope: [UInt8], from: NodeName)]) { self.list = list }
    }
}

/// A thread of the test's own.
enum Threads {
    static func run(_ body: @escaping @Sendable () -> Void) throws {
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw SystemFailure("pthread_create", code)
        }
        pthread_detach(thread)
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// Identities that lie in a rendered mesh.
enum Identity {
    static func context(_ directory: String) throws -> TLSContext {
        try TLSContext(
            certificate: NodeCertificate(pem: file(directory, "certificate.pem")),
            key: SigningKey(pem: file(directory, "key.pem")),
            authorities: AuthorityCertificate.all(inPEM: file(directory, "authority.pem")))
    }

    /// A certificate of the mesh for any name.
    static func context(issuedTo name: String, by mesh: String) throws -> TLSContext {
        let authority = try Authority(
            certificatePEM: file(mesh + "/authority", "authority.pem"),
            keyPEM: file(mesh + "/authority", "authority-key.pem"))
        return try context(name, authority, trusting: authority.certificate)
    }

    /// A certificate that another authority has signed.
    static func foreignContext(_ name: String, trusting directory: String) throws -> TLSContext {
        let authority = try Authority(newAt: Clock.wall, days: 2)
        let trusted = try AuthorityCertificate.all(inPEM: file(directory, "authority.pem"))
        return try context(name, authority, trusting: trusted[0])
    }

    private static func context(
        _ name: String, _ authority: Authority, trusting trusted: AuthorityCertificate
    ) throws -> TLSContext {
        let key = SigningKey()
        let certificate = try authority.issue(
            to: NodeName(name), publicKey: key.verifyingKey, now: Clock.wall, days: 1)
        return try TLSContext(
            certificate: certificate, key: key, authorities: [authority.certificate, trusted])
    }

    static func file(_ directory: String, _ name: String) throws -> [UInt8] {
        guard let bytes = TemporaryDirectory.contents(directory + "/" + name) else {
            throw SystemFailure(text: "\(directory)/\(name) cannot be read")
        }
        return bytes
    }
}
