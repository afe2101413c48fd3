import Admin
import Node

/// `relayctl flow list`
enum FlowList {
    static let command = Command(
        name: ["flow", "list"],
        summary: "show what each flow, lane and source holds in a relay, and what it may hold",
        details: """
            The counters of every row satisfy: accepted = delivered + held + expired + unreadable. A row is full while \
            its quota is used up or its oldest envelope is too old: the relay then refuses more of it, and nothing \
            that it holds is dropped.
            """,
        options: Option.rendering + Option.node,
        examples: [
            Example(line: "relayctl flow list", meaning: "the flows of the relay of RELAY_SOCKET"),
            Example(
                line: "relayctl flow list -o json | jq '.flows[] | select(.isFull)'",
                meaning: "only what is refused now"),
        ],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            try Renderer(invocation, terminal).show { () throws(Failure) in
                presentation(of: try Connection.ask { () throws(ClientError) in try client.flows() })
            }
        })

    static func presentation(of report: FlowReport) -> Presentation {
        var table = TextTable([
            .init(title: "OF"), .init(title: "NAME"), .init(title: "STATE"), .init(title: "ACCEPTED", isNumber: true),
            .init(title: "DELIVERED", isNumber: true), .init(title: "EXPIRED", isNumber: true),
            .init(title: "REFUSED", isNumber: true), .init(title: "HELD", isNumber: true),
            .init(title: "BYTES", isNumber: true), .init(title: "QUOTA"), .init(title: "RATE"),
        ])
        let groups = [
            ("flow", report.flows), ("lane", report.lanes), ("source", report.sources),
            ("", [report.other, report.answers].filter { $0.accepted > 0 }),
        ]
        for (kind, accounts) in groups {
            for account in accounts {
                table.add([
                    Line(kind), Line(account.name),
                    Line(account.isFull ? "full" : "open", account.isFull ? .warning : .good),
                    Line(Quantity.count(account.accepted)), Line(Quantity.count(account.delivered)),
                    Line(Quantity.count(account.expired)), Line(Quantity.count(account.refused)),
                    Line(Quantity.count(account.held)), Line(Quantity.bytes(account.bytesHeld)), Line(quota(account)),
                    Line(account.bytesPerSecond.map { Quantity.bytes($0) + "/s" } ?? "-"),
                ])
            }
        }
        return Presentation(report, sections: [.table(table)])
    }

    private static func quota(_ account: FlowReport.Account) -> String {
        let parts = [
            account.maxBytes.map { Quantity.bytes(UInt64($0)) },
            account.maxEnvelopes.map { "\(Quantity.count(UInt64($0))) envelopes" },
            account.maxAgeSeconds.map { Quantity.age(seconds: Double($0)) },
        ]
        let written = parts.compactMap { $0 }
        return written.isEmpty ? "-" : written.joined(separator: ", ")
    }
}
