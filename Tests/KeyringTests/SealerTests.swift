import Crypto
import Envelope
import Keyring
import Testing

@Suite struct SealerTests {
    static let text = Array(String(repeating: "pressure 1.013 bar; ", count: 50).utf8)

    @Test(arguments: Compression.allCases)
    func roundTrip(_ compression: Compression) throws {
        var sealer = try Fixture.sealer()
        var opener = Opener(try Fixture.receiver())
        for (index, batch) in [[], [1], Self.text, Array(repeating: 7, count: 100_000)].enumerated() {
            let place = Sequence(UInt64(index + 1))
            var envelope: [UInt8] = [42]
            try sealer.seal(
                batch, sequence: place, floor: Sequence(1), created: Fixture.now, lifetime: 60, lane: .bulk,
                compression: compression, into: &envelope)
            #expect(envelope.removeFirst() == 42)
            let header = try Header(envelope)
            #expect(header.sequence == place)
            #expect(header.lane == .bulk)
            #expect(header.source == NodeID(of: try Fixture.name("plant-a/agent")))
            #expect(header.envelopeLength == envelope.count)
            #expect(try opener.open(envelope) == batch)
        }
        #expect(opener.streamsHeld == 1)
    }

    @Test(arguments: Header.Kind.allCases)
    func everyKindOpens(_ kind: Header.Kind) throws {
        var opener = Opener(try Fixture.receiver())
        #expect(try opener.open(try Fixture.seal(Self.text, kind: kind)) == Self.text)
    }

    @Test func longestBatch() throws {
        let batch = [UInt8](repeating: 5, count: Limits.batchBytes)
        let envelope = try Fixture.seal(batch)
        #expect(envelope.count <= Limits.bodyBytes + Header.size)
        var opener = Opener(try Fixture.receiver())
        #expect(try opener.open(envelope) == batch)
        #expect(throws: SealError.batchTooLong(Limits.batchBytes + 1)) { try Fixture.seal(batch + [1]) }
    }

    @Test func plaintextIsNotToBeSeen() throws {
        let marker = Array("do-not-let-this-be-seen".utf8)
        let envelope = try Fixture.seal(marker + Self.text)
        let found = (0...(envelope.count - 8)).contains { envelope[$0..<$0 + 8].elementsEqual(marker[..<8]) }
        #expect(!found)
    }

    @Test func sequencesRise() throws {
        var sealer = try Fixture.sealer()
        var envelope: [UInt8] = []
        func seal(_ number: UInt64) throws(SealError) {
            try sealer.seal(
                [1], sequence: Sequence(number), floor: .none, created: Fixture.now, lifetime: 1, lane: .live,
                into: &envelope)
        }
        #expect(throws: SealError.sequenceNotRising(.none, last: .none)) { try seal(0) }
        try seal(5)
        let before = envelope
        #expect(throws: SealError.sequenceNotRising(Sequence(5), last: Sequence(5))) { try seal(5) }
        #expect(throws: SealError.sequenceNotRising(Sequence(4), last: Sequence(5))) { try seal(4) }
        try seal(Limits.streamEnvelopes)
        #expect(throws: SealError.streamExhausted) { try seal(Limits.streamEnvelopes + 1) }
        #expect(envelope.starts(with: before))
        #expect(envelope.count == 2 * before.count)
    }

    @Test func headerRulesHold() throws {
        var sealer = try Fixture.sealer()
        var envelope: [UInt8] = []
        #expect(throws: SealError.header(.zeroLifetime)) {
            try sealer.seal(
                [1], sequence: Sequence(1), floor: .none, created: Fixture.now, lifetime: 0, lane: .live,
                into: &envelope)
        }
        #expect(throws: SealError.header(.floorAboveSequence)) {
            try sealer.seal(
                [1], sequence: Sequence(1), floor: Sequence(2), created: Fixture.now, lifetime: 1, lane: .live,
                into: &envelope)
        }
        #expect(envelope.isEmpty)
    }
}
