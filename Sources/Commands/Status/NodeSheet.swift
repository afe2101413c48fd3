import Envelope
import Node

/// A node's status as lines and tables.
struct NodeSheet {
    private let status: NodeStatus
    private let glyphs: Glyphs
    private let now: WallTime

    init(_ status: NodeStatus, _ glyphs: Glyphs, now: WallTime) {
        self.status = status
        self.glyphs = glyphs
        self.now = now
    }

    var presentation: Presentation {
        var sections: [Presentation.Section] = [.lines(facts)]
        if !status.links.isEmpty {
            let mesh = MeshView(TopologyReport(asOf: status.asOf, by: status.node, zones: [], links: status.links))
            sections += [.lines([Line()]), .table(Topology.linkTable(mesh, glyphs, now: now))]
        }
        if !status.jobs.isEmpty { sections += [.lines([Line()]), .table(jobs)] }
        if !status.sinks.isEmpty { sections += [.lines([Line()]), .table(sinks)] }
        return Presentation(status, sections: sections)
    }

    private var facts: [Line] {
        let uptime = Quantity.age(seconds: Double(status.uptimeSeconds))
        var title =
            Line(status.node, .strong) + Line("  \(status.role) \(status.version), pid \(status.pid), up \(uptime)")
        if let reactors = status.reactors { title += Line(reactors == 1 ? ", 1 reactor" : ", \(reactors) reactors") }
        title += Line(" · as of \(Quantity.ago(status.asOf, now: now))", .dim)
        var lines = [title, counters, memory]
        if let reload = status.lastReload {
            let when = Quantity.ago(reload.at, now: now)
            lines.append(
                reload.ok
                    ? Line("reload    ok, \(when)")
                    : Line("reload    ") + Line("failed", .bad)
                        + Line(" \(when), the old configuration stays in force: \(reload.error ?? "no reason given")"))
        }
        return lines
    }

    private var counters: Line {
        let count = status.counters
        let dropped = count.dropped.sorted { $0.key < $1.key }.map { "\(Quantity.count($0.value)) \($0.key)" }
        let droppedSum = count.dropped.values.reduce(0, &+)
        var line = Line("envelopes accepted \(Quantity.count(count.accepted))")
        line += Line(" = delivered \(Quantity.count(count.delivered)) + queued \(Quantity.count(count.queued))")
        line += Line(" + in flight \(Quantity.count(count.inFlight)) + dropped \(Quantity.count(droppedSum))")
        if !dropped.isEmpty { line += Line(" (\(dropped.joined(separator: ", ")))", .warning) }
        if !count.isBalanced { line += Line(" DOES NOT ADD UP", .bad) }
        for (number, word) in [(count.duplicates, "duplicates"), (count.refused, "refused")] where number > 0 {
            line += Line("; \(word) \(Quantity.count(number))")
        }
        if count.quarantined > 0 { line += Line("; quarantined \(Quantity.count(count.quarantined))", .bad) }
        return line
    }

    private var memory: Line {
        let (store, memory) = (status.store, status.memory)
        let limit = store.limitBytes == 0 ? "" : " of \(Quantity.bytes(store.limitBytes))"
        let isTight = store.limitBytes > 0 && store.bytes > store.limitBytes / 10 * 9
        var line = Line("store     ")
        line += Line("\(Quantity.bytes(store.bytes))\(limit)", isTight ? .bad : .plain)
        line += Line(" in \(Quantity.count(store.envelopes)) envelopes; ")
        line += Line("memory \(Quantity.bytes(memory.residentBytes)) resident, \(Quantity.bytes(memory.heldBytes))")
        return line + Line(" held of \(Quantity.bytes(memory.budgetBytes))")
    }

    private var jobs: TextTable {
        var table = TextTable([
            .init(title: "JOB"), .init(title: "STATE"), .init(title: "RECORDS", isNumber: true),
            .init(title: "ENVELOPES", isNumber: true), .init(title: "UNRECEIPTED", isNumber: true),
            .init(title: "LAST RUN", isNumber: true), .init(title: "LAST ERROR"),
        ])
        for job in status.jobs {
            table.add([
                Line(job.name), Line(job.state, Self.tone(of: job.state)), Line(Quantity.count(job.records)),
                Line(Quantity.count(job.envelopes)), Line(Quantity.count(job.unreceipted)),
                Line(job.lastRun.map { Quantity.ago($0, now: now) } ?? "never"), Line(job.lastError ?? "", .bad),
            ])
        }
        return table
    }

    private var sinks: TextTable {
        var table = TextTable([
            .init(title: "SINK"), .init(title: "STATE"), .init(title: "RECORDS", isNumber: true),
            .init(title: "LAST ERROR"),
        ])
        for sink in status.sinks {
            table.add([
                Line(sink.name), Line(sink.state, Self.tone(of: sink.state)), Line(Quantity.count(sink.records)),
                Line(sink.lastError ?? "", .bad),
            ])
        }
        return table
    }

    private static func tone(of state: String) -> Tone {
        switch state {
        case "running", "idle": .good
        case "misconfigured", "stopped", "failed": .bad
        default: .warning
        }
    }
}
