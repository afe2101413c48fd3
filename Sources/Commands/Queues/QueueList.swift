import Admin
import Node

/// `relayctl queue list`
enum QueueList {
    static let command = Command(
        name: ["queue", "list"],
        summary: "show what waits in a node, by destination and lane",
        options: Option.rendering + Option.node,
        examples: [
            Example(line: "relayctl queue list", meaning: "what waits in the node of RELAY_SOCKET"),
            Example(
                line: "relayctl queue list -o json | jq '.queues[] | select(.state == \"parked\")'",
                meaning: "only what has no route"),
        ],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            try Renderer(invocation, terminal).show { () throws(Failure) in
                presentation(of: try Connection.ask { () throws(ClientError) in try client.queues() })
            }
        })

    static func presentation(of report: QueueReport) -> Presentation {
        guard !report.queues.isEmpty else {
            return Presentation(report, sections: [], remark: "nothing waits in \(report.node)")
        }
        var table = TextTable([
            .init(title: "DESTINATION"), .init(title: "LANE"), .init(title: "STATE"),
            .init(title: "ENVELOPES", isNumber: true), .init(title: "IN FLIGHT", isNumber: true),
            .init(title: "BYTES", isNumber: true), .init(title: "OLDEST", isNumber: true), .init(title: "NEXT HOP"),
        ])
        for queue in report.queues.sorted(by: { ($0.destination, $0.lane) < ($1.destination, $1.lane) }) {
            table.add([
                Line(queue.destination), Line(queue.lane),
                Line(queue.state.rawValue, queue.state == .forwarding ? .good : .warning),
                Line(Quantity.count(queue.envelopes)), Line(Quantity.count(queue.inFlight)),
                Line(Quantity.bytes(queue.bytes)),
                Line(queue.oldestAgeSeconds.map(Quantity.age) ?? "-"), Line(queue.nextHop ?? "-"),
            ])
        }
        return Presentation(report, sections: [.table(table)])
    }
}
