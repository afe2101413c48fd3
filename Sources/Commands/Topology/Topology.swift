import Admin
import Node

/// `relayctl topology`
enum Topology {
    static let command = Command(
        name: ["topology"],
        summary: "show zones, nodes and links, with who dials whom and what waits",
        details: """
            The picture shows the zones on their paths, then each node with its links; an arrow points from the end \
            that dials to the end that listens. The table gives each link's figures. 'As of' says how old they are.
            """,
        options: [.outputWithDot, .noHeaders, .watch] + Option.node,
        examples: [
            Example(line: "relayctl topology", meaning: "the mesh as the node of RELAY_SOCKET sees it"),
            Example(line: "relayctl topology --watch", meaning: "again every 2 seconds"),
            Example(line: "relayctl topology -o dot | dot -Tsvg > mesh.svg", meaning: "a drawing"),
        ],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            try Renderer(invocation, terminal).show { () throws(Failure) in
                let report = try Connection.ask { () throws(ClientError) in try client.topology() }
                return presentation(of: report, on: terminal)
            }
        })

    static func presentation(of report: TopologyReport, on terminal: Terminal) -> Presentation {
        let mesh = MeshView(report)
        let (now, glyphs) = (terminal.now(), Glyphs.suited(to: terminal))
        var sections: [Presentation.Section] = [
            .lines([summary(of: mesh, report, now: now), Line()]),
            .lines(ZonePaths(mesh, glyphs).lines + [Line()]),
            .lines(NodeTree(mesh, glyphs).lines),
        ]
        if !mesh.links.isEmpty { sections += [.lines([Line()]), .table(linkTable(mesh, glyphs, now: now))] }
        return Presentation(report, sections: sections, dot: DotText.write(mesh))
    }
}
