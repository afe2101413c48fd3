import Envelope

// What a person sees of a comparison.
extension Reconcile {
    static func presentation(of result: Reconciliation) -> Presentation {
        guard !result.jobs.isEmpty || !result.findings.isEmpty else {
            let time = Quantity.age(seconds: Double(result.sinceSeconds))
            return Presentation(result, sections: [], remark: "nothing was sent in the last \(time)")
        }
        var sections = [Presentation.Section.table(jobs(result.jobs))]
        if !result.findings.isEmpty { sections += [.lines([Line()]), .table(findings(result.findings))] }
        let isComplete = result.jobs.allSatisfy { $0.state == .complete }
        return Presentation(result, sections: sections, remark: isComplete ? "all that was sent is delivered" : nil)
    }

    private static func jobs(_ jobs: [Reconciliation.Job]) -> TextTable {
        var table = TextTable([
            .init(title: "SOURCE"), .init(title: "JOB"), .init(title: "DESTINATION"),
            .init(title: "STREAMS", isNumber: true, isWide: true), .init(title: "READ", isNumber: true),
            .init(title: "SENT", isNumber: true), .init(title: "RECEIPTED", isNumber: true),
            .init(title: "DELIVERED", isNumber: true), .init(title: "STATE"),
        ])
        for job in jobs {
            table.add([
                Line(job.source), Line(job.job), Line(job.destination), Line(Quantity.count(UInt64(job.streams))),
                Line(Quantity.count(job.records) + (job.recordsAreAtLeast ? "+" : "")),
                Line(Quantity.count(job.sent)), Line(Quantity.count(job.receipted)),
                Line(job.delivered.map(Quantity.count) ?? "-"), Line(job.state.words, tone(job.state)),
            ])
        }
        return table
    }

    private static func findings(_ findings: [Reconciliation.Finding]) -> TextTable {
        var table = TextTable([
            .init(title: "FINDING"), .init(title: "SOURCE"), .init(title: "JOB"), .init(title: "DESTINATION"),
            .init(title: "STREAM"), .init(title: "SEQUENCES", isNumber: true), .init(title: "REASON"),
        ])
        for finding in findings {
            table.add([
                Line(finding.kind.rawValue, finding.isFault ? .bad : .plain), Line(finding.source),
                Line(finding.job ?? "-"), Line(finding.destination), Line(finding.stream),
                Line(finding.first == finding.last ? "\(finding.first)" : "\(finding.first)-\(finding.last)"),
                Line(finding.reason),
            ])
        }
        return table
    }

    private static func tone(_ state: Reconciliation.State) -> Tone {
        switch state {
        case .complete: .good
        case .underWay: .plain
        case .unknown: .warning
        case .gap: .bad
        }
    }
}
