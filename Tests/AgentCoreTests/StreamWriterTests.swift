import Envelope
import Testing

@testable import AgentCore

@Suite struct StreamWriterTests {
    private let keys = (1...2 as ClosedRange<UInt64>).map { KeyID(Bytes16(low: $0, high: 0)) }

    private func writer(_ change: (inout StreamWriter.Settings) -> Void = { _ in }) -> StreamWriter {
        var settings = StreamWriter.Settings(job: "job", destination: Sample.destination, lane: .live, chain: 7)
        change(&settings)
        return StreamWriter(settings)
    }

    private func begin(_ writer: inout StreamWriter, _ number: UInt64, _ key: KeyID) -> StreamID? {
        writer.begin(Sample.stream(number), with: key).last
    }

    @Test func aStreamBeginsWithTheProcess() {
        var writer = writer()
        #expect(writer.mustBegin(with: keys[0]))
        #expect(writer.hasRoom(floor: Sequence(1)))
        let (stream, last) = writer.begin(Sample.stream(1), with: keys[0])
        #expect(last == nil)
        #expect(stream.id == Sample.stream(1) && stream.job == "job" && stream.chain == 7 && stream.lane == .live)
        #expect(!writer.mustBegin(with: keys[0]))
        #expect(writer.next == Sequence(1))
    }

    @Test func anotherKeyBeginsAnotherStreamAtOneAndEndsTheFirst() {
        var writer = writer()
        _ = begin(&writer, 1, keys[0])
        writer.advance()
        writer.advance()
        #expect(writer.next == Sequence(3))
        #expect(writer.mustBegin(with: keys[1]))
        #expect(begin(&writer, 2, keys[1]) == Sample.stream(1))
        #expect(writer.next == Sequence(1) && writer.stream?.id == Sample.stream(2))
        #expect(!writer.mustBegin(with: keys[1]))
        #expect(
            writer.mustBegin(with: keys[0]), "a clock that goes back to the first key must not go back to its numbers")
    }

    @Test func whatIsFreshGoesInAnotherStreamThanTheOneThatFellBehind() {
        var writer = writer { $0.window = 2 }
        _ = begin(&writer, 1, keys[0])
        writer.advance()
        writer.advance()
        writer.fellBehind(Sample.stream(9))
        #expect(!writer.mustBegin(with: keys[0]) && !writer.hasRoom(floor: Sequence(1)))
        writer.fellBehind(Sample.stream(1))
        #expect(writer.mustBegin(with: keys[0]) && writer.hasRoom(floor: Sequence(1)))
        #expect(begin(&writer, 2, keys[0]) == Sample.stream(1))
        #expect(!writer.mustBegin(with: keys[0]) && writer.next == Sequence(1))
    }

    @Test func aFullStreamIsFollowedByAnother() {
        var writer = writer { $0.envelopes = 3 }
        _ = begin(&writer, 1, keys[0])
        for _ in 1...3 {
            #expect(!writer.mustBegin(with: keys[0]))
            writer.advance()
        }
        #expect(writer.mustBegin(with: keys[0]))
        #expect(begin(&writer, 2, keys[0]) == Sample.stream(1))
        #expect(writer.next == Sequence(1))
    }

    @Test func theDestinationsWindowIsNotOverrun() {
        var writer = writer { $0.window = 3 }
        _ = begin(&writer, 1, keys[0])
        for _ in 1...3 {
            #expect(writer.hasRoom(floor: Sequence(1)))
            writer.advance()
        }
        #expect(!writer.hasRoom(floor: Sequence(1)))
        #expect(writer.hasRoom(floor: Sequence(2)))
        #expect(StreamWriter.window < Limits.window)
    }
}
