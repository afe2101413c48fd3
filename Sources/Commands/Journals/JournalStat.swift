import Crypto
import Envelope
import Node

/// `relayctl journal stat`
enum JournalStat {
    static let command = Command(
        name: ["journal", "stat"],
        summary: "show what the journal of a stopped node holds, by destination and lane",
        details: """
            Reads the journal of a relay or an agent from the disk and changes nothing. The node must not run; a node that \
            runs is asked with `relayctl queue list`. Destinations are shown by their names where --names gives a file that \
            has them, else by their identifiers.
            """,
        arguments: [.store],
        options: [.output, .noHeaders, .names],
        examples: [
            Example(
                line: "relayctl journal stat /var/lib/gridrelay --names /etc/gridrelay/mesh.yaml",
                meaning: "what a relay that was stopped still has in its care"),
            Example(line: "relayctl journal stat store -o json", meaning: "the same for a program"),
        ],
        run: { invocation, terminal throws(Failure) in
            let look = try JournalLook(invocation.arguments[0], names: try Names.read(invocation.text(.names)))
            try Renderer(invocation, terminal).show { presentation(of: JournalReport(look)) }
        })

    static func presentation(of report: JournalReport) -> Presentation {
        var lines = [
            Line(report.directory, .strong)
                + Line(
                    "  \(Quantity.count(UInt64(report.records))) records, \(Quantity.bytes(UInt64(report.bytes))) in "
                        + "\(report.segments) segments")
        ]
        if report.otherRecords > 0 {
            lines.append(Line("\(Quantity.count(report.otherRecords)) of these are checkpoints or of other kinds"))
        }
        lines += JournalVerify.findings(report)
        guard !report.queues.isEmpty else {
            return Presentation(report, sections: [.lines(lines)], remark: "no envelope waits in it")
        }
        var table = TextTable([
            .init(title: "DESTINATION"), .init(title: "LANE"), .init(title: "ENVELOPES", isNumber: true),
            .init(title: "BYTES", isNumber: true), .init(title: "OLDEST", isNumber: true),
        ])
        for queue in report.queues {
            table.add([
                Line(queue.destination), Line(queue.lane), Line(Quantity.count(queue.envelopes)),
                Line(Quantity.bytes(queue.bytes)), Line(Quantity.age(seconds: queue.oldestAgeSeconds)),
            ])
        }
        return Presentation(report, sections: [.lines(lines + [Line()]), .table(table)])
    }
}

/// `relayctl journal verify`
enum JournalVerify {
    static let command = Command(
        name: ["journal", "verify"],
        summary: "read every byte of a stopped node's journal and tell what is damaged",
        details: """
            Changes nothing. Ends with 0 where all that was ever committed can be read, with 1 where something cannot: the \
            node starts all the same, keeps what is whole and sets the damaged files aside. An unfinished commit at the end \
            is what a crash leaves, and no damage.
            """,
        arguments: [.store],
        examples: [
            Example(line: "relayctl journal verify /var/lib/gridrelay", meaning: "after a disk has shown errors")
        ],
        run: { invocation, terminal throws(Failure) in
            let report = JournalReport(try JournalLook(invocation.arguments[0], names: [:]))
            let findings = findings(report)
            guard report.damage.isEmpty, report.unreadableRecords.isEmpty else {
                throw Failure(
                    lines: findings.map(\.text),
                    hint: "sources send again what they have no receipt for; keep a copy of \(report.directory) if the "
                        + "bytes matter", code: .failed)
            }
            for finding in findings { terminal.print(finding.text) }
            terminal.print(
                "\(report.directory): ok, \(Quantity.count(UInt64(report.records))) records, "
                    + "\(Quantity.bytes(UInt64(report.bytes))) in \(report.segments) segments")
        })

    /// What a person should know, worst first.
    static func findings(_ report: JournalReport) -> [Line] {
        var lines = report.damage.map { damage in
            Line(
                "\(damage.segment): \(damage.bytes) bytes at \(damage.offset) are damaged"
                    + (damage.record.map { ", record \($0)" } ?? ""), .bad)
        }
        lines += report.unreadableRecords.map { Line("record \($0) should hold an envelope and does not", .bad) }
        lines += report.damagedFiles.map { Line("\($0): set aside because something in it was damaged", .warning) }
        lines += report.unknownFiles.map { Line("\($0): not a file of the journal; left alone", .warning) }
        if report.unfinishedCommits > 0 {
            lines.append(Line("an unfinished commit at the end, as a crash leaves it; the next start cuts it", .dim))
        }
        return lines
    }
}

extension Argument {
    fileprivate static let store = Argument(
        name: "DIRECTORY", summary: "the node's store, or the journal in it", completion: .directory)
}

extension Option {
    static let names = Option(
        spellings: ["--names"], value: .text(placeholder: "FILE"),
        summary: "a topology or a node's configuration, for the names of nodes", completion: .file)
}

/// Names of nodes out of a file, by their identifiers.
enum Names {
    static func read(_ path: String?) throws(Failure) -> [NodeID: NodeName] {
        guard let path else { return [:] }
        let names =
            switch try ConfigurationText.either(path) {
            case .topology(let topology): topology.nodes.map(\.name)
            case .node(let node): [node.node] + node.links.map(\.peer) + (node.agent?.jobs.map(\.to) ?? [])
            }
        return Dictionary(names.map { (NodeID(of: $0), $0) }, uniquingKeysWith: { first, _ in first })
    }
}
