import Envelope
import Node
import Testing

@testable import Agent
@testable import AgentCore

/// What is told of a ledger: all of it, or what is of a time or waits.
struct StreamReportTests {
    private static let now = WallTime(milliseconds: 100_000_000)
    private static func before(_ seconds: Int64) -> WallTime {
        WallTime(milliseconds: now.milliseconds - seconds * 1000)
    }

    private static let ledger: StreamLedger = {
        var ledger = StreamLedger()
        for (number, age) in [(1, 5000), (2, 5000), (3, 10)] as [(UInt64, Int64)] {
            let stream = OutboxStream(
                id: Sample.stream(number), job: "rows", destination: Sample.destination, lane: .live, chain: number)
            ledger.stored(stream, Sequence(1), records: 7, at: before(age))
            ledger.stored(stream, Sequence(2), records: 7, at: before(age))
            ledger.delivered(Sample.destination, Sample.stream(10 + number), through: Sequence(4), at: before(age))
        }
        ledger.receipted(Sample.stream(1), through: Sequence(2), at: before(4900))
        ledger.expired(Sample.stream(2), Sequence(1), at: before(4900))
        ledger.skipped(Sample.destination, Sample.stream(13), 5...6, at: before(9))
        return ledger
    }()

    private func report(since seconds: Int64? = nil) throws -> StreamReport {
        StreamReport(Self.ledger, of: try NodeName("plant-a/agent"), asOf: Self.now, since: seconds) {
            $0 == Sample.destination ? "plant-b/agent" : "?"
        }
    }

    @Test func allOfItIsToldInNumbers() throws {
        let report = try report()
        #expect(report.schema == 1 && report.node == "plant-a/agent" && report.asOf == Self.now)
        #expect(report.outgoing.count == 3 && report.incoming.count == 3)
        let waiting = try #require(report.outgoing.first { $0.stream == Sample.stream(2).description })
        #expect(waiting.destination == "plant-b/agent" && waiting.job == "rows" && waiting.records == 14)
        #expect(waiting.sent == 2 && waiting.receipted == 0 && !waiting.hasEnded)
        #expect(waiting.expired == [.init(first: 1, last: 1)] && waiting.expiredEnvelopes == 1)
        let taken = try #require(report.incoming.last)
        #expect(taken.source == "plant-b/agent" && taken.delivered == 4 && taken.skipped == [.init(first: 5, last: 6)])
        #expect(taken.first == Self.before(10) && taken.last == Self.before(9))
    }

    @Test func whatIsOldAndSettledIsLeftOut() throws {
        let report = try report(since: 3600)
        #expect(Set(report.outgoing.map(\.stream)) == Set([2, 3].map { Sample.stream($0).description }))
        #expect(report.incoming.map(\.stream) == [Sample.stream(13).description])
        #expect(try self.report(since: 4950).outgoing.count == 3, "a receipt is something that happens")
    }
}
