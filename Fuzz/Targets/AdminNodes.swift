import Admin
import Agent
import Connectors
import Crypto
import Envelope
import Glibc
import Keyring
import Platform
import Relay
import Synchronization

@testable import Node

/// A relay and an agent of this process, whole but for links that nobody answers, and their answers to admin requests.
///
/// They live as long as the process: stores and sockets lie in a directory of their own that goes with it.
final class AdminNodes: Sendable {
    typealias Handler = @Sendable (AdminRequest) -> AdminResponse

    static let shared = AdminNodes()

    /// With whom the agent shares a key.
    static let peer = Sample.peer

    let relay: Handler
    let agent: Handler
    /// Where the agent keeps the messages that wait to be fetched.
    let messages: String
    /// A file of the agent beside them.
    let grant: String
    private let threads: [ReactorThread]

    private init() {
        do {
            let directory = try ProcessDirectory.make("nodes")
            messages = directory + "/agent/mailbox/messages"
            grant = directory + "/agent/keys.grant"
            let authority = try Authority(newAt: Clock.wall, days: 30)
            let relay = try Self.start(Self.relayFile, in: directory + "/relay", authority) { try RelayService($0) }
            let keys = Sample.record(at: Clock.wall).grant(to: Sample.here, for: [Self.peer])
            try Files.createDirectory(directory + "/agent")
            try Files.replace(grant, with: keys.file)
            let agent = try Self.start(Self.agentFile, in: directory + "/agent", authority) {
                try AgentService($0, connectors: RegisteredConnectors())
            }
            (self.relay, self.agent, threads) = (relay.handler, agent.handler, [relay.thread, agent.thread])
        } catch {
            fatalError("a relay and an agent start: \(error)")
        }
    }

    private static let relayFile = """
        node: plant-b/relay
        role: relay
        identity: {certificate: unused, key: unused, authority: unused}
        links: [{peer: dmz/relay, dial: {host: 127.0.0.1, port: 1}}]
        flows: [{name: rows, from: [plant-a/*], to: [plant-b/*]}]
        store: {directory: store, maxBytes: 128MiB, segmentBytes: 32MiB}

        """

    private static let agentFile = """
        node: plant-b/agent
        role: agent
        identity: {certificate: unused, key: unused, authority: unused}
        links:
          - {peer: plant-b/relay, dial: {host: 127.0.0.1, port: 1}}
          - {peer: dmz/relay, dial: {host: 127.0.0.1, port: 2}}
        jobs: [{name: yearly, to: plant-a/agent, schedule: {cron: "@yearly"}, source: {kind: synthetic}}]
        store: {directory: ., maxBytes: 128MiB, segmentBytes: 32MiB}
        keys: keys.grant

        """

    private static func start(
        _ file: String, in directory: String, _ authority: Authority,
        _ make: @escaping @Sendable (DaemonStart) throws -> any DaemonService
    ) throws -> (thread: ReactorThread, handler: Handler) {
        try Files.createDirectory(directory)
        let configuration = try NodeConfiguration.decode(
            Array(file.utf8), file: directory + "/node.yaml", environment: YAMLEnvironment([:]))
        let key = SigningKey()
        let certificate = try authority.issue(
            to: configuration.node, publicKey: key.verifyingKey, now: Clock.wall, days: 30)
        let identity = NodeIdentity(
            name: configuration.node, id: NodeID(of: configuration.node),
            context: try TLSContext(certificate: certificate, key: key, authorities: [authority.certificate]), key: key)
        let endpoint = CapturedEndpoint()
        let (thread, service) = try ReactorThread.start(name: "fuzzed") { reactor in
            let service = try make(
                DaemonStart(
                    reactor: reactor, configuration: configuration, identity: identity, log: Log(level: .error),
                    admin: endpoint))
            try service.start()
            return reactor.bind(service)
        }
        // Only the reactor's own box holds a service; this one lives in the handler.
        return (thread, { request in withExtendedLifetime(service) { endpoint.answer(request) } })
    }
}

/// Takes the place of the HTTP server: hands out what a node would have it call.
private final class CapturedEndpoint: AdminEndpoint {
    private let handler = Mutex<AdminNodes.Handler?>(nil)

    func start(socket path: String, handler: @escaping AdminNodes.Handler) throws {
        self.handler.withLock { $0 = handler }
    }

    func startMetrics(at address: NodeConfiguration.Address, handler: @escaping AdminNodes.Handler) throws {}

    func stop() {}

    func answer(_ request: AdminRequest) -> AdminResponse {
        guard let handler = handler.withLock({ $0 }) else { fatalError("a node that has started serves its socket") }
        return handler(request)
    }
}

/// A directory that goes with the process where that ends by itself.
enum ProcessDirectory {
    private static let made = Mutex<[String]>([])

    /// - Parameter purpose: a word in its name.
    static func make(_ purpose: String) throws(SystemCallFailed) -> String {
        // In memory where there is such a place: how long a disk takes is none of the targets' business.
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/gridrelay-fuzz-\(purpose)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallFailed(call: "mkdtemp", number: errno) }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        made.withLock { made in
            if made.isEmpty { atexit { ProcessDirectory.removeAll() } }
            made.append(path)
        }
        return path
    }

    private static func removeAll() {
        for path in made.withLock({ $0 }) { remove(path) }
    }

    static func remove(_ path: String) {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            if unlink(path + "/" + name) != 0 { remove(path + "/" + name) }
        }
        closedir(directory)
        rmdir(path)
    }

    struct SystemCallFailed: Error, CustomStringConvertible {
        var call: String
        var number: Int32
        var description: String { "\(call): \(String(cString: strerror(number)))" }
    }
}
