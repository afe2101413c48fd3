import Admin
import Node

/// `relayctl quarantine retry` and `redirect`
enum QuarantineRetry {
    private static let all = Option(spellings: ["--all"], summary: "every envelope that can be tried")
    private static let sink = Option(
        spellings: ["--sink"], value: .text(placeholder: "NAME"), summary: "the sink of this agent that is to take it",
        isRequired: true)

    static let command = Command(
        name: ["quarantine", "retry"],
        summary: "deliver envelopes of the quarantine once more, after their reason is gone",
        details: """
            Each goes to the sink that takes its topic, has its effect once, however often it is tried, and leaves the \
            quarantine when that is durable. What a sink had rejected comes behind later data of its stream. Ends with \
            1 where one stays.
            """,
        arguments: [.quarantinedList],
        options: [all] + Option.node,
        examples: [
            Example(line: "relayctl quarantine retry 7f0c-12-9ab4", meaning: "one, such as after its table was mended"),
            Example(line: "relayctl quarantine retry --all", meaning: "all, the oldest first"),
        ],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            let ids = try QuarantineSelection.ids(invocation, all, client) {
                ["unopened", "rejected"].contains($0.kind)
            }
            try retry(ids, nil, client, terminal)
        })

    static let redirect = Command(
        name: ["quarantine", "redirect"],
        summary: "deliver envelopes of the quarantine to another sink of the agent",
        details: """
            For data that its own sink never takes. It has its effect once in that sink. An envelope that could not be \
            opened cannot be redirected: its stream waits for it.
            """,
        arguments: [.quarantinedList],
        options: [sink, all] + Option.node,
        examples: [
            Example(
                line: "relayctl quarantine redirect 7f0c-12-9ab4 --sink leftovers",
                meaning: "into the sink 'leftovers' of the agent's configuration")
        ],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            let name = try invocation.required(sink)
            let ids = try QuarantineSelection.ids(invocation, all, client) { $0.kind == "rejected" }
            try retry(ids, name, client, terminal)
        })

    private static func retry(
        _ ids: [String], _ sink: String?, _ client: Client, _ terminal: Terminal
    ) throws(Failure) {
        var kept: [String] = []
        for id in ids {
            let outcome = try Connection.ask { () throws(ClientError) in try client.retry(id, sink: sink).outcome }
            switch outcome {
            case .delivered: terminal.talk("\(id)  delivered")
            case .underWay: terminal.talk("\(id)  handed over; the sink has not answered yet, look again later")
            case .kept: terminal.talk("\(id)  stays: the sink did not take it")
            }
            if outcome == .kept { kept.append(id) }
        }
        guard kept.isEmpty else {
            throw Failure(
                "\(kept.count) of \(ids.count) stay in the quarantine",
                hint: "'relayctl node status' says what its sink lacks; 'quarantine redirect' sends them to another")
        }
    }
}

/// `relayctl quarantine export`
enum QuarantineExport {
    private static let to = Option(
        spellings: ["--to"], value: .text(placeholder: "FILE"), summary: "the file to make; must not be there",
        isRequired: true, completion: .file)

    static let command = Command(
        name: ["quarantine", "export"],
        summary: "write an envelope of the quarantine to a file, sealed as it came",
        arguments: [.quarantined],
        options: [to] + Option.node,
        examples: [
            Example(
                line: "relayctl quarantine export 7f0c-12-9ab4 --to strange.envelope",
                meaning: "to look at it elsewhere; its layout is in docs/protocol.md")
        ],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            let id = invocation.arguments[0]
            let bytes = try Connection.ask { () throws(ClientError) in try client.quarantined(id) }
            let path = try invocation.required(to)
            try LocalFile.write(bytes, to: path, mode: 0o600, replaces: false)
            terminal.talk("wrote \(Quantity.bytes(UInt64(bytes.count))) to \(path)")
        })
}

/// `relayctl quarantine purge`
enum QuarantinePurge {
    private static let all = Option(spellings: ["--all"], summary: "everything in the quarantine")
    private static let yes = Option(spellings: ["--yes"], summary: "delete for good; nothing is deleted without it")

    static let command = Command(
        name: ["quarantine", "purge"],
        summary: "delete envelopes of the quarantine for good",
        details: """
            What a sink had rejected is lost with it, unless it was exported. An envelope that could not be opened may \
            come again from its source, which has no receipt for it.
            """,
        arguments: [.quarantinedList],
        options: [all, yes] + Option.node,
        examples: [Example(line: "relayctl quarantine purge 7f0c-12-9ab4 --yes", meaning: "one")],
        run: { invocation, terminal throws(Failure) in
            let client = try Connection.client(invocation, terminal)
            let ids = try QuarantineSelection.ids(invocation, all, client) { _ in true }
            guard invocation.has(yes) else {
                throw .usage("\(ids.count) would be deleted for good", hint: "add --yes where that is meant")
            }
            for id in ids {
                try Connection.ask { () throws(ClientError) in try client.purge(id) }
                terminal.talk("\(id)  deleted")
            }
        })
}

/// Which envelopes a command is for.
enum QuarantineSelection {
    static func find(_ id: String, _ client: Client) throws(Failure) -> QuarantineReport.Entry {
        let report = try Connection.ask { () throws(ClientError) in try client.quarantine() }
        guard let entry = report.envelopes.first(where: { $0.id == id }) else {
            throw Failure(
                "\(report.node) keeps nothing aside with the id '\(id)'",
                hint: "relayctl quarantine list shows what there is")
        }
        return entry
    }

    /// Those named, or all that fit.
    static func ids(
        _ invocation: Invocation, _ all: Option, _ client: Client, where fits: (QuarantineReport.Entry) -> Bool
    ) throws(Failure) -> [String] {
        guard invocation.has(all) else {
            guard !invocation.arguments.isEmpty else {
                throw .usage("which?", hint: "name envelopes by their ids, or give --all")
            }
            return invocation.arguments
        }
        guard invocation.arguments.isEmpty else { throw .usage("--all and ids; give one of them") }
        let report = try Connection.ask { () throws(ClientError) in try client.quarantine() }
        return report.envelopes.filter(fits).map(\.id)
    }
}

extension Argument {
    static let quarantined = Argument(name: "ID", summary: "an envelope, as 'quarantine list' names it")
    static let quarantinedList = Argument(
        name: "ID", summary: "envelopes, as 'quarantine list' names them", isRequired: false, repeats: true)
}
