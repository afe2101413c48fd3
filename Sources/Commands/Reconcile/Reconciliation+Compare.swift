import Envelope
import Node

extension Reconciliation {
    /// Streams of which sinks must be asked before ``init(_:seconds:asksSinks:)``: the destination's place in the list, and
    /// the stream.
    static func questions(_ agents: [ReconciledAgent], seconds: Int64, asksSinks: Bool) -> [(Int, String)] {
        comparisons(agents, asksSinks).compactMap { place, comparison in
            guard let place, comparison.needsSinks else { return nil }
            // A receipt without an effect is looked at however old it is.
            let isOpen = (comparison.delivered ?? 0) < comparison.made.receipted
            return isOpen || isRecent(comparison.made.last, agents, seconds) ? (place, comparison.made.stream) : nil
        }
    }

    /// - Parameters:
    ///   - seconds: streams that are settled and have not changed for so long are left out.
    ///   - asksSinks: what sinks say of a stream counts, whatever the destination's ledger says.
    init(_ agents: [ReconciledAgent], seconds: Int64, asksSinks: Bool) {
        self.agents = agents.map(\.name).sorted()
        sinceSeconds = seconds
        (jobs, streams, findings) = ([], [], [])
        var aside = Self.setAside(agents)
        for (_, comparison) in Self.comparisons(agents, asksSinks) {
            let origin = ReconciledAgent.Origin(
                source: ReconciledAgent.key(comparison.source), stream: comparison.made.stream)
            let held = aside.removeValue(forKey: origin) ?? []
            let found = comparison.findings(
                aside: held.filter { $0.isMissing(behind: comparison.delivered ?? 0) }
                    .map { $0.finding(job: comparison.made.job) })
            guard comparison.isOpen(found) || Self.isRecent(comparison.made.last, agents, seconds) else { continue }
            streams.append(comparison.row(found))
            findings += found
        }
        findings += aside.values.flatMap { $0 }.map { $0.finding(job: nil) }
        for agent in agents { findings += Self.beyond(agent, agents, seconds) }
        summarise()
    }

    private mutating func summarise() {
        streams.sort { ($0.source, $0.job, $0.destination, $0.last) < ($1.source, $1.job, $1.destination, $1.last) }
        for stream in streams {
            let isSame = jobs.last.map {
                ($0.source, $0.job, $0.destination) == (stream.source, stream.job, stream.destination)
            }
            if isSame != true {
                jobs.append(Job(source: stream.source, job: stream.job, destination: stream.destination))
            }
            jobs[jobs.count - 1].add(stream)
        }
        let kinds = Finding.Kind.allCases
        func rank(_ finding: Finding) -> (Int, String, String, String, UInt64) {
            let kind = kinds.firstIndex(of: finding.kind) ?? 0
            return (kind, finding.source, finding.job ?? "", finding.stream, finding.first)
        }
        findings.sort { rank($0) < rank($1) }
    }

    private static func isRecent(_ time: WallTime, _ agents: [ReconciledAgent], _ seconds: Int64) -> Bool {
        let now = agents.map(\.earlier.asOf.milliseconds).max() ?? 0
        return time.milliseconds >= now - min(seconds, 1 << 40) * 1000
    }

    private static func comparisons(
        _ agents: [ReconciledAgent], _ asksSinks: Bool
    ) -> [(place: Int?, StreamComparison)] {
        agents.flatMap { agent in
            agent.earlier.outgoing.map { made in
                let key = ReconciledAgent.key(made.destination)
                let place = agents.firstIndex { $0.key == key }
                let comparison = StreamComparison(
                    source: agent.name, made: made, destination: place.map { agents[$0] }, asksSinks: asksSinks)
                return (place, comparison)
            }
        }
    }

    // MARK: What only the destination knows

    /// An envelope in a quarantine.
    private struct Held {
        var agent: String
        var source: String
        var stream: String
        var sequence: UInt64
        var entry: QuarantineReport.Entry

        /// What could not be opened has come again since, where its stream has gone on past it.
        func isMissing(behind mark: UInt64) -> Bool { entry.kind != "unopened" || sequence > mark }

        func finding(job: String?) -> Finding {
            Finding(
                kind: .quarantined, isFault: true, source: source, job: job, destination: agent, stream: stream,
                first: sequence, last: sequence, reason: "\(entry.kind) at \(agent), \(entry.id): \(entry.reason)")
        }
    }

    private static func setAside(_ agents: [ReconciledAgent]) -> [ReconciledAgent.Origin: [Held]] {
        var held: [ReconciledAgent.Origin: [Held]] = [:]
        for agent in agents {
            // What is no envelope may have the look of a header all the same.
            for entry in agent.quarantine where entry.kind != "damaged" {
                guard let source = entry.source, let stream = entry.stream, let sequence = entry.sequence else {
                    continue
                }
                let origin = ReconciledAgent.Origin(source: ReconciledAgent.key(source), stream: stream)
                held[origin, default: []].append(
                    Held(agent: agent.name, source: source, stream: stream, sequence: sequence, entry: entry))
            }
        }
        return held
    }

    /// What an agent has delivered, though its source knows nothing of having sent it.
    private static func beyond(
        _ agent: ReconciledAgent, _ agents: [ReconciledAgent], _ seconds: Int64
    ) -> [Finding] {
        agent.earlier.incoming.compactMap { taken in
            let key = ReconciledAgent.key(taken.source)
            guard let source = agents.first(where: { $0.key == key }), isRecent(taken.last, agents, seconds) else {
                return nil
            }
            let sent = source.sent(taken.stream)
            // One that had to make room is not missing.
            guard sent ?? 0 < taken.delivered, sent != nil || source.later.forgotten.outgoing == 0 else { return nil }
            return Finding(
                kind: .beyond, isFault: false, source: source.name,
                job: source.later.outgoing.first { $0.stream == taken.stream }?.job, destination: agent.name,
                stream: taken.stream, first: (sent ?? 0) + 1, last: taken.delivered,
                reason: "delivered, and \(source.name) does not know of having sent them: it was killed, or restored")
        }
    }
}
