import Envelope
import Testing

@testable import Mesh

@Suite struct LinkStateMessageTests {
    private static let samples: [LinkStateMessage] = [
        .advertisements([]),
        .advertisements([
            SignedAdvertisement(.sample(), signedBy: ToyTrust(name: node("dmz/relay-1"))),
            SignedAdvertisement(
                age: .milliseconds(123_456), signature: [UInt8](repeating: 9, count: 64), certificate: [1],
                bytes: Advertisement.sample(sequence: 301).encoded()),
        ]),
        .digest([]),
        .digest([
            .init(origin: node("a/r"), stamp: .init(boot: 1, sequence: 2)),
            .init(origin: node("b/r"), stamp: .init(boot: .max, sequence: .max)),
        ]),
        .request([node("a/r"), node("a/s"), node("b/a")]),
    ]

    @Test(arguments: samples) func itComesBack(_ message: LinkStateMessage) throws {
        #expect(try LinkStateMessage(decoding: message.encoded()) == message)
    }

    @Test(arguments: samples) func truncationAnywhereThrows(_ message: LinkStateMessage) {
        let bytes = message.encoded()
        for count in bytes.indices {
            #expect(throws: LinkStateError.self) { try LinkStateMessage(decoding: Array(bytes.prefix(count))) }
        }
        #expect(throws: LinkStateError.trailingBytes(1)) { try LinkStateMessage(decoding: bytes + [0]) }
    }

    @Test(arguments: samples) func flippedBitsThrowOrMeanSomethingElse(_ message: LinkStateMessage) {
        let bytes = message.encoded()
        for position in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[position] ^= 1 << UInt8(bit)
                guard let read = try? LinkStateMessage(decoding: flipped) else { continue }
                #expect(read != message)
                #expect(read.encoded() == flipped)
            }
        }
    }

    @Test func unknownTypesAndVersionsThrow() {
        #expect(throws: LinkStateError.version(9)) { try LinkStateMessage(decoding: [9, 1, 0, 0]) }
        #expect(throws: LinkStateError.unknownMessage(4)) { try LinkStateMessage(decoding: [1, 4, 0, 0]) }
    }

    @Test func entriesThatDoNotRiseThrow() {
        let entry = LinkStateMessage.DigestEntry(origin: node("a/r"), stamp: .init(boot: 1, sequence: 2))
        #expect(throws: LinkStateError.outOfOrder("origins")) {
            try LinkStateMessage(decoding: LinkStateMessage.digest([entry, entry]).encoded())
        }
        #expect(throws: LinkStateError.outOfOrder("origins")) {
            try LinkStateMessage(decoding: LinkStateMessage.request([node("b/r"), node("a/r")]).encoded())
        }
    }

    @Test func manyAdvertisementsBecomeMessagesWithinTheLimit() throws {
        let signed = SignedAdvertisement(
            age: .zero, signature: [UInt8](repeating: 0, count: 64), certificate: [UInt8](repeating: 1, count: 4096),
            bytes: [UInt8](repeating: 1, count: Limits.advertisementBytes))
        let small = SignedAdvertisement(.sample(), signedBy: ToyTrust(name: node("dmz/relay-1")))
        let list = [small, signed, small, small, signed] + [SignedAdvertisement](repeating: small, count: 240)
        let messages = LinkStateMessage.messages(with: list)
        var read: [SignedAdvertisement] = []
        for message in messages {
            #expect(message.count <= Limits.linkStateMessageBytes)
            guard case .advertisements(let part) = try LinkStateMessage(decoding: message) else {
                Issue.record("another message")
                return
            }
            read += part
        }
        #expect(read == list)
        #expect(messages.count == 4)
        #expect(LinkStateMessage.messages(with: []).isEmpty)
    }

    @Test func theFullestDigestFitsOneMessage() throws {
        let zone = String(repeating: "z", count: Limits.nameLength)
        let entries = (0..<Limits.meshRelays).map { index in
            let digits = String(index + 1000)
            let local = String(repeating: "r", count: Limits.nameLength - digits.count) + digits
            return LinkStateMessage.DigestEntry(
                origin: node("\(zone)/\(local)"), stamp: .init(boot: .max, sequence: .max))
        }
        let bytes = LinkStateMessage.digest(entries).encoded()
        #expect(bytes.count <= Limits.linkStateMessageBytes)
        #expect(try LinkStateMessage(decoding: bytes) == .digest(entries))
    }
}
