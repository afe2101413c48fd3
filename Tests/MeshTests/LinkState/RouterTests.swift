import Envelope
import Testing

@testable import Mesh

/// One router fed by hand with what others would say.
@Suite struct RouterTests {
    private var router = toyRouter("a/r")
    private var sink = ToySink()

    private mutating func up(_ peer: String, kind: NodeKind = .relay, cost: UInt16 = 10, at now: Instant = .zero) {
        router.linkUp(peer: node(peer), kind: kind, cost: cost, dialledByUs: true, at: now, into: &sink)
    }

    private func message(_ advertisements: [Advertisement], age: Duration = .zero) -> [UInt8] {
        LinkStateMessage.advertisements(
            advertisements.map {
                var signed = SignedAdvertisement($0, signedBy: ToyTrust(name: $0.origin))
                signed.age = age
                return signed
            }
        ).encoded()
    }

    private func relay(
        _ name: String, boot: UInt64 = 1, sequence: UInt64 = 1, links: [String] = [], agents: [String] = [],
        cost: UInt16 = 10
    ) -> Advertisement {
        Advertisement(
            origin: node(name), stamp: .init(boot: boot, sequence: sequence), madeAt: WallTime(milliseconds: 0),
            links: links.sorted().map { .init(peer: node($0), cost: cost, dialledByOrigin: false, isUp: true) },
            attached: agents.sorted().map { .init(node: node($0), kind: .agent, dialledByOrigin: false, isUp: true) })
    }

    private mutating func hear(
        _ advertisements: [Advertisement], from peer: String, age: Duration = .zero, at now: Instant = .zero
    ) throws {
        try router.receive(message(advertisements, age: age), from: node(peer), at: now, into: &sink)
    }

    private func route(_ name: String) -> Route { router.route(to: toyID(name)) }

    private var lastOwn: Advertisement? {
        get throws { try router.ownSigned.map { try Advertisement(decoding: $0.bytes) } }
    }

    // MARK: Routes

    @Test mutating func aNeighbourCountsOnceItListsUs() throws {
        up("b/r")
        #expect(route("b/r") == .unreachable)
        #expect(route("a/r") == .local)
        #expect(route("c/r") == .unknown)
        sink = ToySink()
        try hear([relay("b/r", links: ["a/r", "c/r"], agents: ["b/press"])], from: "b/r")
        router.timeReached(seconds(0.05), into: &sink)
        #expect(route("b/r") == .nextHops([toyID("b/r")]))
        #expect(route("b/press") == .nextHops([toyID("b/r")]))
        #expect(route("c/r") == .unreachable)
        #expect(sink.changes == 1)
        router.linkDown(peer: node("b/r"), at: seconds(1), into: &sink)
        #expect(route("b/press") == .unreachable)
        #expect(sink.changes == 2)
    }

    @Test mutating func newsAfterAQuietTimeCountAtOnceAndInABurstTogether() throws {
        up("b/r")
        try hear([relay("b/r", links: ["a/r"])], from: "b/r", at: seconds(1))
        #expect(route("b/r") == .nextHops([toyID("b/r")]))
        try hear([relay("b/r", sequence: 2, links: ["a/r"], agents: ["b/x"])], from: "b/r", at: seconds(1.01))
        #expect(route("b/x") == .unknown)
        #expect(router.nextDeadline <= seconds(1.05))
        router.timeReached(seconds(1.05), into: &sink)
        #expect(route("b/x") == .nextHops([toyID("b/r")]))
    }

    @Test mutating func whileNewsKeepComingPathsAreComputedOnceASecond() throws {
        up("b/r")
        var times: [Instant] = []
        for step in 1...500 {
            let now = Instant(nanoseconds: Int64(step) * 10_000_000)
            let news = relay("b/r", sequence: UInt64(step), links: ["a/r"], agents: ["b/x\(step)"])
            try hear([news], from: "b/r", at: now)
            router.timeReached(now, into: &sink)
            if router.lastPaths == now { times.append(now) }
        }
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect(gaps.allSatisfy { $0 >= .milliseconds(50) })
        #expect(gaps.suffix(2) == [.seconds(1), .seconds(1)])
        router.timeReached(seconds(6.5), into: &sink)
        #expect(route("b/x500") == .nextHops([toyID("b/r")]))
        let other = relay("b/r", sequence: 501, links: ["a/r"], agents: ["b/y"])
        try hear([other], from: "b/r", at: seconds(9))
        #expect(route("b/y") == .nextHops([toyID("b/r")]))
    }

    @Test mutating func anAgentOfSeveralRelaysIsReachedThroughTheNearest() throws {
        up("b/r", cost: 5)
        up("c/r", cost: 7)
        try hear(
            [
                relay("b/r", links: ["a/r", "c/r"], agents: ["z/agent"], cost: 5),
                relay("c/r", links: ["a/r", "b/r"], agents: ["z/agent"], cost: 5),
            ], from: "b/r", at: seconds(1))
        #expect(route("z/agent") == .nextHops([toyID("b/r"), toyID("c/r")]))
        up("z/agent", kind: .agent, at: seconds(2))
        #expect(route("z/agent") == .nextHops([toyID("z/agent")]))
        router.linkDown(peer: node("z/agent"), at: seconds(3), into: &sink)
        router.timeReached(seconds(3.05), into: &sink)
        #expect(route("z/agent") == .nextHops([toyID("b/r"), toyID("c/r")]))
    }

    @Test mutating func anycastGoesToTheNearestManager() throws {
        up("b/r", cost: 5)
        var far = relay("c/r", links: ["b/r"])
        far.attached = [.init(node: node("c/manager"), kind: .manager, dialledByOrigin: false, isUp: true)]
        far.services = [.init(name: .manager, provider: node("c/manager"))]
        try hear([relay("b/r", links: ["a/r", "c/r"]), far], from: "b/r", at: seconds(1))
        #expect(route("manager") == .nextHops([toyID("b/r")]))
        #expect(router.offers(toyID("manager"), by: toyID("c/manager")))
        up("a/manager", kind: .manager, at: seconds(2))
        #expect(route("manager") == .nextHops([toyID("a/manager")]))
        #expect(try lastOwn?.services == [.init(name: .manager, provider: node("a/manager"))])
        router.offer([.manager], at: seconds(3), into: &sink)
        #expect(route("manager") == .local)
        router.offer([], at: seconds(4), into: &sink)
        router.linkDown(peer: node("a/manager"), at: seconds(5), into: &sink)
        #expect(route("manager") == .nextHops([toyID("b/r")]))
        far.stamp.sequence = 2
        far.attached[0].isUp = false
        try hear([far], from: "b/r", at: seconds(6))
        #expect(route("manager") == .unknown)
    }

    @Test mutating func aRelayKeepsItsRouteWhereAnotherListsItAsAnAgent() throws {
        up("b/r")
        up("c/r")
        let liar = relay("b/r", links: ["a/r"], agents: ["a/r", "c/r"])
        try hear([liar, relay("c/r", links: ["a/r"])], from: "b/r", at: seconds(1))
        #expect(route("c/r") == .nextHops([toyID("c/r")]))
        #expect(route("a/r") == .local)
    }

    @Test mutating func namesAreKnownOfAllThatIsListed() throws {
        up("b/r")
        let version = router.directoryVersion
        try hear([relay("b/r", links: ["c/r"], agents: ["b/press"])], from: "b/r", at: seconds(1))
        #expect(router.directoryVersion > version)
        for name in ["a/r", "b/r", "c/r", "b/press"] { #expect(router.nodeName(of: toyID(name)) == node(name)) }
        #expect(router.nodeName(of: toyID("x/y")) == nil)
        #expect(!router.offers(toyID("manager"), by: toyID("b/press")))
        #expect(["a/r", "b/r", "c/r", "b/press"].map { router.isRelay(toyID($0)) } == [true, true, false, false])
    }

    /// Flows are checked on copies of the directory, which are taken anew when routes change.
    @Test mutating func anotherOfferIsAChangeThoughNoRouteIs() throws {
        up("b/r")
        var other = relay("b/r", links: ["a/r"], agents: ["b/m"])
        other.services = [.init(name: .manager, provider: node("b/r"))]
        try hear([other], from: "b/r", at: seconds(1))
        let (before, table) = (sink.changes, router.table)
        other.stamp.sequence = 2
        other.services.insert(.init(name: .manager, provider: node("b/m")), at: 0)
        try hear([other], from: "b/r", at: seconds(2))
        #expect(router.table == table)
        #expect(sink.changes == before + 1)
        #expect(router.offers(toyID("manager"), by: toyID("b/m")))
    }

    @Test mutating func statisticsAloneChangeNoRoute() throws {
        up("b/r")
        var other = relay("b/r", links: ["a/r"], agents: ["b/press"])
        try hear([other], from: "b/r", at: seconds(1))
        let (paths, version) = (router.lastPaths, router.directoryVersion)
        sink = ToySink()
        other.stamp.sequence = 2
        other.links[0].statistics.bytesQueued = 99
        other.holdings.storedBytes = 7
        try hear([other], from: "b/r", at: seconds(2))
        #expect(sink.changes == 0)
        #expect(router.lastPaths == paths)
        #expect(router.directoryVersion == version)
        #expect(router.database.advertisements == [other])
    }

    // MARK: Flooding

    @Test mutating func newsGoToAllRelaysButTheOneTheyCameFrom() throws {
        for peer in ["b/r", "c/r", "d/r", "e/r"] { up(peer) }
        up("a/agent", kind: .agent)
        router.linkDown(peer: node("e/r"), at: seconds(1), into: &sink)
        sink = ToySink()
        let news = relay("x/r", links: ["b/r"])
        try hear([news], from: "b/r", at: seconds(2))
        #expect(sink.sent == [node("c/r"), node("d/r")].map { .init(message: message([news]), peer: $0) })
        sink = ToySink()
        try hear([news], from: "c/r", at: seconds(2))
        #expect(sink == ToySink())
    }

    @Test mutating func whatIsHeldIsNoNewsFromWhomeverItComes() throws {
        up("b/r")
        up("c/r")
        let known = relay("b/r", links: ["a/r", "c/r"], agents: ["b/x"])
        try hear([known], from: "b/r", at: seconds(1))
        router.timeReached(seconds(2), into: &sink)
        let own = try #require(try lastOwn)
        sink = ToySink()
        try hear([known, own], from: "c/r", at: seconds(3))
        #expect(sink.sent.isEmpty && sink.alarms.isEmpty && sink.changes == 0)
        // Beside it there may be news, and what is none is still refused.
        try hear([known, relay("c/r", links: ["a/r"], agents: ["c/x"])], from: "c/r", at: seconds(4))
        #expect(route("c/x") == .nextHops([toyID("c/r")]))
        var broken = SignedAdvertisement(known, signedBy: ToyTrust(name: known.origin))
        broken.bytes.removeLast()
        let message = LinkStateMessage.advertisements([broken]).encoded()
        #expect(throws: LinkStateError.self) {
            try router.receive(message, from: node("c/r"), at: seconds(5), into: &sink)
        }
    }

    @Test mutating func olderNewsAreIgnored() throws {
        up("b/r")
        let newest = relay("b/r", boot: 2, sequence: 5, links: ["a/r"])
        try hear([newest], from: "b/r", at: seconds(1))
        sink = ToySink()
        try hear([relay("b/r", boot: 2, sequence: 4)], from: "b/r", at: seconds(2))
        try hear([relay("b/r", boot: 1, sequence: 900)], from: "b/r", at: seconds(2))
        #expect(sink == ToySink())
        #expect(router.database.advertisements == [newest])
        try hear([relay("b/r", boot: 3, sequence: 1)], from: "b/r", at: seconds(3))
        #expect(route("b/r") == .unreachable)
    }

    @Test mutating func linkUpTellsWhatIsHeldAndADigestIsAnsweredByWhatIsMissing() throws {
        up("b/r")
        try hear([relay("b/r", sequence: 4), relay("c/r", sequence: 9)], from: "b/r", at: seconds(1))
        sink = ToySink()
        up("d/r", at: seconds(2))
        let held = [("a/r", router.sequence), ("b/r", 4), ("c/r", 9)].map {
            LinkStateMessage.DigestEntry(origin: node($0.0), stamp: .init(boot: 1, sequence: $0.1))
        }
        #expect(sink.sent.last == .init(message: LinkStateMessage.digest(held).encoded(), peer: node("d/r")))
        sink = ToySink()
        let theirs = [("a/r", 1), ("b/r", 5), ("c/r", 9), ("x/r", 1)].map {
            LinkStateMessage.DigestEntry(origin: node($0.0), stamp: .init(boot: 1, sequence: $0.1))
        }
        try router.receive(LinkStateMessage.digest(theirs).encoded(), from: node("d/r"), at: seconds(2), into: &sink)
        let request = LinkStateMessage.request([node("b/r"), node("x/r")])
        #expect(sink.sent == [.init(message: request.encoded(), peer: node("d/r"))])
    }

    @Test mutating func aRequestIsAnsweredWithTheAgeOfWhatIsHeld() throws {
        up("b/r")
        let held = relay("c/r")
        try hear([held], from: "b/r", age: .seconds(3), at: seconds(1))
        up("d/r", at: seconds(8))
        sink = ToySink()
        let request = LinkStateMessage.request([node("c/r"), node("x/r")])
        try router.receive(request.encoded(), from: node("d/r"), at: seconds(8), into: &sink)
        #expect(sink.sent == [.init(message: message([held], age: .seconds(10)), peer: node("d/r"))])
    }

    @Test mutating func everyTenSecondsEveryRelayIsToldWhatIsHeld() {
        up("b/r")
        up("c/r")
        sink = ToySink()
        router.timeReached(seconds(9.9), into: &sink)
        #expect(!sink.sent.contains { $0.message[1] == 2 })
        router.timeReached(seconds(10), into: &sink)
        #expect(sink.sent.filter { $0.message[1] == 2 }.map(\.peer) == [node("b/r"), node("c/r")])
    }

    // MARK: Advertising

    @Test mutating func aBurstOfChangesIsOneAdvertisementAndFlappingSlowsItDown() {
        var times: [Int64] = []
        var now = Instant.zero
        up("b/r")
        for step in 0..<10_000 {
            now = Instant(nanoseconds: Int64(step) * 1_000_000)
            let before = router.sequence
            if step.isMultiple(of: 2) {
                up("c/r", kind: .agent, at: now)
            } else {
                router.linkDown(peer: node("c/r"), at: now, into: &sink)
            }
            router.timeReached(now, into: &sink)
            if router.sequence > before { times.append(Int64(step)) }
        }
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect(gaps.allSatisfy { $0 >= 50 })
        #expect(gaps.suffix(5).allSatisfy { $0 == 1000 })
        // After a quiet time a change is told at once again, and the next within 50 ms.
        router.timeReached(seconds(16), into: &sink)
        router.timeReached(seconds(21), into: &sink)
        let before = router.sequence
        up("d/r", at: seconds(24))
        #expect(router.sequence == before + 1)
        up("e/r", at: seconds(24.001))
        #expect(router.nextDeadline <= seconds(24.05))
    }

    @Test mutating func statisticsAreToldWithinFiveSeconds() throws {
        up("b/r")
        router.timeReached(seconds(0.2), into: &sink)
        let sequence = router.sequence
        let statistics = Advertisement.Statistics(roundTrip: .milliseconds(20), bytesQueued: 4)
        router.updateStatistics(peer: node("b/r"), statistics)
        router.updateHoldings(.init(storedBytes: 12))
        router.describeSelf(softwareVersion: "v\u{7}é1", listenPorts: [1, 2], at: seconds(0.3), into: &sink)
        router.timeReached(router.nextDeadline, into: &sink)
        router.timeReached(seconds(5.3), into: &sink)
        #expect(router.sequence > sequence)
        let own = try #require(try lastOwn)
        #expect(own.links.map(\.statistics) == [statistics])
        #expect(own.holdings.storedBytes == 12)
        #expect(own.softwareVersion == "v1")
        #expect(own.listenPorts == [1, 2])
        #expect(own.madeAt.milliseconds > 1_700_000_000_000)
    }

    @Test mutating func whatDoesNotFitIsLeftOutAndSaid() throws {
        for index in 0..<3000 { router.adjacencies.append(filler(index, suffix: "-of-a-rather-long-name")) }
        up("z/last", kind: .agent)
        router.timeReached(seconds(4000), into: &sink)
        let own = try #require(try lastOwn)
        #expect(own.attached.count > 1000)
        #expect(own.encoded().count <= Limits.advertisementBytes)
        #expect(sink.alarms.last == .advertisementFull(leftOut: 3001 - own.attached.count))
        #expect(route("z/last") == .nextHops([toyID("z/last")]))
    }

    @Test mutating func aLinkTooManyIsRefusedUnlessOneIsDown() {
        for index in 0..<Limits.advertisedLinks { router.adjacencies.append(filler(index)) }
        up("z/one-more", kind: .agent)
        #expect(sink.alarms.contains(.tooManyLinks(refused: node("z/one-more"))))
        #expect(route("z/one-more") == .unknown)
        router.linkDown(peer: node("a/n5"), at: .zero, into: &sink)
        up("z/one-more", kind: .agent, at: seconds(1))
        #expect(router.adjacencies.count == Limits.advertisedLinks)
        #expect(route("z/one-more") == .nextHops([toyID("z/one-more")]))
        #expect(router.nodeName(of: toyID("a/n5")) == nil)
    }

    /// Digits of one length, so that the order of numbers is that of names.
    private func filler(_ index: Int, suffix: String = "") -> Adjacency {
        let name = node(index == 0 ? "a/n5" : "b/n\(10_000 + index)\(suffix)")
        return Adjacency(
            name: name, id: toyID(name.description), kind: .agent, cost: 1, dialledByUs: false, isUp: true,
            changedAt: .zero)
    }

    @Test mutating func aRevokedRelayIsForgottenAtOnce() throws {
        up("b/r")
        try hear([relay("b/r", links: ["a/r"], agents: ["b/press"])], from: "b/r", at: seconds(1))
        sink = ToySink()
        router.forgetOrigin(node("b/r"), at: seconds(1.01), into: &sink)
        #expect(route("b/press") == .unknown)
        #expect(route("b/r") == .unreachable)
        #expect(sink.changes == 1)
        sink = ToySink()
        router.forgetOrigin(node("b/r"), at: seconds(1.02), into: &sink)
        #expect(sink == ToySink())
    }

    // MARK: Silence

    @Test mutating func aSilentRelayIsNotUsedAndThenForgotten() throws {
        up("b/r")
        try hear([relay("b/r", links: ["a/r"], agents: ["b/press"])], from: "b/r", at: seconds(1))
        router.timeReached(seconds(120.9), into: &sink)
        #expect(route("b/press") == .nextHops([toyID("b/r")]))
        router.timeReached(seconds(121), into: &sink)
        #expect(route("b/press") == .unreachable)
        #expect(router.topology(at: seconds(121)).links.map(\.isUsable) == [false])
        try hear([relay("b/r", sequence: 2, links: ["a/r"], agents: ["b/press"])], from: "b/r", at: seconds(200))
        #expect(route("b/press") == .nextHops([toyID("b/r")]))
        router.timeReached(seconds(200 + 7199), into: &sink)
        #expect(route("b/press") == .unreachable)
        router.timeReached(seconds(200 + 7200), into: &sink)
        #expect(route("b/press") == .unknown)
        #expect(router.database.advertisements.isEmpty)
    }

    /// Else a dead relay would live as long as two others tell each other of it.
    @Test mutating func ageTravelsWithAnAdvertisement() throws {
        up("b/r")
        try hear([relay("c/r", links: ["b/r"])], from: "b/r", age: .seconds(110), at: seconds(1))
        router.timeReached(seconds(11), into: &sink)
        #expect(router.database[node("c/r")]?.isUsed == false)
        sink = ToySink()
        try hear([relay("d/r", links: ["b/r"])], from: "b/r", age: .seconds(7200), at: seconds(12))
        #expect(router.database[node("d/r")] == nil)
        #expect(sink == ToySink())
    }

    @Test mutating func aLinkThatIsDownIsListedForTwoHours() throws {
        up("b/r")
        router.linkDown(peer: node("b/r"), at: seconds(1), into: &sink)
        router.timeReached(seconds(7200), into: &sink)
        #expect(try lastOwn?.links.map(\.isUp) == [false])
        router.timeReached(seconds(7201), into: &sink)
        router.timeReached(seconds(7202), into: &sink)
        #expect(try lastOwn?.links.isEmpty == true)
        up("c/r", at: seconds(7300))
        router.forgetLink(peer: node("c/r"), at: seconds(7310), into: &sink)
        #expect(try lastOwn?.links.isEmpty == true)
    }

    /// Whatever happened, doing what the deadline asks for moves the deadline on.
    @Test mutating func theDeadlineAlwaysMovesOn() throws {
        up("b/r")
        up("a/agent", kind: .agent)
        try hear([relay("b/r", links: ["a/r"])], from: "b/r")
        router.linkDown(peer: node("a/agent"), at: seconds(0.01), into: &sink)
        var last = Instant.zero
        for _ in 0..<4000 {
            let next = router.nextDeadline
            #expect(next > last)
            router.timeReached(next, into: &sink)
            last = next
        }
        #expect(last > seconds(7300))
    }
}
