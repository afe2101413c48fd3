import Admin
import Envelope
import Node

/// `relayctl quarantine list`
enum QuarantineList {
    static let command = Command(
        name: ["quarantine", "list"],
        summary: "show what a node keeps aside because it could not be opened or delivered",
        details: """
            Kinds: 'unopened' could not be opened, and its stream waits for it; 'rejected' is what a sink with \
            onReject: quarantine never takes, and its stream has gone on; 'damaged' is no envelope at all; 'unknown' \
            was kept by a version that did not write the reason down. What has no way on is no matter of the \
            quarantine: `relayctl queue list` shows it as parked.
            """,
        options: Option.rendering + Option.node,
        examples: [
            Example(line: "relayctl quarantine list", meaning: "what the node of RELAY_SOCKET keeps aside"),
            Example(
                line: "relayctl quarantine list -o json | jq '.envelopes[].reason'", meaning: "only why"),
        ],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            try Renderer(invocation, terminal).show { () throws(Failure) in
                presentation(of: try Connection.ask { () throws(ClientError) in try client.quarantine() })
            }
        })

    static func presentation(of report: QuarantineReport) -> Presentation {
        guard !report.envelopes.isEmpty else {
            return Presentation(report, sections: [], remark: "nothing is kept aside in \(report.node)")
        }
        var table = TextTable([
            .init(title: "ID"), .init(title: "KIND"), .init(title: "CAME", isNumber: true), .init(title: "FROM"),
            .init(title: "TOPIC"), .init(title: "SINK"), .init(title: "BYTES", isNumber: true), .init(title: "REASON"),
        ])
        for entry in report.envelopes {
            table.add([
                Line(entry.id), Line(entry.kind, .warning),
                Line(entry.received.map { Quantity.ago($0, now: report.asOf) } ?? "-"),
                Line(entry.source ?? entry.peer ?? "-"), Line(entry.topic ?? "-"), Line(entry.sink ?? "-"),
                Line(Quantity.bytes(UInt64(max(0, entry.bytes)))), Line(entry.reason),
            ])
        }
        return Presentation(report, sections: [.table(table)])
    }
}

/// `relayctl quarantine show`
enum QuarantineShow {
    static let command = Command(
        name: ["quarantine", "show"],
        summary: "show one envelope of the quarantine: why it is there, and its header",
        arguments: [.quarantined],
        options: [.output, .noHeaders] + Option.node,
        examples: [
            Example(
                line: "relayctl quarantine show 7f0c-12-9ab4", meaning: "its source, stream, sequence, key and times")
        ],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            let entry = try QuarantineSelection.find(invocation.arguments[0], client)
            try Renderer(invocation, terminal).show { presentation(of: entry) }
        })

    static func presentation(of entry: QuarantineReport.Entry) -> Presentation {
        let rows: [(String, String?)] = [
            ("kind", entry.kind), ("reason", entry.reason), ("received", entry.received.map(\.rfc3339)),
            ("peer", entry.peer), ("topic", entry.topic), ("sink", entry.sink), ("source", entry.source),
            ("destination", entry.destination), ("lane", entry.lane), ("stream", entry.stream),
            ("sequence", entry.sequence.map(String.init)), ("created", entry.created.map(\.rfc3339)),
            ("lifetime", entry.lifetimeSeconds.map { Quantity.age(seconds: Double($0)) }), ("key", entry.key),
            ("bytes", String(entry.bytes)),
        ]
        let width = rows.map(\.0.count).max() ?? 0
        let lines = rows.compactMap { name, value in
            value.map { Line(name + String(repeating: " ", count: width + 2 - name.count), .strong) + Line($0) }
        }
        return Presentation(entry, sections: [.lines([Line(entry.id, .strong)] + lines)])
    }
}
