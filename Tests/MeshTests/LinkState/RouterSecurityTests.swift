import Envelope
import Testing

@testable import Mesh

/// What a router makes of messages that are wrong, forged, replayed or contradict each other.
@Suite struct RouterSecurityTests {
    private var router = toyRouter("a/r", boot: 3)
    private var sink = ToySink()

    init() {
        for peer in ["b/r", "c/r"] {
            router.linkUp(peer: node(peer), kind: .relay, cost: 1, dialledByUs: true, at: .zero, into: &sink)
        }
        sink = ToySink()
    }

    private func signed(_ advertisement: Advertisement, by name: String? = nil) -> SignedAdvertisement {
        SignedAdvertisement(advertisement, signedBy: ToyTrust(name: name.map(node) ?? advertisement.origin))
    }

    private func plain(
        _ origin: String, boot: UInt64 = 1, sequence: UInt64 = 1, links: [String] = ["x/r"]
    ) -> Advertisement {
        Advertisement(
            origin: node(origin), stamp: .init(boot: boot, sequence: sequence), madeAt: WallTime(milliseconds: 0),
            links: links.map { .init(peer: node($0), cost: 1, dialledByOrigin: true, isUp: true) })
    }

    private mutating func hear(_ list: [SignedAdvertisement], from peer: String = "b/r", at now: Instant) throws {
        let message = LinkStateMessage.advertisements(list).encoded()
        try router.receive(message, from: node(peer), at: now, into: &sink)
    }

    @Test mutating func anotherSignatureHasNoEffectButAnAlarm() throws {
        var forged = signed(plain("b/r"))
        forged.signature[5] ^= 1
        try hear([forged, signed(plain("c/r"), by: "b/r")], at: seconds(1))
        #expect(router.database.advertisements.isEmpty)
        #expect(
            sink.alarms == [
                .badSignature(origin: node("b/r"), from: node("b/r")),
                .badSignature(origin: node("c/r"), from: node("b/r")),
            ])
        #expect(sink.sent.isEmpty)
    }

    @Test mutating func aForgedOneDoesNotHinderTheOthersOfItsMessage() throws {
        var forged = signed(plain("b/r"))
        forged.bytes[20] ^= 1
        let good = signed(plain("c/r"))
        try hear([forged, good], at: seconds(1))
        #expect(router.database.advertisements.map(\.origin) == [node("c/r")])
        #expect(sink.sent.map(\.peer) == [node("c/r")])
        #expect(sink.sent.first?.message == LinkStateMessage.advertisements([good]).encoded())
    }

    @Test mutating func twoTruthsOfOneNumberAreAnAlarmAndTheFirstHolds() throws {
        let first = plain("b/r")
        try hear([signed(first)], at: seconds(1))
        sink = ToySink()
        try hear([signed(plain("b/r", links: ["c/r"]))], from: "c/r", at: seconds(2))
        #expect(sink.alarms == [.equivocation(origin: node("b/r"), stamp: first.stamp, from: node("c/r"))])
        #expect(sink.sent.isEmpty)
        #expect(router.database.advertisements == [first])
        try hear([signed(plain("b/r", sequence: 2, links: ["c/r"]))], from: "c/r", at: seconds(3))
        #expect(router.database.advertisements.map(\.stamp.sequence) == [2])
    }

    @Test mutating func hearingOurselvesHigherWeGoOnAboveIt() throws {
        try hear([signed(plain("a/r", boot: 9, sequence: 41))], at: seconds(10))
        #expect(router.boot == 9)
        #expect(router.sequence == 42)
        #expect(
            sink.alarms == [
                .ownHigherAdvertisement(heard: .init(boot: 9, sequence: 41), boot: 9, from: node("b/r"))
            ])
        #expect(sink.sent.map(\.peer) == [node("b/r"), node("c/r")])
        #expect(router.database.advertisements.isEmpty)
    }

    @Test mutating func ourOwnNumberWithOtherWordsIsOvertakenToo() throws {
        let sequence = router.sequence
        try hear([signed(plain("a/r", boot: 3, sequence: sequence, links: []))], at: seconds(10))
        #expect(router.sequence == sequence + 1)
        sink = ToySink()
        let own = try #require(router.ownSigned)
        try hear([own, signed(plain("a/r", boot: 3, sequence: 1))], at: seconds(11))
        #expect(sink == ToySink())
    }

    @Test mutating func theLastNumbersDoNotTrap() throws {
        try hear([signed(plain("a/r", boot: 9, sequence: .max))], at: seconds(10))
        #expect(router.boot == 10)
        #expect(router.sequence == 1)
        #expect(
            sink.alarms == [
                .ownHigherAdvertisement(heard: .init(boot: 9, sequence: .max), boot: 10, from: node("b/r"))
            ])
        try hear([signed(plain("a/r", boot: .max, sequence: .max))], at: seconds(20))
        router.timeReached(seconds(30), into: &sink)
        #expect(router.boot == .max)
        #expect(router.sequence == .max)
    }

    @Test mutating func onlyRelaysWithALinkAreListenedTo() {
        router.linkUp(peer: node("a/agent"), kind: .agent, cost: 1, dialledByUs: false, at: .zero, into: &sink)
        router.linkDown(peer: node("c/r"), at: seconds(1), into: &sink)
        let message = LinkStateMessage.digest([]).encoded()
        for peer in ["a/agent", "c/r", "x/r"] {
            #expect(throws: LinkStateError.notARelay(node(peer))) {
                try router.receive(message, from: node(peer), at: seconds(2), into: &sink)
            }
        }
    }

    @Test mutating func brokenMessagesChangeNothing() throws {
        let good = LinkStateMessage.advertisements([signed(plain("b/r")), signed(.sample())]).encoded()
        let deadline = router.nextDeadline
        for count in good.indices {
            #expect(throws: LinkStateError.self) {
                try router.receive(Array(good.prefix(count)), from: node("b/r"), at: .zero, into: &sink)
            }
        }
        for position in good.indices {
            var flipped = good
            flipped[position] ^= 1 << UInt8(position % 8)
            var copy = router
            var noise = ToySink()
            do {
                try copy.receive(flipped, from: node("b/r"), at: .zero, into: &noise)
            } catch {
                #expect(noise == ToySink())
                #expect(copy.database.advertisements.isEmpty)
                continue
            }
            // Flips that leave a message: only what is signed as it stands may have been taken.
            for taken in copy.database.advertisements {
                #expect(taken == plain("b/r") || taken == .sample())
            }
        }
        #expect(sink == ToySink())
        #expect(router.nextDeadline == deadline)
        #expect(router.database.advertisements.isEmpty)
        try router.receive(good, from: node("b/r"), at: .zero, into: &sink)
        #expect(router.database.advertisements.count == 2)
    }

    @Test mutating func aMeshTooLargeIsRefusedUnlessARelayIsSilent() throws {
        let most = Limits.meshRelays - 1
        for index in 0..<most {
            try hear([signed(plain("z/r\(index)"))], at: seconds(index == 7 ? 0 : 100))
        }
        #expect(router.database.advertisements.count == most)
        sink = ToySink()
        try hear([signed(plain("y/new"))], at: seconds(100))
        #expect(sink.alarms == [.tooManyRelays(refused: node("y/new"))])
        #expect(sink.sent.isEmpty)
        router.timeReached(seconds(120), into: &sink)
        try hear([signed(plain("y/new", sequence: 2))], at: seconds(121))
        #expect(router.database.advertisements.count == most)
        #expect(router.database[node("y/new")] != nil)
        #expect(router.database[node("z/r7")] == nil)
    }
}
