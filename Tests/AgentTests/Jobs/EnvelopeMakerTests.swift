import Crypto
import Envelope
import Keyring
import Node
import Platform
import Testing

@testable import Agent
@testable import AgentCore

@Suite(.timeLimit(.minutes(1))) struct EnvelopeMakerTests {
    private struct Begun: Equatable {
        var stream: StreamID
        var last: StreamID?
    }

    private let directory: TemporaryDirectory
    private let scene = OutboxScene()
    private let pair: KeyedPair
    private let handles = Collected<StreamHandle>()
    private let begun = Collected<StreamID?>()

    init() throws {
        directory = try TemporaryDirectory()
        pair = try KeyedPair(salts: [0, 1])
        try scene.open(directory)
    }

    private func maker(_ keys: KeyRing) -> EnvelopeMaker {
        pair.maker(keys, scene.port) { [handles, begun] handle, last in
            handles.append(handle)
            begun.append(last)
        }
    }

    private func headers(_ count: Int) throws -> [Header] {
        #expect(scene.durable.wait { $0.count == count })
        return try scene.durable.all.map { try Header($0.envelope) }
    }

    @Test func numbersRiseFromOneAndTheDestinationCanOpen() throws {
        let maker = maker(KeyRing(try pair.sourceKeys()))
        #expect(maker.currentStream == nil)
        #expect(maker.hasRoom)
        for number in 1...3 {
            let made = try maker.make(Sample.batch(["\(number)"]), records: 1, checkpoint: [UInt8(number)])
            #expect(made.sequence == Sequence(UInt64(number)))
            #expect(made.stream == maker.currentStream)
        }
        let headers = try headers(3)
        #expect(headers.map(\.sequence.number) == [1, 2, 3])
        #expect(Set(headers.map(\.stream)).count == 1)
        #expect(headers.allSatisfy { $0.floor == Sequence(1) && $0.lane == .live && $0.lifetime == 3600 })
        #expect(scene.durable.all.map(\.checkpoint) == [[1], [2], [3]])
        var opener = Opener(try pair.destinationKeys())
        for (place, durable) in scene.durable.all.enumerated() {
            #expect(try Sample.values(opener.open(durable.envelope)) == ["\(place + 1)"])
        }
        #expect(begun.all == [nil])
        scene.close()
    }

    @Test func theFloorIsTheLowestWithoutReceipt() throws {
        let maker = maker(KeyRing(try pair.sourceKeys()))
        let batch = try Sample.batch(["v"])
        _ = try maker.make(batch, records: 1, checkpoint: nil)
        _ = try maker.make(batch, records: 1, checkpoint: nil)
        handles.all.first?.raiseFloor(to: Sequence(2))
        _ = try maker.make(batch, records: 1, checkpoint: nil)
        // Everything is receipted: the next is the lowest itself.
        handles.all.first?.raiseFloor(to: Sequence(4))
        _ = try maker.make(batch, records: 1, checkpoint: nil)
        #expect(try headers(4).map(\.floor.number) == [1, 1, 2, 4])
        scene.close()
    }

    @Test func aStreamThatFellBehindIsFollowedByAnother() throws {
        let maker = maker(KeyRing(try pair.sourceKeys()))
        let batch = try Sample.batch(["v"])
        _ = try maker.make(batch, records: 1, checkpoint: nil)
        _ = try maker.make(batch, records: 1, checkpoint: nil)
        handles.all.first?.fellBehind()
        #expect(maker.hasRoom)
        _ = try maker.make(batch, records: 1, checkpoint: nil)
        _ = try maker.make(batch, records: 1, checkpoint: nil)
        #expect(try headers(4).map(\.sequence.number) == [1, 2, 1, 2])
        #expect(begun.all == [nil, handles.all.first?.id])
        scene.close()
    }

    @Test func aNewKeyBeginsANewStream() throws {
        let keys = KeyRing(try pair.sourceKeys(1))
        let maker = maker(keys)
        let batch = try Sample.batch(["v"])
        let first = try maker.make(batch, records: 1, checkpoint: nil)
        keys.replace(with: try pair.sourceKeys(1))
        let same = try maker.make(batch, records: 1, checkpoint: nil)
        #expect(same.stream == first.stream, "the same key again changes nothing")
        keys.replace(with: try pair.sourceKeys(2))
        let next = try maker.make(batch, records: 1, checkpoint: nil)
        #expect(next.stream != first.stream)
        #expect(next.sequence == Sequence(1))
        let headers = try headers(3)
        #expect(headers[2].key != headers[0].key)
        #expect(begun.all == [nil, first.stream])
        #expect(handles.all.map(\.id) == [first.stream, next.stream])
        var opener = Opener(try pair.destinationKeys(2))
        for durable in scene.durable.all { #expect(try Sample.values(opener.open(durable.envelope)) == ["v"]) }
        scene.close()
    }

    @Test func eachStartBeginsANewStream() throws {
        let keys = KeyRing(try pair.sourceKeys())
        let batch = try Sample.batch(["v"])
        let first = try maker(keys).make(batch, records: 1, checkpoint: nil)
        let second = try maker(keys).make(batch, records: 1, checkpoint: nil)
        #expect(first.stream != second.stream)
        #expect(try Set(headers(2).map(\.stream)) == [first.stream, second.stream])
        scene.close()
    }

    @Test func withoutAKeyNothingIsMadeUntilThereIsOne() throws {
        let keys = KeyRing(Keychain(holder: pair.sourceName))
        let maker = maker(keys)
        let batch = try Sample.batch(["v"])
        let failure = try #require(throws: JobFailure.self) { try maker.make(batch, records: 1, checkpoint: nil) }
        #expect(failure.ofConnector.state == "misconfigured")
        #expect(failure.description.contains(KeyedPair.destination))
        #expect(begun.all.isEmpty)
        keys.replace(with: try pair.sourceKeys())
        #expect(try maker.make(batch, records: 1, checkpoint: nil).sequence == Sequence(1))
        #expect(try headers(1).count == 1)
        scene.close()
    }
}
