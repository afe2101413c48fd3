import Admin
import Envelope
import Node
import Testing

@testable import Commands

struct QuarantineCommandTests {
    private static let report: QuarantineReport = {
        var rejected = QuarantineReport.Entry(id: "7f-12-ab", kind: "rejected", reason: "does not fit", bytes: 2048)
        rejected.received = WallTime(milliseconds: Samples.now.milliseconds - 60_000)
        (rejected.topic, rejected.sink, rejected.source) = ("orders", "rows", "plant-a/agent")
        rejected.sequence = 12
        let damaged = QuarantineReport.Entry(id: "unreadable-cd", kind: "damaged", reason: "no header", bytes: 3)
        return QuarantineReport(node: "plant-b/agent", asOf: Samples.now, envelopes: [rejected, damaged])
    }()

    private static let node: @Sendable (AdminRequest) -> AdminResponse = { request in
        switch (request.method, request.path) {
        case ("GET", "/v1/quarantine"): .json(status: 200, report)
        case ("GET", "/v1/quarantine/7f-12-ab"): .bytes(status: 200, [1, 2, 3])
        case ("DELETE", "/v1/quarantine/7f-12-ab"), ("DELETE", "/v1/quarantine/unreadable-cd"):
            .json(status: 200, ["removed": "it"])
        case ("POST", "/v1/quarantine/7f-12-ab/retry"):
            .json(
                status: 200,
                QuarantineOutcome(id: "7f-12-ab", outcome: request.query["sink"] == "rest" ? .delivered : .kept))
        default: .problem(status: 404, "nothing here", hint: "look again")
        }
    }

    @Test func whatLiesThereIsListedAndShown() throws {
        try Stage(Self.node).play(
            """
            $ relayctl quarantine list
            ID             KIND           CAME  FROM           TOPIC   SINK    BYTES  REASON
            7f-12-ab       rejected  1 min ago  plant-a/agent  orders  rows  2.0 KiB  does not fit
            unreadable-cd  damaged           -  -              -       -         3 B  no header
            """)
        let shown = try Stage(Self.node).run(["quarantine", "show", "7f-12-ab"])
        #expect(shown.code == .ok && shown.output.contains("does not fit") && shown.output.contains("12"))
        let missing = try Stage(Self.node).run(["quarantine", "show", "no"])
        #expect(missing.code == .failed && missing.talk.contains("quarantine list"))
    }

    @Test func whatStaysIsAFailure() throws {
        let stage = try Stage(Self.node)
        let kept = stage.run(["quarantine", "retry", "--all"])
        #expect(kept.code == .failed && kept.talk.contains("7f-12-ab  stays") && !kept.talk.contains("unreadable"))
        let redirected = stage.run(["quarantine", "redirect", "7f-12-ab", "--sink", "rest"])
        #expect(redirected.code == .ok && redirected.talk.contains("delivered"))
        #expect(stage.run(["quarantine", "retry", "unreadable-cd"]).code == .failed)
        #expect(stage.run(["quarantine", "retry"]).code == .usage)
        #expect(stage.run(["quarantine", "retry", "--all", "7f-12-ab"]).code == .usage)
    }

    @Test func nothingIsDeletedByTheWay() throws {
        let stage = try Stage(Self.node)
        let asked = stage.run(["quarantine", "purge", "--all"])
        #expect(asked.code == .usage && asked.talk.contains("2 would be deleted"))
        let deleted = stage.run(["quarantine", "purge", "--all", "--yes"])
        #expect(deleted.code == .ok && deleted.talk.contains("unreadable-cd  deleted"))
    }

    @Test func anExportIsTheEnvelopeAndReplacesNothing() throws {
        let stage = try Stage(Self.node)
        let path = stage.directory + "/it.envelope"
        #expect(stage.run(["quarantine", "export", "7f-12-ab", "--to", path]).code == .ok)
        #expect(try LocalFile.read(path, limit: 10) == [1, 2, 3])
        #expect(stage.run(["quarantine", "export", "7f-12-ab", "--to", path]).code == .failed)
    }
}
