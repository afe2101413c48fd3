import Agent
import Connectors
import Crypto
import Envelope
import Glibc
import Keyring
import Platform
import Relay
import Synchronization

@testable import Admin
@testable import Node

/// A relay and an agent of this process, whole, with a link between them and others that nobody answers, and their
/// answers to admin requests.
///
/// They live as long as the process: stores and sockets lie in a directory of their own that goes with it.
final class AdminNodes: Sendable {
    typealias Handler = @Sendable (AdminRequest) -> AdminResponse

    static let shared = AdminNodes()
    /// Asked to stop, and not there yet: nobody waits for them.
    static let stopping = {
        let nodes = AdminNodes()
        for node in nodes.nodes { node.service.post { $0.stop {} } }
        return nodes
    }()
    /// Their threads have ended, and whoever holds their handlers still may ask.
    static let gone = {
        let nodes = AdminNodes()
        for node in nodes.nodes { node.thread.stop() }
        return nodes
    }()

    /// With whom the agent shares a key.
    static let peer = Sample.peer

    let relay: Handler
    let agent: Handler
    /// Where the agent keeps the messages that wait to be fetched.
    let messages: String
    /// A file of the agent beside them.
    let grant: String
    private let nodes: [Running]

    private struct Running: Sendable {
        let thread: ReactorThread
        let service: ReactorBound<any DaemonService>
        let handler: Handler
    }

    private init() {
        do {
            let directory = try ProcessDirectory.make("nodes")
            messages = directory + "/agent/mailbox/messages"
            grant = directory + "/agent/keys.grant"
            let authority = try Authority(newAt: Clock.wall, days: 30)
            let port = try Self.freePort()
            let relay = try Self.start(Self.relayFile(port), in: directory + "/relay", authority) {
                try RelayService($0)
            }
            let keys = Sample.record(at: Clock.wall).grant(to: Sample.here, for: [Self.peer])
            try Files.createDirectory(directory + "/agent")
            try Files.replace(grant, with: keys.file)
            let agent = try Self.start(Self.agentFile(port), in: directory + "/agent", authority) {
                try AgentService($0, connectors: RegisteredConnectors())
            }
            (self.relay, self.agent, nodes) = (relay.handler, agent.handler, [relay, agent])
            awaitLink()
        } catch {
            fatalError("a relay and an agent start: \(error)")
        }
    }

    /// Reports of a link that stands are among the answers.
    private func awaitLink() {
        for _ in 0..<500 {
            let status = EncodedResponse(agent(AdminRequest(method: "GET", path: "/v1/status"))).body
            if decoded(NodeStatus.self, status)?.links.contains(where: { $0.state == .up }) == true { return }
            usleep(10_000)
        }
        require(false, "a relay and an agent find each other")
    }

    /// One that nobody listens at just now.
    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        guard result == 0 else { throw ProcessDirectory.SystemCallFailed(call: "bind", number: errno) }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func relayFile(_ port: UInt16) -> String {
        """
        node: plant-b/relay
        role: relay
        identity: {certificate: unused, key: unused, authority: unused}
        listen: [{host: 127.0.0.1, port: \(port)}]
        links: [{peer: dmz/relay, dial: {host: 127.0.0.1, port: 1}}]
        attach: [plant-b/*]
        flows: [{name: rows, from: [plant-a/*], to: [plant-b/*]}]
        store: {directory: store, maxBytes: 128MiB, segmentBytes: 32MiB}

        """
    }

    private static func agentFile(_ port: UInt16) -> String {
        """
        node: plant-b/agent
        role: agent
        identity: {certificate: unused, key: unused, authority: unused}
        links:
          - {peer: plant-b/relay, dial: {host: 127.0.0.1, port: \(port)}}
          - {peer: plant-b/other, dial: {host: 127.0.0.1, port: 3}}
          - {peer: dmz/relay, dial: {host: 127.0.0.1, port: 2}}
        jobs: [{name: yearly, to: plant-a/agent, schedule: {cron: "@yearly"}, source: {kind: synthetic, count: 3}}]
        store: {directory: ., maxBytes: 128MiB, segmentBytes: 32MiB}
        keys: keys.grant

        """
    }

    private static func start(
        _ file: String, in directory: String, _ authority: Authority,
        _ make: @escaping @Sendable (DaemonStart) throws -> any DaemonService
    ) throws -> Running {
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
        // Only the reactor's own box holds a service, and it lives as long as these.
        return Running(thread: thread, service: service, handler: { endpoint.answer($0) })
    }
}

/// Takes the place of the HTTP server: hands out what a node would have it call.
private final class CapturedEndpoint: AdminEndpoint {
    /// A value of its own: a function alone that is looked at in a generic box is wrapped anew, and put back so, each time.
    private struct Service {
        var handler: AdminNodes.Handler
    }

    private let service = Mutex<Service?>(nil)

    func start(socket path: String, handler: @escaping AdminNodes.Handler) throws {
        service.withLock { $0 = Service(handler: handler) }
    }

    func startMetrics(at address: NodeConfiguration.Address, handler: @escaping AdminNodes.Handler) throws {}

    func stop() {}

    func answer(_ request: AdminRequest) -> AdminResponse {
        guard let service = service.withLock({ $0 }) else { fatalError("a node that has started serves its socket") }
        return service.handler(request)
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
