import Envelope
import Link
import Testing

@testable import AgentCore

/// What is remembered of streams, how much of it, and that it never says more than is true.
struct StreamLedgerTests {
    private static let peer = AgentScene.id(AgentScene.peer)
    private static func wall(_ seconds: Int64) -> WallTime { WallTime(milliseconds: seconds * 1000) }

    private func entry(_ ledger: StreamLedger, _ stream: UInt64 = 1) throws -> StreamLedger.Outgoing {
        try #require(ledger.outgoing.first { $0.stream == Sample.stream(stream) })
    }

    private func ledger(sent: UInt64, receipted: UInt64 = 0) -> StreamLedger {
        var ledger = StreamLedger()
        for sequence in 1...sent {
            ledger.stored(AgentScene.stream(1), Sequence(sequence), records: 10, at: Self.wall(Int64(sequence)))
        }
        if receipted > 0 { ledger.receipted(Sample.stream(1), through: Sequence(receipted), at: Self.wall(0)) }
        return ledger
    }

    @Test func aStreamIsCountedFromItsFirstEnvelopeToItsEnd() throws {
        var ledger = ledger(sent: 3, receipted: 2)
        var made = try entry(ledger)
        #expect(made.job == AgentScene.job && made.destination == Self.peer)
        #expect(made.records == 30 && made.sent == Sequence(3) && made.receipted == Sequence(2))
        #expect(made.first == Self.wall(1) && made.last == Self.wall(3))
        #expect(!made.hasEnded && !made.recordsAreAtLeast)
        ledger.ended(Sample.stream(1))
        made = try entry(ledger)
        #expect(made.hasEnded)
    }

    @Test func numbersOnlyRise() throws {
        var ledger = ledger(sent: 5, receipted: 4)
        ledger.stored(AgentScene.stream(1), Sequence(2), records: 10, at: Self.wall(0))
        ledger.receipted(Sample.stream(1), through: Sequence(1), at: Self.wall(0))
        var made = try entry(ledger)
        #expect(made.records == 50 && made.sent == Sequence(5) && made.receipted == Sequence(4))
        #expect(made.last == Self.wall(5))
        // More than was sent is not receipted here, whatever somebody says.
        ledger.receipted(Sample.stream(1), through: Sequence(99), at: Self.wall(0))
        made = try entry(ledger)
        #expect(made.receipted == Sequence(5))
        ledger.delivered(Self.peer, Sample.stream(7), through: Sequence(9), at: Self.wall(2))
        ledger.delivered(Self.peer, Sample.stream(7), through: Sequence(3), at: Self.wall(1))
        let taken = try #require(ledger.incoming.first)
        #expect(taken.delivered == Sequence(9) && taken.first == Self.wall(2) && taken.last == Self.wall(2))
    }

    @Test func theSameStreamOfTwoSourcesIsTwo() {
        var ledger = StreamLedger()
        ledger.delivered(Self.peer, Sample.stream(7), through: Sequence(9), at: Self.wall(2))
        ledger.delivered(AgentScene.id(AgentScene.relay), Sample.stream(7), through: Sequence(1), at: Self.wall(2))
        #expect(ledger.incoming.map(\.delivered) == [Sequence(9), Sequence(1)])
    }

    @Test func whatExpiredIsRangesAndACountAndBounded() throws {
        var ledger = ledger(sent: 1)
        for sequence in [3, 4, 5, 9, 4] as [UInt64] {
            ledger.expired(Sample.stream(1), Sequence(sequence), at: Self.wall(0))
        }
        var made = try entry(ledger)
        #expect(made.expired.ranges == [3...5, 9...9] && made.expiredCount == 4)
        for number in 0..<UInt64(StreamLedger.ranges) {
            ledger.expired(Sample.stream(1), Sequence(100 + 2 * number), at: Self.wall(0))
        }
        made = try entry(ledger)
        #expect(made.expired.ranges.count == StreamLedger.ranges)
        #expect(made.expired.ranges.first == 100...100, "the lowest go")
        #expect(made.expiredCount == 4 + UInt64(StreamLedger.ranges))
    }

    @Test func whatASinkWentOnBehindIsAGapUnlessItWasDeliveredBefore() {
        var ledger = StreamLedger()
        ledger.delivered(Self.peer, Sample.stream(7), through: Sequence(4), at: Self.wall(1))
        ledger.skipped(Self.peer, Sample.stream(7), 1...3, at: Self.wall(2))
        #expect(ledger.incoming.map(\.skipped.isEmpty) == [true], "another sink had them")
        ledger.skipped(Self.peer, Sample.stream(7), 3...9, at: Self.wall(3))
        ledger.delivered(Self.peer, Sample.stream(7), through: Sequence(10), at: Self.wall(3))
        #expect(ledger.incoming.map(\.skipped.ranges) == [[5...9]])
        ledger.skipped(Self.peer, Sample.stream(8), 1...2, at: Self.wall(4))
        #expect(ledger.incoming.map(\.skipped.ranges) == [[5...9], [1...2]])
    }

    @Test func theStreamTouchedLongestAgoGoesFirst() {
        var ledger = StreamLedger(capacity: 2)
        ledger.stored(AgentScene.stream(1), Sequence(1), records: 1, at: Self.wall(1))
        ledger.stored(AgentScene.stream(2), Sequence(1), records: 1, at: Self.wall(2))
        ledger.receipted(Sample.stream(1), through: Sequence(1), at: Self.wall(0))
        ledger.stored(AgentScene.stream(3), Sequence(1), records: 1, at: Self.wall(3))
        #expect(ledger.outgoing.map(\.stream) == [Sample.stream(1), Sample.stream(3)])
        for stream in 1...4 as ClosedRange<UInt64> {
            ledger.delivered(Self.peer, Sample.stream(stream), through: Sequence(1), at: Self.wall(1))
        }
        #expect(ledger.incoming.map(\.stream) == [Sample.stream(3), Sample.stream(4)])
        #expect(ledger.forgotten.outgoing == 1 && ledger.forgotten.incoming == 2)
        // What is not remembered is not made up.
        ledger.receipted(Sample.stream(2), through: Sequence(1), at: Self.wall(0))
        ledger.expired(Sample.stream(2), Sequence(1), at: Self.wall(0))
        ledger.ended(Sample.stream(2))
        #expect(ledger.outgoing.count == 2)
    }

    // MARK: Over a restart

    @Test func anOldCopyIsRaisedByWhatTheOutboxHolds() throws {
        var ledger = ledger(sent: 3, receipted: 1)
        for sequence in [4, 5, 6] as [UInt64] {
            ledger.recovered(
                Sample.stream(1), Sequence(sequence), job: AgentScene.job, destination: Self.peer, at: Self.wall(50))
        }
        ledger.recovered { $0 == Sample.stream(1) ? Sequence(4) : nil }
        let made = try entry(ledger)
        #expect(made.sent == Sequence(6) && made.receipted == Sequence(3))
        #expect(made.records == 30 && made.recordsAreAtLeast)
        #expect(!made.hasEnded && made.last == Self.wall(3), "nothing of it was made at the start")
    }

    @Test func whatTheOutboxDoesNotHoldIsSettled() throws {
        var ledger = ledger(sent: 3, receipted: 1)
        ledger.recovered { _ in nil }
        let made = try entry(ledger)
        #expect(made.hasEnded && made.sent == Sequence(3) && made.receipted == Sequence(3))
        #expect(!made.recordsAreAtLeast)
    }

    @Test func aLostCopyBeginsWithWhatTheOutboxHolds() throws {
        var ledger = StreamLedger()
        ledger.recovered(
            Sample.stream(1), Sequence(8), job: AgentScene.job, destination: Self.peer, at: Self.wall(50))
        ledger.recovered { _ in Sequence(8) }
        let made = try entry(ledger)
        #expect(made.sent == Sequence(8) && made.receipted == Sequence(7) && made.records == 0)
        #expect(made.first == Self.wall(50) && made.recordsAreAtLeast)
    }

    // MARK: The file

    static let full: StreamLedger = {
        var ledger = StreamLedger(capacity: 3)
        for stream in 1...5 as ClosedRange<UInt64> {
            ledger.stored(AgentScene.stream(stream), Sequence(stream), records: 7, at: wall(Int64(stream)))
            ledger.delivered(peer, Sample.stream(50 + stream), through: Sequence(stream), at: wall(9))
        }
        ledger.expired(Sample.stream(4), Sequence(2), at: Self.wall(0))
        ledger.ended(Sample.stream(5))
        ledger.skipped(peer, Sample.stream(54), 6...8, at: wall(10))
        ledger.recovered(Sample.stream(6), Sequence(9), job: "", destination: peer, at: wall(-1))
        return ledger
    }()

    @Test func aFileIsReadAsWritten() throws {
        let read = try #require(StreamLedger(file: Self.full.file, capacity: 3))
        #expect(read.outgoing == Self.full.outgoing && read.incoming == Self.full.incoming)
        #expect(read.forgotten == Self.full.forgotten && read.file == Self.full.file)
        #expect(StreamLedger(file: StreamLedger().file)?.outgoing == [])
        #expect(StreamLedger(file: Self.full.file, capacity: 2) == nil, "more than there may be")
    }

    @Test func aFileThatIsCutOrFlippedIsNone() {
        let file = Self.full.file
        for length in 0..<file.count { #expect(StreamLedger(file: Array(file[..<length])) == nil) }
        for place in file.indices {
            var damaged = file
            damaged[place] ^= 1 << UInt8(place % 8)
            #expect(StreamLedger(file: damaged) == nil)
        }
        #expect(StreamLedger(file: file + [0]) == nil)
    }

    @Test func theLongestFileIsWithinItsBound() {
        var ledger = StreamLedger()
        let job = String(repeating: "j", count: 255)
        for number in 0..<UInt64(StreamLedger.streams) {
            ledger.stored(AgentScene.stream(number, job: job), Sequence(1), records: 1, at: Self.wall(1))
            ledger.delivered(Self.peer, Sample.stream(number), through: Sequence(1), at: Self.wall(1))
        }
        for number in 1...UInt64(StreamLedger.ranges) {
            ledger.skipped(Self.peer, Sample.stream(0), 2 * number...2 * number, at: Self.wall(1))
            ledger.expired(Sample.stream(0), Sequence(2 * number), at: Self.wall(0))
        }
        #expect(ledger.file.count < StreamLedger.longestFile)
        #expect(StreamLedger(file: ledger.file)?.outgoing.count == StreamLedger.streams)
    }
}
