import Admin
import Envelope
import Node

/// `relayctl reconcile`
enum Reconcile {
    private static let since = Option(
        spellings: ["--since"], value: .text(placeholder: "DURATION"),
        summary: "leave out streams that are settled and have not changed for so long (default 24h)")
    private static let sinks = Option(
        spellings: ["--sinks"],
        summary: "believe the sinks, not what the agents remember: after a database was restored from a backup")

    static let command = Command(
        name: ["reconcile"],
        summary: "compare what agents have read, sent, had receipts for and delivered, and list gaps",
        details: """
            Asks all agents named, compares both ends of each stream, and lists by stream and sequence: 'lost' is what \
            its source keeps no more, mostly after a receipt, and its destination has not delivered, as when that was \
            restored from an old backup; 'quarantined' is kept aside at the destination; 'expired' lived out its \
            lifetime at the source; 'undetermined' is what a sink that gives no answer may have; 'underWay' was sent and \
            is not there yet, which is no fault; 'beyond' is delivered though its source, killed or restored, does not \
            know of having sent it. A number of records with a + is too low: the source was killed before it had counted \
            them all. Ends with 1 where something needs a person, with 0 where nothing is missing or only under way.
            """,
        arguments: [
            Argument(
                name: "AGENT", summary: "directories or configurations of agents, or their admin sockets",
                repeats: true, completion: .directory)
        ],
        options: [.output, .noHeaders, since, sinks, .timeout],
        examples: [
            Example(
                line: "relayctl reconcile mesh/plant-a-agent-1 mesh/plant-b-agent-1",
                meaning: "whether all of the last day has arrived"),
            Example(
                line: "relayctl reconcile --since 7d -o json mesh/plant-a-agent-1 mesh/plant-b-agent-1 | jq .findings",
                meaning: "gaps of a week, for a program"),
        ],
        run: { invocation, terminal throws(Failure) in
            let window = try ConfigurationText.value(invocation.text(since) ?? "24h", "--since", .duration())
            let timeout = try invocation.seconds(.timeout, in: 0.001...86_400) ?? .seconds(10)
            let renderer = try Renderer(invocation, terminal)
            var clients: [Client] = []
            for path in invocation.arguments {
                let client = Client(socket: try socket(path), timeout: timeout)
                if !clients.contains(where: { $0.socket == client.socket }) { clients.append(client) }
            }
            let result = try look(clients, seconds: window.components.seconds, asksSinks: invocation.has(sinks))
            try renderer.show { presentation(of: result) }
            if let faults = result.faults {
                throw Failure("not all that was sent is delivered: \(faults)")
            }
        })

    /// - Parameter path: an agent's directory or configuration, or its socket.
    private static func socket(_ path: String) throws(Failure) -> String {
        if LocalFile.isSocket(path) { return path }
        let configuration = try NodeDirectory.load(path)
        guard configuration.role == .agent else {
            throw .usage(
                "\(configuration.node) is no agent", hint: "name the agents that make and deliver; relays only forward")
        }
        return configuration.adminSocket
    }

    // MARK: Asking

    private static func look(
        _ clients: [Client], seconds: Int64, asksSinks: Bool
    ) throws(Failure) -> Reconciliation {
        var earlier: [StreamReport] = []
        for client in clients { earlier.append(try ask { () throws(ClientError) in try client.streams() }) }
        var agents: [ReconciledAgent] = []
        for (client, report) in zip(clients, earlier) {
            let later = try ask { () throws(ClientError) in try client.streams() }
            agents.append(
                ReconciledAgent(report, later, try ask { () throws(ClientError) in try client.quarantine() }))
        }
        for (place, stream) in Reconciliation.questions(agents, seconds: seconds, asksSinks: asksSinks) {
            agents[place].marks[stream] = try ask { () throws(ClientError) in try clients[place].marks(of: stream) }
        }
        return Reconciliation(agents, seconds: seconds, asksSinks: asksSinks)
    }

    private static func ask<Answer>(_ question: () throws(ClientError) -> Answer) throws(Failure) -> Answer {
        do { return try question() } catch {
            if case .refused(status: 404, _) = error {
                throw Failure(error.description, hint: "name agents of this version; relays know of no streams")
            }
            throw Failure(error.description, hint: error.hint)
        }
    }
}
