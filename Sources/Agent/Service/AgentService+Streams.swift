import AgentCore
import Envelope
import Link
import Node
import Platform

// What the agent knows of its streams: how that is kept, and what is answered of it.
extension AgentService {
    /// How long the sinks' word on a stream is waited for.
    private static let sinkPatience: Duration = .seconds(5)

    /// Saves the ledger in a while, where there is something new in it.
    func keepStreams() {
        guard machine.ledger.revision != savedRevision, !saveIsScheduled, !isStopping else { return }
        saveIsScheduled = true
        reactor.schedule(after: StreamsFile.period) { [weak self] in
            guard let self else { return }
            self.saveIsScheduled = false
            self.saveStreams()
        }
    }

    func saveStreams() {
        guard machine.ledger.revision != savedRevision else { return }
        savedRevision = machine.ledger.revision
        streamsFile.save(machine.ledger)
    }

    /// `GET /v1/streams?since=` and `GET /v1/streams/STREAM`.
    /// - Returns: nil for any other request.
    static func answerStreams(_ request: AdminRequest, _ agent: ReactorBound<AgentService>) -> AdminResponse? {
        guard request.method == "GET" else { return nil }
        if request.path == "/v1/streams" {
            let since = request.query["since"].flatMap { Int64($0) }
            guard request.query["since"] == nil || since.map({ (0...longestSince).contains($0) }) == true else {
                return .problem(status: 400, "since is no number of seconds", hint: "such as ?since=86400")
            }
            return streams(since: since, agent)
        }
        guard request.path.hasPrefix("/v1/streams/") else { return nil }
        let text = String(request.path.dropFirst("/v1/streams/".count))
        guard let stream = Bytes16(hexadecimal: text).map({ StreamID($0) }) else {
            return .problem(status: 404, "'\(text.prefix(80))' is no stream", hint: "it has 32 hexadecimal digits")
        }
        return marks(of: stream, agent)
    }

    /// A hundred years.
    private static let longestSince: Int64 = 100 * 366 * 86_400

    /// Made on the caller's thread: thousands of streams would hold up the reactor.
    /// - Parameter since: streams without activity for so many seconds are left out where nothing of them waits for a
    ///   receipt; nil for all.
    private static func streams(since seconds: Int64?, _ agent: ReactorBound<AgentService>) -> AdminResponse {
        do throws(MailboxError) {
            let (ledger, identity, names) = try agent.ask { agent in
                var names = agent.names
                names[agent.identity.id] = agent.identity.name
                return (agent.machine.ledger, agent.identity.name, names)
            }
            let report = StreamReport(ledger, of: identity, asOf: Clock.wall, since: seconds) {
                names[$0]?.description ?? $0.description
            }
            return .json(status: 200, report)
        } catch {
            return .problem(status: 503, error.description)
        }
    }

    /// Waits for the sinks on the caller's thread.
    private static func marks(of stream: StreamID, _ agent: ReactorBound<AgentService>) -> AdminResponse {
        do throws(MailboxError) {
            let (node, sinks) = try agent.ask { ($0.identity.name.description, $0.allSinks) }
            let until = Clock.now + sinkPatience
            let asked = sinks.map { (name: $0.settings.name, reply: $0.askMark(of: stream)) }
            let marks = asked.map { sink in
                let mark = sink.reply.wait(within: max(.zero, until - Clock.now)) ?? nil
                return StreamMarks.Sink(name: sink.name, delivered: mark?.number)
            }
            return .json(status: 200, StreamMarks(node: node, stream: stream.description, sinks: marks))
        } catch {
            return .problem(status: 503, error.description)
        }
    }
}

extension StreamReport {
    init(
        _ ledger: StreamLedger, of node: NodeName, asOf now: WallTime, since seconds: Int64?,
        name: (NodeID) -> String
    ) {
        let from = seconds.map { now.milliseconds - $0 * 1000 } ?? .min
        self.init(
            node: node.description, asOf: now,
            outgoing: ledger.outgoing.filter { $0.last.milliseconds >= from || !$0.hasEnded && $0.receipted < $0.sent }
                .map { Outgoing($0, destination: name($0.destination)) },
            incoming: ledger.incoming.filter { $0.last.milliseconds >= from }.map {
                Incoming(
                    source: name($0.source), stream: $0.stream.description, delivered: $0.delivered.number,
                    skipped: Self.ranges($0.skipped), first: $0.first, last: $0.last)
            },
            forgotten: Forgotten(outgoing: ledger.forgotten.outgoing, incoming: ledger.forgotten.incoming))
    }

    fileprivate static func ranges(_ set: RangeSet) -> [Range] {
        set.ranges.map { Range(first: $0.lowerBound, last: $0.upperBound) }
    }
}

extension StreamReport.Outgoing {
    init(_ entry: StreamLedger.Outgoing, destination: String) {
        self.init(
            stream: entry.stream.description, job: entry.job, destination: destination, records: entry.records,
            recordsAreAtLeast: entry.recordsAreAtLeast, sent: entry.sent.number, receipted: entry.receipted.number,
            expired: StreamReport.ranges(entry.expired),
            expiredEnvelopes: entry.expiredCount, first: entry.first, last: entry.last, hasEnded: entry.hasEnded)
    }
}
