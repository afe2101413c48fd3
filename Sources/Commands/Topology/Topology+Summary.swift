import Envelope
import Node

extension Topology {
    /// `3 zones, 5 nodes, 4 links: 3 up, 1 down · seen by dmz/relay 2 s ago`
    static func summary(of mesh: MeshView, _ report: TopologyReport, now: WallTime) -> Line {
        let nodes = mesh.zones.flatMap(\.nodes)
        var line = Line("\(counted(mesh.zones.count, "zone")), \(counted(nodes.count, "node"))", .strong)
        line += states(
            TopologyReport.State.allCases.map { state in (state.rawValue, nodes.count { $0.state == state }) })
        line += Line(", \(counted(mesh.links.count, "link"))", .strong)
        line += states(
            LinkReport.State.allCases.map { state in (state.rawValue, mesh.links.count { $0.state == state }) })
        let age = Quantity.ago(report.asOf, now: now)
        return line + Line(" · seen by \(report.by), as of \(age)", .dim)
    }

    /// ` (3 up, 1 down)`, without the states that nothing is in.
    private static func states(_ counts: [(word: String, count: Int)]) -> Line {
        let present = counts.filter { $0.count > 0 }
        guard !present.isEmpty else { return Line() }
        var line = Line(" (")
        for (index, state) in present.enumerated() {
            line += Line(index > 0 ? ", " : "") + Line("\(state.count) \(state.word)", tone(of: state.word))
        }
        return line + Line(")")
    }

    static func tone(of state: String) -> Tone {
        switch state {
        case "up": .good
        case "half", "unknown": .warning
        default: .bad
        }
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
