import Envelope

/// Figures in the text format of Prometheus, version 0.0.4: families with help and type, a sample a line.
struct MetricsText {
    enum Kind: String {
        case counter, gauge
    }

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// Begins a family; its samples follow. A counter's name ends in `_total`.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ value: UInt64, _ labels: [(String, String)] = []) {
        line(name, labels, String(value))
    }

    mutating func sample(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        line(name, labels, "\(value)")
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.0)=\"\(Self.escape($0.1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    /// A backslash, a quotation mark and the end of a line would end the label.
    private static func escape(_ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}

// MARK: A node's figures

extension NodeStatus {
    /// What `GET /metrics` answers; docs/admin-api.md lists the names.
    /// - Parameter flows: a relay's.
    public func metrics(_ queues: QueueReport, _ flows: FlowReport? = nil) -> AdminResponse {
        var text = MetricsText()
        addNode(to: &text)
        addEnvelopes(to: &text)
        addRoom(to: &text)
        addLinks(to: &text)
        addQueues(queues.queues, to: &text)
        addForecast(queues.queues, to: &text)
        addQuarantine(to: &text)
        if let flows { addFlows(flows, to: &text) }
        addJobs(to: &text)
        addSinks(to: &text)
        return .text(status: 200, contentType: MetricsText.contentType, text.text)
    }

    private func addNode(to text: inout MetricsText) {
        text.family("gridrelay_info", .gauge, "The node; its value is always 1.")
        text.sample("gridrelay_info", 1 as UInt64, [("node", node), ("role", role), ("version", version)])
        text.family("process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.")
        text.sample("process_start_time_seconds", Double(started.milliseconds) / 1000)
        text.family("process_resident_memory_bytes", .gauge, "Resident memory of the process.")
        text.sample("process_resident_memory_bytes", memory.residentBytes)
        if let reactors {
            text.family("gridrelay_reactors", .gauge, "Threads that carry links.")
            text.sample("gridrelay_reactors", UInt64(reactors))
        }
        guard let lastReload else { return }
        text.family("gridrelay_reload_success", .gauge, "1 where the last reload of the configuration was taken over.")
        text.sample("gridrelay_reload_success", UInt64(lastReload.ok ? 1 : 0))
    }

    private func addEnvelopes(to text: inout MetricsText) {
        let rows: [(String, String, UInt64)] = [
            (
                "accepted",
                "Taken into this node's care. At rest: delivered + dropped + returned + queued + in flight.",
                // A counter never falls; what was given back was accepted first.
                counters.accepted + (counters.returned ?? 0)
            ),
            ("delivered", "Care handed over: to the next hop, or finished at the destination.", counters.delivered),
            ("returned", "Given back to the neighbour they came from, before custody.", counters.returned ?? 0),
            ("refused", "Turned away before they were accepted.", counters.refused),
            ("duplicate", "Seen before at the destination, so without effect.", counters.duplicates),
            ("quarantined", "Failed a check after arrival; kept aside, without effect.", counters.quarantined),
        ]
        for (name, help, value) in rows {
            let name = "gridrelay_envelopes_\(name)_total"
            text.family(name, .counter, help)
            text.sample(name, value)
        }
        text.family("gridrelay_envelopes_dropped_total", .counter, "Dropped, by reason.")
        for (reason, count) in counters.dropped.sorted(by: { $0.key < $1.key }) {
            text.sample("gridrelay_envelopes_dropped_total", count, [("reason", reason)])
        }
        text.family("gridrelay_envelopes_queued", .gauge, "Waiting here, in memory or in the store.")
        text.sample("gridrelay_envelopes_queued", counters.queued)
        text.family("gridrelay_envelopes_in_flight", .gauge, "Sent and not yet in the next hop's care.")
        text.sample("gridrelay_envelopes_in_flight", counters.inFlight)
    }

    private func addRoom(to text: inout MetricsText) {
        let rows: [(String, String, UInt64)] = [
            ("gridrelay_store_bytes", "Live bytes in the journal.", store.bytes),
            ("gridrelay_store_envelopes", "Envelopes in the journal.", store.envelopes),
            ("gridrelay_store_limit_bytes", "Bytes past which the node refuses to accept more.", store.limitBytes),
            ("gridrelay_memory_held_bytes", "Envelopes held in memory.", memory.heldBytes),
            ("gridrelay_memory_budget_bytes", "What may be held before it goes to the store.", memory.budgetBytes),
        ]
        for (name, help, value) in rows {
            text.family(name, .gauge, help)
            text.sample(name, value)
        }
    }

    private func addQuarantine(to text: inout MetricsText) {
        guard let quarantine else { return }
        text.family("gridrelay_quarantine_envelopes", .gauge, "Kept aside for a person.")
        text.sample("gridrelay_quarantine_envelopes", quarantine.envelopes)
        text.family("gridrelay_quarantine_bytes", .gauge, "Bytes of these.")
        text.sample("gridrelay_quarantine_bytes", quarantine.bytes)
    }

    private func addForecast(_ queues: [QueueReport.Queue], to text: inout MetricsText) {
        if let seconds = store.secondsToFull {
            text.family("gridrelay_store_seconds_to_full", .gauge, "If it goes on growing; missing where it does not.")
            text.sample("gridrelay_store_seconds_to_full", seconds)
        }
        let draining = queues.filter { $0.secondsToDrain != nil }
        guard !draining.isEmpty else { return }
        text.family("gridrelay_queue_seconds_to_drain", .gauge, "If it goes on shrinking; missing where it does not.")
        for queue in draining {
            text.sample(
                "gridrelay_queue_seconds_to_drain", queue.secondsToDrain ?? 0,
                [("destination", queue.destination), ("lane", queue.lane), ("state", queue.state.rawValue)])
        }
    }

    private func addLinks(to text: inout MetricsText) {
        guard !links.isEmpty else { return }
        /// The other end, and whether this node dials.
        func labels(_ link: LinkReport) -> [(String, String)] {
            let dials = link.from == node
            return [("peer", dials ? link.to : link.from), ("dials", dials ? "true" : "false")]
        }
        text.family("gridrelay_link_up", .gauge, "1 while a session with the peer stands.")
        for link in links { text.sample("gridrelay_link_up", UInt64(link.state == .up ? 1 : 0), labels(link)) }
        text.family("gridrelay_link_round_trip_seconds", .gauge, "Measured by ping.")
        for link in links {
            guard let time = link.roundTripMicroseconds else { continue }
            text.sample("gridrelay_link_round_trip_seconds", Double(time) / 1_000_000, labels(link))
        }
        text.family("gridrelay_link_envelopes", .gauge, "For the peer, and not yet in its care.")
        for link in links {
            let count = link.from == node ? link.envelopesQueuedForward : link.envelopesQueuedBack
            text.sample("gridrelay_link_envelopes", count, labels(link))
        }
        text.family("gridrelay_link_bytes", .gauge, "Bytes of these.")
        for link in links {
            let count = link.from == node ? link.bytesQueuedForward : link.bytesQueuedBack
            text.sample("gridrelay_link_bytes", count, labels(link))
        }
    }

    private func addQueues(_ queues: [QueueReport.Queue], to text: inout MetricsText) {
        guard !queues.isEmpty else { return }
        func labels(_ queue: QueueReport.Queue) -> [(String, String)] {
            [("destination", queue.destination), ("lane", queue.lane), ("state", queue.state.rawValue)]
        }
        text.family("gridrelay_queue_envelopes", .gauge, "Waiting for a destination, in flight included.")
        for queue in queues { text.sample("gridrelay_queue_envelopes", queue.envelopes, labels(queue)) }
        text.family("gridrelay_queue_bytes", .gauge, "Bytes of these.")
        for queue in queues { text.sample("gridrelay_queue_bytes", queue.bytes, labels(queue)) }
        text.family("gridrelay_queue_oldest_age_seconds", .gauge, "Age of the oldest of these.")
        for queue in queues {
            guard let age = queue.oldestAgeSeconds else { continue }
            text.sample("gridrelay_queue_oldest_age_seconds", age, labels(queue))
        }
    }

    private func addFlows(_ report: FlowReport, to text: inout MetricsText) {
        let accounts =
            report.flows.map { ([("flow", $0.name)], $0) }
            + [([("flow", "")], report.other), ([("flow", "(answers)")], report.answers)]
        let rows: [(String, MetricsText.Kind, String, (FlowReport.Account) -> UInt64)] = [
            (
                "accepted_envelopes_total", .counter, "Of a flow, taken into this node's care.",
                { $0.accepted + $0.returned }
            ),
            ("delivered_envelopes_total", .counter, "Of these, in the next hop's care or receipted.", { $0.delivered }),
            ("delivered_bytes_total", .counter, "Bytes of these.", { $0.bytesDelivered }),
            ("expired_envelopes_total", .counter, "Dropped at the end of their lives.", { $0.expired }),
            ("refused_envelopes_total", .counter, "Turned away because the flow's quota was full.", { $0.refused }),
            ("held_envelopes", .gauge, "Here now.", { $0.held }),
            ("held_bytes", .gauge, "Bytes of these.", { $0.bytesHeld }),
        ]
        for (name, kind, help, value) in rows {
            text.family("gridrelay_flow_\(name)", kind, help)
            for (labels, account) in accounts { text.sample("gridrelay_flow_\(name)", value(account), labels) }
        }
        text.family("gridrelay_quota_full", .gauge, "1 while a quota of a flow, lane or source refuses more.")
        for (kind, list) in [("flow", report.flows), ("lane", report.lanes), ("source", report.sources)] {
            for account in list where account.maxBytes ?? account.maxEnvelopes ?? account.maxAgeSeconds != nil {
                text.sample(
                    "gridrelay_quota_full", UInt64(account.isFull ? 1 : 0), [("of", kind), ("name", account.name)])
            }
        }
    }

    private func addJobs(to text: inout MetricsText) {
        guard !jobs.isEmpty else { return }
        text.family("gridrelay_job_records_total", .counter, "Records a job has read and handed over.")
        for job in jobs { text.sample("gridrelay_job_records_total", job.records, [("job", job.name)]) }
        text.family("gridrelay_job_envelopes_total", .counter, "Envelopes a job has made.")
        for job in jobs { text.sample("gridrelay_job_envelopes_total", job.envelopes, [("job", job.name)]) }
        text.family("gridrelay_job_unreceipted_envelopes", .gauge, "Sent, and not yet known to have had their effect.")
        for job in jobs { text.sample("gridrelay_job_unreceipted_envelopes", job.unreceipted, [("job", job.name)]) }
        text.family("gridrelay_job_state", .gauge, "1 for the state a job is in.")
        for job in jobs { text.sample("gridrelay_job_state", 1 as UInt64, [("job", job.name), ("state", job.state)]) }
    }

    private func addSinks(to text: inout MetricsText) {
        guard !sinks.isEmpty else { return }
        text.family("gridrelay_sink_records_total", .counter, "Records a sink has taken durably.")
        for sink in sinks { text.sample("gridrelay_sink_records_total", sink.records, [("sink", sink.name)]) }
        text.family("gridrelay_sink_state", .gauge, "1 for the state a sink is in.")
        for sink in sinks {
            text.sample("gridrelay_sink_state", 1 as UInt64, [("sink", sink.name), ("state", sink.state)])
        }
    }
}
