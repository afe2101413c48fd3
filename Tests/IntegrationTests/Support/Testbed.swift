import Admin
import Glibc
import Node
import Synchronization

/// A mesh of real processes in a directory of its own. What still runs is killed and reaped with it.
final class Testbed: Sendable {
    let place: TemporaryDirectory
    private let layout: Mutex<Layout>
    private let processes = Mutex<[String: ChildProcess]>([:])
    private let networks = Mutex<[String: String]>([:])

    private init(_ place: TemporaryDirectory, _ layout: Layout) {
        self.place = place
        self.layout = Mutex(layout)
    }

    /// Writes the topology and lets relayctl make every node's directory.
    static func make(_ layout: Layout, in place: TemporaryDirectory) async throws -> Testbed {
        let bed = Testbed(place, layout)
        try await bed.render(layout)
        return bed
    }

    /// Renders again, after a change.
    func render(_ layout: Layout) async throws {
        self.layout.withLock { $0 = layout }
        try place.write(layout.text, to: "topology.yaml")
        try await mustRun([
            Program.relayctl.path, "config", "render", "--topology", place.path("topology.yaml"), "--out",
            place.path("mesh"),
        ])
    }

    var names: [String] { layout.withLock { $0.nodes.map(\.name) } }

    func port(of name: String) throws -> UInt16 {
        guard let node = layout.withLock({ $0[name] }) else { throw SystemFailure(text: "no node \(name)") }
        return node.port
    }

    /// The node's own directory.
    func directory(of name: String) -> String {
        place.path("mesh/" + name.map { $0 == "/" ? "-" : String($0) }.joined())
    }

    func configuration(of name: String) -> String { directory(of: name) + "/node.yaml" }
    func log(of name: String) -> String { String(decoding: logBytes(of: name), as: UTF8.self) }
    func logBytes(of name: String) -> [UInt8] { TemporaryDirectory.contents(directory(of: name) + ".log") ?? [] }

    /// Lines of a node's log that tell of an event.
    func lines(_ event: String, of name: String) -> [String] {
        log(of: name).split(separator: "\n").map(String.init).filter { $0.contains(" \(event): ") }
    }

    // MARK: Processes

    /// Runs a node in a network namespace from its next start on.
    func place(_ name: String, inNetwork network: String) { networks.withLock { $0[name] = network } }

    func start(_ name: String) throws {
        guard let node = layout.withLock({ $0[name] }) else { throw SystemFailure(text: "no node \(name)") }
        let program: Program = node.isRelay ? .relayd : .agentd
        let network = networks.withLock { $0[name] }.map { ["ip", "netns", "exec", $0] } ?? []
        let process = try ChildProcess(
            network + [try program.path, "--config", configuration(of: name)], output: directory(of: name) + ".log",
            directory: directory(of: name))
        processes.withLock { $0[name] = process }
    }

    /// Starts all nodes that do not run yet and waits until they answer.
    func startAll() async throws {
        let names = names.filter { process($0)?.isRunning != true }
        for name in names { try start(name) }
        for name in names { try await awaitUp(name) }
    }

    func process(_ name: String) -> ChildProcess? { processes.withLock { $0[name] } }

    func awaitUp(_ name: String, within limit: Duration = .seconds(30)) async throws {
        try await eventually("\(name) answers", within: limit, detail: self.tail(of: name)) {
            guard let process = self.process(name) else { return false }
            if let end = process.end { throw SystemFailure(text: "\(name) has ended: \(end)") }
            return try self.client(name).status().pid == process.pid
        }
    }

    /// As a power cut would do to the process: no last words.
    func kill(_ name: String) {
        process(name)?.kill()
        processes.withLock { _ = $0.removeValue(forKey: name) }
    }

    /// Asks it to stop and waits until it has.
    func stop(_ name: String, within limit: Duration = .seconds(30)) async throws -> Ending {
        guard let process = process(name) else { throw SystemFailure(text: "\(name) does not run") }
        process.send(SIGTERM)
        try await eventually("\(name) stops", within: limit, detail: self.tail(of: name)) { !process.isRunning }
        processes.withLock { _ = $0.removeValue(forKey: name) }
        return process.end ?? .signal(0)
    }

    func client(_ name: String) -> Client {
        Client(socket: directory(of: name) + "/admin.sock", timeout: .seconds(5))
    }

    func status(_ name: String) throws -> NodeStatus { try client(name).status() }

    func awaitLink(_ from: String, _ to: String, state: LinkReport.State = .up, within limit: Duration = .seconds(30))
        async throws
    {
        try await eventually(
            "link \(from) to \(to) is \(state.rawValue)", within: limit, detail: self.tail(of: from)
        ) {
            try self.status(from).links.contains { Set([$0.from, $0.to]) == [from, to] && $0.state == state }
        }
    }

    /// The last lines of a node's log.
    func tail(of name: String, lines: Int = 15) -> String {
        let all = log(of: name).split(separator: "\n")
        return "--- \(name)\n" + all.suffix(lines).joined(separator: "\n")
    }

    var tails: String { names.map { tail(of: $0) }.joined(separator: "\n") }

    /// Waits until a file has what it should have. Tells how far it came where it does not.
    func awaitFile(_ name: String, is wanted: [UInt8], within limit: Duration = .seconds(60)) async throws {
        try await eventually(
            "\(name) has \(wanted.count) bytes", within: limit,
            detail: "it has \(self.place.read(name)?.count ?? -1)\n\(self.tails)"
        ) {
            self.place.read(name).map { $0.count >= wanted.count } ?? false
        }
        let found = place.read(name) ?? []
        guard digest(found) == digest(wanted) else {
            throw SystemFailure(
                text: "\(name) differs: \(found.count) bytes, \(wanted.count) wanted, from byte "
                    + "\(zip(found, wanted).enumerated().first { $1.0 != $1.1 }?.offset ?? min(found.count, wanted.count))"
            )
        }
    }
}
