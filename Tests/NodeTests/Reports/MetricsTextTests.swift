import Envelope
import Testing

@testable import Node

struct MetricsTextTests {
    private static let now = WallTime(milliseconds: 1_795_254_759_500)

    private static let status = NodeStatus(
        node: "plant-a/relay-1", role: "relay", version: "0.1.0", pid: 42, started: now, uptimeSeconds: 7, asOf: now,
        links: [
            LinkReport(
                from: "plant-a/relay-1", to: "dmz/relay-1", state: .up, roundTripMicroseconds: 1500,
                bytesQueuedForward: 11, envelopesQueuedForward: 1, bytesQueuedBack: 99, envelopesQueuedBack: 9,
                asOf: now),
            LinkReport(
                from: "plant-a/agent-1", to: "plant-a/relay-1", state: .down, bytesQueuedForward: 99,
                envelopesQueuedForward: 9, bytesQueuedBack: 22, envelopesQueuedBack: 2, asOf: now),
        ],
        counters: CounterReport(
            accepted: 10, delivered: 5, queued: 2, inFlight: 1, dropped: ["unreadable": 0, "expired": 2], returned: 3),
        store: StoreReport(bytes: 1, envelopes: 2, limitBytes: .max, secondsToFull: 90.5),
        reactors: 3,
        jobs: [JobReport(name: "a\"b\\c\nd", state: "idle", records: 9, envelopes: 4, unreceipted: 1)],
        sinks: [SinkReport(name: "rows", state: "running", records: 3)],
        lastReload: ReloadReport(at: now, ok: false, error: "line 3"))

    private static let queues = QueueReport(
        node: "plant-a/relay-1", asOf: now,
        queues: [
            .init(
                destination: "plant-b/agent-1", lane: "live", envelopes: 2, bytes: 300, oldestAgeSeconds: 1.25,
                state: .parked, secondsToDrain: 12.5)
        ])

    private static let flows = FlowReport(
        node: "plant-a/relay-1", asOf: now,
        flows: [
            .init(
                "quality", accepted: 5, delivered: 3, returned: 2, refused: 7, held: 2, isFull: true, maxEnvelopes: 2),
            .init("free", accepted: 1, delivered: 1),
        ],
        lanes: [.init("live", accepted: 6, delivered: 4, held: 2, maxBytes: 9)], sources: [], other: .init("other"),
        answers: .init("answers", accepted: 9, delivered: 9))

    private func lines() throws -> [String] {
        guard case .text(200, let type, let text) = Self.status.metrics(Self.queues, Self.flows) else {
            throw Unexpected()
        }
        #expect(type == "text/plain; version=0.0.4; charset=utf-8")
        #expect(text.hasSuffix("\n"))
        return text.split(separator: "\n").map(String.init)
    }

    private struct Unexpected: Error {}

    @Test(arguments: [
        "gridrelay_info{node=\"plant-a/relay-1\",role=\"relay\",version=\"0.1.0\"} 1",
        "process_start_time_seconds 1795254759.5", "gridrelay_reload_success 0", "gridrelay_reactors 3",
        "gridrelay_envelopes_accepted_total 13", "gridrelay_envelopes_delivered_total 5",
        "gridrelay_envelopes_returned_total 3", "gridrelay_envelopes_dropped_total{reason=\"expired\"} 2",
        "gridrelay_envelopes_queued 2", "gridrelay_envelopes_in_flight 1",
        "gridrelay_store_limit_bytes 18446744073709551615",
        "gridrelay_link_up{peer=\"dmz/relay-1\",dials=\"true\"} 1",
        "gridrelay_link_up{peer=\"plant-a/agent-1\",dials=\"false\"} 0",
        "gridrelay_link_round_trip_seconds{peer=\"dmz/relay-1\",dials=\"true\"} 0.0015",
        "gridrelay_link_bytes{peer=\"dmz/relay-1\",dials=\"true\"} 11",
        "gridrelay_link_bytes{peer=\"plant-a/agent-1\",dials=\"false\"} 22",
        "gridrelay_queue_bytes{destination=\"plant-b/agent-1\",lane=\"live\",state=\"parked\"} 300",
        "gridrelay_queue_oldest_age_seconds{destination=\"plant-b/agent-1\",lane=\"live\",state=\"parked\"} 1.25",
        "gridrelay_store_seconds_to_full 90.5",
        "gridrelay_queue_seconds_to_drain{destination=\"plant-b/agent-1\",lane=\"live\",state=\"parked\"} 12.5",
        "gridrelay_flow_accepted_envelopes_total{flow=\"quality\"} 7",
        "gridrelay_flow_refused_envelopes_total{flow=\"quality\"} 7",
        "gridrelay_flow_held_envelopes{flow=\"quality\"} 2",
        "gridrelay_flow_delivered_envelopes_total{flow=\"(answers)\"} 9",
        "gridrelay_quota_full{of=\"flow\",name=\"quality\"} 1", "gridrelay_quota_full{of=\"lane\",name=\"live\"} 0",
        "gridrelay_job_records_total{job=\"a\\\"b\\\\c\\nd\"} 9",
        "gridrelay_sink_state{sink=\"rows\",state=\"running\"} 1",
    ]) func tells(line: String) throws {
        #expect(try lines().contains(line))
    }

    /// What a collector checks: each family has its help and type, once and in front of its samples, and no sample
    /// comes twice.
    @Test func everySampleStandsInItsFamily() throws {
        var families: Set<String> = []
        var samples: Set<String> = []
        var current = ""
        for line in try lines() {
            if line.hasPrefix("# HELP ") {
                current = String(line.split(separator: " ")[2])
                #expect(families.insert(current).inserted, "\(current) begins twice")
            } else if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                #expect(words.count == 4 && words[2] == current)
                #expect((words[3] == "counter") == current.hasSuffix("_total"), "\(line)")
            } else {
                let name = line.prefix { $0 != "{" && $0 != " " }
                #expect(name == current, "\(line)")
                let series = line.prefix(upTo: line.lastIndex(of: " ") ?? line.endIndex)
                #expect(samples.insert(String(series)).inserted, "\(line)")
                #expect(Double(line.split(separator: " ").last ?? "") != nil, "\(line)")
            }
        }
        #expect(families.count > 20)
    }
}
