import Envelope
import Testing

@testable import Link

/// Envelopes that travel in parts.
struct FragmentTests {
    @Test func longEnvelopesTravelInFragmentsAndLetControlThrough() {
        let pair = Pair()
        let bytes = 3 << 20
        let envelope = [UInt8](repeating: 3, count: bytes)
        pair.a.send(1, .bulk, bytes: bytes)
        var fragments = 1
        while pair.a.session.tokenUnderWay(.bulk) != nil {
            if fragments == 2 { pair.a.send(2, .control) }
            if fragments == 4 { pair.a.send(3, .live, bytes: 600_000) }
            _ = envelope.withUnsafeBytes { whole in
                pair.a.session.continueTransmission(
                    .bulk, envelope: UnsafeRawBufferPointer(rebasing: whole[..<bytes]))
            }
            fragments += 1
        }
        #expect(fragments == (bytes + Limits.frameBytes - 25) / (Limits.frameBytes - 24))
        pair.exchange(pieces: 100_000)
        #expect(pair.b.heard.envelopes.map(\.transmission) == [2, 1])
        #expect(pair.b.heard.envelopes.last?.bytes.count == bytes)
        let live = [UInt8](repeating: 3, count: 600_000)
        while pair.a.session.tokenUnderWay(.live) != nil {
            _ = live.withUnsafeBytes { pair.a.session.continueTransmission(.live, envelope: $0) }
        }
        pair.exchange()
        #expect(pair.b.heard.envelopes.map(\.transmission) == [2, 1, 3])
        #expect(pair.b.error == nil)
    }

    /// Three long envelopes whose fragments come one between the other, and a short one.
    private func manyParts() -> [UInt8] {
        let pair = Pair()
        let long = [UInt8](repeating: 3, count: 700_000)
        let lanes = [Lane.bulk, .live, .control]
        for lane in lanes { pair.a.send(3, lane, bytes: long.count) }
        while let lane = lanes.reversed().first(where: { pair.a.session.tokenUnderWay($0) != nil }) {
            _ = long.withUnsafeBytes { pair.a.session.continueTransmission(lane, envelope: $0) }
        }
        pair.a.send(4)
        return pair.a.take()
    }

    @Test(arguments: [1_000, 9_999, 32, 262_144, .max]) func partsAreJoinedWhereTheOwnerWantsThem(piece: Int) throws {
        let bytes = manyParts()
        let pair = Pair()
        var lender = Lender()
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(piece))
            rest = rest.dropFirst(part.count)
            try part.withUnsafeBytes { try pair.b.session.receive($0, at: pair.b.now, into: &lender) }
        }
        #expect(lender.heard.envelopes.map(\.bytes.count).sorted() == [200, 700_000, 700_000, 700_000])
        #expect(lender.heard.envelopes.allSatisfy { Set($0.bytes) == ($0.bytes.count == 200 ? [4] : [3]) })
        #expect(lender.inPlace >= 3 && lender.lent == 0)
        _ = pair.b.abandon()
        let left = pair.b.session.takeLeftPlaces().count
        #expect(left == 0)
    }

    /// Wherever the connection is cut, what was lent is the owner's again.
    @Test func whatIsNotWholeLeavesNothingBehind() throws {
        let bytes = manyParts()
        for end in stride(from: 40, to: bytes.count, by: 17_321) {
            let pair = Pair()
            var lender = Lender()
            try bytes[..<end].withUnsafeBytes { try pair.b.session.receive($0, at: pair.b.now, into: &lender) }
            _ = pair.b.abandon()
            for place in pair.b.session.takeLeftPlaces() { lender.giveBack(place) }
            #expect(lender.lent == 0, "cut after \(end)")
        }
    }

    /// What is written from where it lies is the same on the wire, and each stretch is told when it is written.
    @Test(arguments: [1_000, 16_384, 100_000, .max]) func lentEnvelopesAreReadWhereTheyLie(piece: Int) {
        let long = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
        long.withUnsafeBytes { long in
            let pair = Pair()
            var lent = 0
            func count(_ written: Written) { lent += written.isLent ? 1 : 0 }
            pair.a.send(1)
            let hop = HopFields()
            count(pair.a.session.transmit(token: 2, lane: .live, hop: hop, envelope: long, in: 9))
            pair.a.send(3, .control)
            while pair.a.session.tokenUnderWay(.live) != nil {
                count(pair.a.session.continueTransmission(.live, envelope: long, in: 9))
            }
            pair.a.send(4)
            #expect(lent == 3)
            let total = pair.a.session.outputCount
            var (sent, told) = (0, 0)
            while pair.a.hasOutput {
                let bytes = pair.a.take(piece)
                sent += bytes.count
                told += pair.a.session.takeWrittenPlaces().count { $0 == 9 }
                pair.b.receive(bytes)
            }
            #expect(sent == total && told == lent)
            #expect(pair.b.heard.envelopes.map(\.transmission) == [1, 3, 2, 4])
            #expect(pair.b.heard.envelopes[2].bytes.elementsEqual(long))
        }
    }

    @Test func aSessionThatIsDroppedGivesAllPlacesBack() {
        let long = [UInt8](repeating: 1, count: 200_000)
        long.withUnsafeBytes { long in
            let pair = Pair()
            for token in UInt32(1)...3 {
                let written = pair.a.session.transmit(
                    token: token, lane: .live, hop: HopFields(), envelope: long, in: Int32(token))
                #expect(written.isLent)
            }
            _ = pair.a.take(20_000)
            _ = pair.a.take(.max)
            let written = pair.a.session.takeWrittenPlaces()
            #expect(written == [1])
            pair.a.session.dropOutput()
            let dropped = pair.a.session.takeWrittenPlaces()
            #expect(dropped == [2, 3] && !pair.a.hasOutput)
        }
    }

    /// A frame that goes on where it must not is refused before its end has come.
    @Test func aLieIsSeenAtTheFramesBeginning() {
        let pair = Pair()
        pair.b.receive(Array(Raw.data(2, total: 200_000, bytes: 200_000, isLast: true).prefix(32)))
        #expect(pair.b.error != nil)
    }

    @Test(arguments: [
        [Raw.data(2, total: 200, bytes: 200, isLast: true)],
        [Raw.data(0, total: 200, bytes: 200, isLast: true)],
        [Raw.data(1, total: 200, bytes: 200, isLast: true), Raw.data(1, total: 200, bytes: 200, isLast: true)],
        [Raw.data(1, total: 103, bytes: 103, isLast: true)],
        [Raw.data(1, total: (16 << 20) + 105, bytes: 200, isLast: false)],
        [Raw.data(1, total: 200, bytes: 199, isLast: true)],
        [Raw.data(1, total: 200, bytes: 201, isLast: true)],
        [Raw.data(1, total: 200, bytes: 200, isLast: false)],
        [Raw.data(1, total: 200, offset: 1, bytes: 199, isLast: true)],
        [
            Raw.data(1, total: 400, bytes: 200, isLast: false),
            Raw.data(1, total: 500, offset: 200, bytes: 200, isLast: true),
        ],
        [
            Raw.data(1, total: 400, bytes: 200, isLast: false),
            Raw.data(1, total: 400, offset: 201, bytes: 199, isLast: true),
        ],
        [
            Raw.data(1, total: 400, bytes: 200, isLast: false),
            Raw.data(1, total: 400, offset: 200, bytes: 201, isLast: true),
        ],
        [
            Raw.data(1, total: 400, bytes: 200, isLast: false),
            Raw.data(1, total: 400, offset: 200, bytes: 200, isLast: false),
        ],
        [
            Raw.data(1, total: 400, bytes: 200, isLast: false),
            Raw.data(2, total: 400, offset: 200, bytes: 200, isLast: true),
        ],
        [Raw.data(1, total: 200, bytes: 0, isLast: true)],
        [Raw.data(1, total: 200, bytes: 200, lane: 3, isLast: true)],
        [Raw.frame(2, flags: 0x80, [UInt8](repeating: 0, count: 200))],
    ])
    func lyingDataEndsTheSession(frames: [[UInt8]]) {
        let pair = Pair()
        for frame in frames { pair.b.receive(frame) }
        #expect(pair.b.error != nil)
        #expect(pair.b.heard.envelopes.count < frames.count)
    }
}
