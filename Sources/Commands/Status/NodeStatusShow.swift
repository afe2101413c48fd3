import Admin
import Node

/// `relayctl node status`
enum NodeStatusShow {
    static let command = Command(
        name: ["node", "status"],
        summary: "show how a node is: links, counters, store, jobs and sinks",
        details: """
            The counters always satisfy: accepted = delivered + queued + in flight + dropped.
            """,
        options: Option.rendering + Option.node,
        examples: [
            Example(line: "relayctl node status", meaning: "the node of RELAY_SOCKET"),
            Example(line: "relayctl node status --socket /run/gridrelay/agent.sock -o yaml", meaning: "everything"),
        ],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            try Renderer(invocation, terminal).show { () throws(Failure) in
                let status = try Connection.ask { () throws(ClientError) in try client.status() }
                return NodeSheet(status, Glyphs.suited(to: terminal), now: terminal.now()).presentation
            }
        })
}
