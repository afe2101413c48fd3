import Admin
import Node

/// `relayctl demo status`
enum DemoStatus {
    static let command = Command(
        name: ["demo", "status"],
        summary: "show a demo's processes, the rows read and delivered, and its links",
        options: [DemoUp.directory] + Option.rendering,
        examples: [
            Example(line: "relayctl demo status", meaning: "one look"),
            Example(line: "relayctl demo status --watch 1", meaning: "again every second"),
        ],
        run: { invocation, terminal throws(Failure) in
            let place = try DemoUp.place(invocation)
            guard place.isDemo, LocalFile.exists(place.topology) else {
                throw Failure("there is no demo in \(place.root)", hint: "start one: relayctl demo up")
            }
            let mesh = try DemoMesh(place)
            try Renderer(invocation, terminal).show { () throws(Failure) in
                try DemoState(mesh).presentation(on: terminal)
            }
        })
}

/// A demo at one moment.
struct DemoState: Encodable, Sendable {
    struct Node: Encodable, Sendable {
        var name: String
        var role: String
        /// `up`: it answers; `silent`: the process lives and does not answer; `down`.
        var state: String
        var pid: Int32?
        var log: String
    }

    struct Rows: Encodable, Sendable {
        var source: String
        var read: UInt64
        var delivered: UInt64
    }

    var schema = 1
    var directory: String
    var nodes: [Node]
    var rows: [Rows]
    var topology: TopologyReport?

    init(_ mesh: DemoMesh) throws(Failure) {
        directory = mesh.place.root
        let living = mesh.living
        nodes = mesh.members.map { member in
            let process = living.first { $0.configuration == member.configuration }
            let answers = process != nil && (try? member.client.status()) != nil
            return Node(
                name: member.name, role: member.isRelay ? "relay" : "agent",
                state: process == nil ? "down" : answers ? "up" : "silent", pid: process?.identifier, log: member.log)
        }
        let seen = try DemoObservation(mesh)
        rows = [
            Rows(source: "temperature", read: seen.temperaturesRead, delivered: seen.temperaturesDelivered),
            Rows(source: "weather", read: seen.weatherRead, delivered: seen.weatherDelivered),
        ]
        topology = try? mesh[DemoMesh.middle].client.topology()
    }

    func presentation(on terminal: Terminal) -> Presentation {
        var processes = TextTable([
            .init(title: "NODE"), .init(title: "ROLE"), .init(title: "STATE"), .init(title: "PID", isNumber: true),
            .init(title: "LOG"),
        ])
        for node in nodes {
            let tone: Tone = node.state == "up" ? .good : .bad
            processes.add([
                Line(node.name), Line(node.role), Line(node.state, tone), Line(node.pid.map { String($0) } ?? "-"),
                Line(node.log),
            ])
        }
        var flow = TextTable([
            .init(title: "SOURCE"), .init(title: "ROWS READ", isNumber: true),
            .init(title: "ROWS DELIVERED", isNumber: true),
        ])
        for row in rows {
            flow.add([Line(row.source), Line(Quantity.count(row.read)), Line(Quantity.count(row.delivered))])
        }
        var sections: [Presentation.Section] = [.table(processes), .lines([Line()]), .table(flow)]
        if let topology {
            sections += [.lines([Line()])] + Topology.presentation(of: topology, on: terminal).sections
        }
        return Presentation(self, sections: sections)
    }
}
