import Admin
import Envelope
import Glibc
import Node

/// The nodes of a demo: makes what they need, starts them, waits for them, ends them.
struct DemoMesh: Sendable {
    struct Member: Sendable {
        var name: String
        var isRelay: Bool
        var configuration: String
        var directory: String
        var client: Client
        var log: String
    }

    let place: DemoPlace
    let topology: TopologyFile
    /// Relays first, as they are started.
    let members: [Member]

    /// Reads the demo's topology; makes nothing.
    init(_ place: DemoPlace) throws(Failure) {
        self.place = place
        topology = try DemoTopology.load(place)
        let layouts: [TopologyLayout]
        do { layouts = try topology.layout(in: place.mesh) } catch {
            throw Failure(
                "\(place.root) is too long a path for the nodes' sockets", hint: "choose a shorter one with --dir")
        }
        let (file, logs) = (topology, place.logs)
        let all = layouts.map { layout in
            let label = layout.directory.split(separator: "/").last.map(String.init) ?? "node"
            return Member(
                name: layout.node.description, isRelay: file[layout.node]?.role == .relay,
                configuration: layout.configuration, directory: layout.directory,
                client: Client(socket: layout.adminSocket, timeout: .seconds(5)), log: "\(logs)/\(label).log")
        }
        members = all.filter(\.isRelay) + all.filter { !$0.isRelay }
    }

    subscript(name: String) -> Member {
        get throws(Failure) {
            guard let member = members.first(where: { $0.name == name }) else {
                throw Failure("the demo's topology has no node \(name)", hint: "restore topology/plant-dmz-plant.yaml")
            }
            return member
        }
    }

    /// Makes certificates, keys, configurations, and room for what the nodes write.
    func render(now: WallTime) throws(Failure) {
        for directory in [place.output, place.logs, place.processes] { try LocalFile.makeDirectory(directory) }
        var directory = try MeshDirectory(place.mesh, topology, now: now)
        for node in topology.nodes { try directory.prepare(node.name) }
    }

    /// - Returns: the process's number.
    func start(_ member: Member, from sources: DemoSources) throws(Failure) -> pid_t {
        let program = member.isRelay ? sources.relayd : sources.agentd
        let identifier = try Spawn.daemon(
            program, ["--config", member.configuration], extra: ["GRIDRELAY_DEMO": place.root], log: member.log)
        try LocalFile.write(
            Array("\(identifier)\n".utf8), to: processFile(of: member), mode: 0o600, replaces: true)
        return identifier
    }

    /// For people and scripts; the demo itself looks at the processes there are.
    private func processFile(of member: Member) -> String {
        let label = member.directory.split(separator: "/").last ?? "node"
        return "\(place.processes)/\(label).pid"
    }

    /// Starts all and waits until they are ready and joined.
    /// - Parameter told: is called with each node that is ready.
    func startAll(from sources: DemoSources, told: (Member, pid_t) -> Void) throws(Failure) {
        var started: [(Member, pid_t)] = []
        for member in members { started.append((member, try start(member, from: sources))) }
        for (member, identifier) in started {
            try awaitReadiness(of: member, identifier, patience: .seconds(20))
            told(member, identifier)
        }
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(30)
        while try !areLinksUp() {
            for (member, identifier) in started where !isAlive(identifier) { throw died(member) }
            guard clock.now < deadline else {
                throw Failure("the links are not up after 30 s", hint: "the logs are in \(place.logs)")
            }
            try Interrupt.pause(.milliseconds(50))
        }
    }

    /// Of a child of this process.
    private func isAlive(_ identifier: pid_t) -> Bool {
        var status: Int32 = 0
        return waitpid(identifier, &status, WNOHANG) == 0
    }

    /// Waits until a node says that it is ready.
    /// - Throws: ``Failure`` with the end of its log where it dies, or takes longer than the patience.
    func awaitReadiness(of member: Member, _ identifier: pid_t, patience: Duration) throws(Failure) {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while true {
            guard isAlive(identifier) else { throw died(member) }
            if (try? member.client.answer(to: AdminRequest(method: "GET", path: "/readyz"))) != nil { return }
            guard clock.now < deadline else {
                let logged = logEnd(member)
                throw Failure(
                    lines: ["\(member.name) is not ready after \(Quantity.age(seconds: patience / .seconds(1)))"]
                        + logged, hint: nil, code: .failed)
            }
            try Interrupt.pause(.milliseconds(50))
        }
    }

    func died(_ member: Member) -> Failure {
        Failure(
            lines: ["\(member.name) has ended; its log \(member.log) ends with"] + logEnd(member), hint: nil,
            code: .failed)
    }

    private func logEnd(_ member: Member) -> [String] {
        guard let bytes = try? LocalFile.read(member.log, limit: 64 << 20) else { return ["  (no log)"] }
        return String(decoding: bytes.suffix(8 << 10), as: UTF8.self).split(separator: "\n").suffix(10).map {
            "  " + $0
        }
    }

    var living: [MeshProcess] { MeshProcess.living(below: place.mesh) }

    /// Ends agents first, so that what they have still finds its relay.
    func end() { Self.end(in: place) }

    static func end(in place: DemoPlace) {
        let living = MeshProcess.living(below: place.mesh)
        let agents = living.filter(\.isAgent)
        MeshProcess.end(agents, patience: .seconds(10))
        MeshProcess.end(living.filter { !$0.isAgent }, patience: .seconds(10))
    }
}
