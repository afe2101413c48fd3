import Agent
import Envelope
import Testing

@testable import Connectors

@Suite("Synthetic source and discard sink")
struct SyntheticSourceTests {
    private let clocks = TestClocks()

    private func source(_ settings: SyntheticSettings) -> SyntheticSource {
        SyntheticSource(settings, clocks: clocks.clocks)
    }

    @Test("So many records as asked for, numbered from 0, and on after a checkpoint")
    func count() throws {
        let settings = SyntheticSettings(recordBytes: 40, count: 100)
        let drained = try source(settings).drain(limit: 1_000)
        let values = try drained.values()
        #expect(values.count == 100 && values.allSatisfy { $0.utf8.count == 40 })
        #expect(
            values.map { $0.prefix(16) } == (0..<100).map { Hexadecimal.encode([0, 0, 0, 0, 0, 0, 0, UInt8($0)])[...] })
        let rest = try source(settings).drain(after: drained.checkpoints[0], limit: 1_000)
        #expect(try rest.values() == Array(values.dropFirst(100 - (try rest.values().count))))
        #expect(rest.batches.count == drained.batches.count - 1)
    }

    @Test("A rate gives what is due, and says when to ask again")
    func rate() throws {
        let source = source(SyntheticSettings(rate: 1_000, count: 2_500))
        let first = try source.drain()
        #expect(first.batches.isEmpty && first.again == .milliseconds(1))
        clocks.advance(.milliseconds(250))
        let second = try source.drain()
        #expect(try second.values().count == 250)
        clocks.advance(.seconds(10))
        let third = try source.drain(after: second.checkpoint)
        #expect(try third.values().count == 2_250 && third.again == .milliseconds(1))
        #expect(try source.drain(after: third.checkpoint).again == nil)
    }

    @Test("Only sixteen hexadecimal digits, all of them small, are a number")
    func stamps() throws {
        let number: UInt64 = 0x0123_4567_89ab_cdef
        let text = Array("0123456789abcdef0000000000000010".utf8)
        let stamp = try #require(text.withUnsafeBytes { SyntheticRecord.stamp(of: $0) })
        #expect(stamp.number == number && stamp.nanoseconds == 16)
        for place in 0..<32 {
            for byte in UInt8.min ... .max {
                var changed = text
                changed[place] = byte
                let digit = Array("0123456789abcdef".utf8).firstIndex(of: byte).map { UInt64($0) }
                let read = changed.withUnsafeBytes { SyntheticRecord.stamp(of: $0) }
                let word = place < 16 ? read?.number : read?.nanoseconds
                let shift = UInt64(60 - place % 16 * 4)
                let expected = digit.map { ((place < 16 ? number : 16) & ~(15 << shift)) | $0 << shift }
                #expect(word == expected, "byte \(byte) at \(place)")
            }
        }
        #expect(text.dropLast().withUnsafeBytes { SyntheticRecord.stamp(of: $0) } == nil)
    }

    @Test("Several million records of 128 bytes are made in a second or so")
    func speed() throws {
        let source = SyntheticSource(SyntheticSettings(count: 1_000_000))
        let start = ContinuousClock.now
        #expect(try source.drain().batches.count > 100)
        // Generous: a debug build on a busy machine; an accident such as an array a record would take minutes.
        #expect(ContinuousClock.now - start < .seconds(120))
    }

    @Test("The statistics tell count, gaps, repetitions and latency")
    func statistics() throws {
        let directory = try TemporaryDirectory()
        let settings = DiscardSettings(statistics: directory.path("stats.json"), expected: 90)
        let sink = DiscardSink(settings, clocks: clocks.clocks)
        let batches = try source(SyntheticSettings(recordBytes: 64, count: 100)).drain(limit: 1_000).batches
        clocks.advance(.milliseconds(5))
        var stream = TestStream()
        for (index, bytes) in batches.enumerated() where index != 1 { try sink.apply([stream.delivery(bytes)]) }
        try sink.apply([stream.delivery(batches[0])])
        #expect(sink.mark(of: stream.stream) == Sequence(UInt64(batches.count)))
        try sink.writeStatistics()
        let text = try #require(directory.text("stats.json"))
        var reader = try RecordBatch.Reader(batches[0])
        let each = try reader.remaining().count
        #expect(text.contains("\"records\": 100,") && text.contains("\"distinct\": \(100 - each),"))
        #expect(text.contains("\"duplicates\": \(each),") && text.contains("\"missing\": \(each),"))
        #expect(text.contains("\"latencyMax\": 5000000\n"))
        let damaged = stream.delivery(Array(batches[0].dropLast()))
        let error = try #require(throws: ConnectorError.self) { try sink.apply([damaged]) }
        #expect(error.kind == .rejected)
    }

    @Test("The statistics tell the longest gap between arrivals, and when it ended")
    func gaps() throws {
        let directory = try TemporaryDirectory()
        let sink = DiscardSink(DiscardSettings(statistics: directory.path("stats.json")), clocks: clocks.clocks)
        var stream = TestStream()
        let batches = try source(SyntheticSettings(recordBytes: 64, count: 100)).drain(limit: 1_000).batches
        for (wait, bytes) in zip(
            [Duration.seconds(3), .milliseconds(10), .milliseconds(70), .milliseconds(20)], batches)
        {
            clocks.advance(wait)
            try sink.apply([stream.delivery(bytes)])
        }
        try sink.writeStatistics()
        let text = try #require(directory.text("stats.json"))
        #expect(text.contains("\"longestGap\": 70000000,") && text.contains("\"longestGapEnd\": 4000000003080,"))
    }

    @Test("Numbers in any order are counted right")
    func rangeSet() {
        var set = RangeSet()
        var numbers = (0..<500).map { UInt64($0 * 7 % 500) }
        numbers.removeAll { $0 == 250 }
        let fresh = numbers.filter { set.insert($0) }
        let again = numbers.filter { set.insert($0) }
        #expect(fresh == numbers && again.isEmpty)
        #expect(set.count == 499 && set.missing == 1 && set.ranges == [0...249, 251...499])
    }

    @Test("Quantiles are right to within a thirty-second")
    func quantiles() {
        var histogram = LatencyHistogram()
        for value in 1...100_000 as ClosedRange<UInt64> { histogram.add(value) }
        for share in [0.001, 0.01, 0.5, 0.9, 0.99, 0.999, 1] {
            let exact = share * 100_000
            #expect(abs(Double(histogram.quantile(share)) - exact) <= exact / 32 + 1)
        }
        histogram.add(.max)
        #expect(histogram.largest == .max)
    }
}
