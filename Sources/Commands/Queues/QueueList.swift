import Admin
import Node

/// `relayctl queue list`
enum QueueList {
    static let command = Command(
        name: ["queue", "list"],
        summary: "show what waits in a node, by destination and lane",
        details: """
            'Drained in' and 'full in' are what comes of it if the store and the queues go on changing as they did in \
            the last minute or so; a dash where a queue does not shrink.
            """,
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
            return Presentation(report, sections: [], remark: "nothing waits in \(report.node)" + room(report))
        }
        var table = TextTable([
            .init(title: "DESTINATION"), .init(title: "LANE"), .init(title: "STATE"),
            .init(title: "ENVELOPES", isNumber: true), .init(title: "IN FLIGHT", isNumber: true),
            .init(title: "BYTES", isNumber: true), .init(title: "OLDEST", isNumber: true),
            .init(title: "DRAINED IN", isNumber: true), .init(title: "NEXT HOP"),
        ])
        for queue in report.queues.sorted(by: { ($0.destination, $0.lane) < ($1.destination, $1.lane) }) {
            table.add([
                Line(queue.destination), Line(queue.lane),
                Line(queue.state.rawValue, queue.state == .forwarding ? .good : .warning),
                Line(Quantity.count(queue.envelopes)), Line(Quantity.count(queue.inFlight)),
                Line(Quantity.bytes(queue.bytes)),
                Line(queue.oldestAgeSeconds.map(Quantity.age) ?? "-"),
                Line(queue.secondsToDrain.map(Quantity.age) ?? "-"), Line(queue.nextHop ?? "-"),
            ])
        }
        return Presentation(
            report, sections: [.table(table)], remark: report.store == nil ? nil : String(room(report).dropFirst(2)))
    }

    /// How full the store is, and when it will be.
    private static func room(_ report: QueueReport) -> String {
        guard let store = report.store, store.limitBytes > 0 else { return "" }
        let full = store.secondsToFull.map { ", full in \(Quantity.age(seconds: $0)) if this goes on" } ?? ""
        return "; the store holds \(Quantity.bytes(store.bytes)) of \(Quantity.bytes(store.limitBytes))" + full
    }
}
