import Envelope
import Mesh
import TestSupport
import Testing

@testable import AgentCore

@Suite struct SinkMachineTests {
    private let a = Sample.stream(1)
    private let b = Sample.stream(2)

    private func item(_ stream: StreamID, _ sequence: UInt64, bytes: Int = 1) throws -> SinkItem {
        try SinkScene.item(stream, sequence, instance: (stream == a ? 100 : 200) + sequence, bytes: bytes)
    }

    // MARK: Order

    @Test func whatIsReadyIsCommittedTogetherAndTheRestWaits() throws {
        var scene = SinkScene()
        scene.take(try item(a, 2), try item(b, 1), try item(a, 1), try item(a, 4))
        scene.run()
        #expect(scene.commits.count == 1)
        #expect(scene.applied(a) == [1, 2] && scene.applied(b) == [1])
        #expect(Set(scene.finished) == [101, 102, 201])
        #expect(scene.mark(a) == 2 && scene.mark(b) == 1)
        scene.leave()
        #expect(scene.givenBack == [104])
    }

    @Test func aStreamBeginsAtItsSinksMark() throws {
        var scene = SinkScene()
        scene.marks[a] = Sequence(7)
        scene.take(try item(a, 6), try item(a, 8))
        scene.run()
        #expect(scene.applied(a) == [8])
        #expect(scene.finished == [106, 108])
        #expect(scene.machine.duplicates == 1)
    }

    @Test func whatItsSourceCaresForNoMoreIsToldOnce() throws {
        var scene = SinkScene()
        scene.marks[a] = Sequence(2)
        var item = try item(a, 6)
        item.floor = Sequence(6)
        scene.take(try self.item(a, 3), item, try self.item(a, 7))
        scene.run()
        #expect(scene.applied(a) == [3, 6, 7])
        let gaps = scene.outcomes.compactMap { if case .skipped(_, a, let gap) = $0 { gap } else { nil } }
        #expect(gaps == [4...5])
        let first = scene.outcomes.firstIndex { if case .mark(_, a, Sequence(6)...) = $0 { true } else { false } }
        let told = scene.outcomes.firstIndex { if case .skipped = $0 { true } else { false } }
        #expect(told ?? .max < first ?? 0, "before the mark that is past them")
    }

    @Test func moreThanOneCommitTakesGoesOnByItself() throws {
        var scene = SinkScene { $0.commitBytes = 1500 }
        for sequence: UInt64 in 1...5 { scene.take(try item(a, sequence, bytes: 1000)) }
        scene.run()
        #expect(scene.commits == [[1], [2], [3], [4], [5]])
    }

    @Test func whatDoesNotFitIntoMemoryGoesBack() throws {
        var scene = SinkScene { $0.memoryBytes = 5000 }
        for sequence: UInt64 in 2...20 { scene.take(try item(a, sequence, bytes: 1000)) }
        scene.run()
        #expect(scene.givenBack == Array(106...120), "four of a little more than 1000 bytes fit")
        #expect(scene.delay(120) == .seconds(1), "so long that the first passes it at the relay")
        // The one that all wait for is taken whatever the memory holds.
        scene.take(try item(a, 1, bytes: 4000))
        scene.run()
        #expect(scene.applied(a) == [1, 2, 3, 4, 5])
    }

    // MARK: Failures

    @Test func aFailedCommitThatTookEffectIsNotRepeated() throws {
        var scene = SinkScene()
        scene.faults = [.after]
        scene.take(try item(a, 1), try item(a, 2))
        let until = scene.run()
        #expect(until != nil && scene.finished == [], "nobody knows of the effect yet")
        scene.runThrough()
        #expect(scene.commits == [[1, 2]])
        #expect(scene.openings == 2)
        #expect(scene.finished == [101, 102] && scene.mark(a) == 2)
    }

    @Test func aFailedCommitWithoutEffectComesAgainAndTheRestGoesBack() throws {
        var scene = SinkScene { $0.commitBytes = 200 }
        scene.faults = [.before, .before]
        scene.take(try item(a, 1, bytes: 150), try item(a, 2, bytes: 150), try item(a, 4))
        scene.runThrough()
        #expect(scene.commits == [[1], [1], [1]])
        #expect(scene.givenBack == [102, 104], "the memory is free for others meanwhile")
        #expect(scene.delay(102).map { $0 >= .seconds(1) } == true)
        #expect(scene.finished == [101])
        #expect(scene.facts.first == .failed(ConnectorFailure(.transient, "no answer"), isNew: true))
        #expect(scene.facts.dropFirst().first == .failed(ConnectorFailure(.transient, "no answer"), isNew: false))
        #expect(scene.facts.last == .committed(records: 1, isBlocked: false))
    }

    @Test func pausesGrowAndACommitEndsThem() throws {
        var scene = SinkScene { $0.pauses = Backoff(shortest: .seconds(1), longest: .seconds(8)) }
        scene.faults = Array(repeating: .before, count: 6)
        scene.take(try item(a, 1))
        scene.runThrough()
        for (rest, step) in zip(scene.rests, [1, 2, 4, 8, 8, 8]) {
            #expect(rest >= .seconds(step) / 2 && rest <= .seconds(step))
        }
        scene.faults = [.before]
        scene.take(try item(a, 2))
        scene.run()
        #expect(scene.rests.count == 7 && scene.rests[6] <= .seconds(1))
    }

    /// A rejection is about records. A sink that says so of itself is only out of order.
    @Test func whatDoesNotOpenOrTellAMarkIsTriedAgain() throws {
        for kind in [ConnectorFailure.Kind.transient, .configuration, .rejected] {
            for isOpen in [false, true] {
                var scene = SinkScene()
                if isOpen {
                    scene.take(try item(b, 1))
                    scene.run()
                }
                scene.refusals = [kind]
                scene.take(try item(a, 1))
                scene.runThrough()
                #expect(scene.applied(a) == [] && scene.givenBack == [101])
                scene.take(try item(a, 1))
                scene.runThrough()
                #expect(scene.applied(a) == [1])
                #expect(!scene.facts.contains { if case .blocked = $0 { true } else { false } })
            }
        }
    }

    // MARK: Rejection

    @Test func oneRejectedAmongSeveralHoldsUpItsOwnStreamOnly() throws {
        var scene = SinkScene()
        scene.rejected = [.init(stream: a, sequence: 2)]
        scene.take(try item(a, 1), try item(a, 2), try item(a, 3), try item(a, 5))
        scene.take(try item(b, 1), try item(b, 2))
        scene.run()
        #expect(scene.applied(a) == [1] && scene.applied(b) == [1, 2])
        #expect(scene.mark(a) == 1, "what is rejected is not said to be done")
        #expect(scene.givenBack.sorted() == [102, 103, 105])
        #expect(scene.facts.contains(.blocked(a, Sequence(2), reason: "does not fit")))
        #expect(scene.facts.last == .committed(records: 1, isBlocked: true))
    }

    @Test func aBlockedStreamWaitsItsTimeAndGoesOnWhereItStopped() throws {
        var scene = SinkScene { $0.rejectionDelay = .seconds(30) }
        scene.rejected = [.init(stream: a, sequence: 1)]
        scene.take(try item(a, 1))
        scene.run()
        #expect(scene.delay(101) == .seconds(30))
        scene.rejected = []
        scene.now = scene.now + .seconds(20)
        scene.take(try item(a, 3), try item(b, 1))
        scene.run()
        #expect(scene.delay(103) == .seconds(10), "as long as the stream waits still")
        scene.now = scene.now + .milliseconds(9500)
        scene.take(try item(a, 2))
        scene.run()
        #expect(scene.delay(102) == .seconds(1), "so that others pass it at the relay")
        #expect(scene.applied(a) == [] && scene.applied(b) == [1])
        scene.now = scene.now + .milliseconds(500)
        scene.take(try item(a, 2), try item(a, 1))
        scene.run()
        #expect(scene.applied(a) == [1, 2])
        #expect(scene.facts.last == .committed(records: 2, isBlocked: false))
    }

    /// The failure comes while a rejected one is looked for: neither forgets what is not committed yet, nor goes back
    /// to what is.
    @Test func aFailureAmongSinglesKeepsTheRest() throws {
        for failing in 1...4 {
            var scene = SinkScene()
            scene.rejected = [.init(stream: a, sequence: 2)]
            for sequence: UInt64 in 1...2 { scene.take(try item(a, sequence), try item(b, sequence)) }
            scene.faults = Array(repeating: nil, count: failing) + [.after]
            scene.runThrough()
            #expect(scene.applied(a) == [1] && scene.applied(b) == [1, 2], "commit \(failing) fails")
            #expect((scene.finished + scene.givenBack).sorted() == [101, 102, 201, 202], "each is answered once")
        }
    }

    @Test func whatIsSetAsideLetsItsStreamGoOn() throws {
        var scene = SinkScene { $0.quarantines = true }
        scene.rejected = [.init(stream: a, sequence: 2)]
        scene.take(try item(a, 1), try item(a, 2), try item(a, 3))
        scene.run()
        #expect(scene.quarantine == [.init(stream: a, sequence: 2)])
        #expect(scene.applied.map(\.records) == [1, 0, 1], "the mark goes past it, and it has no effect")
        #expect(scene.finished == [101, 102, 103] && scene.mark(a) == 3)
    }

    @Test func withoutRoomInTheQuarantineTheStreamWaits() throws {
        var scene = SinkScene { $0.quarantines = true }
        scene.quarantineHasRoom = false
        scene.rejected = [.init(stream: a, sequence: 1)]
        scene.take(try item(a, 1), try item(b, 1))
        scene.run()
        #expect(scene.applied(a) == [] && scene.applied(b) == [1])
        #expect(scene.finished == [201] && scene.givenBack == [101])
        #expect(scene.delay(101) == .seconds(30))
    }

    @Test func aSinkThatLetsNothingPassHoldsUpTheStream() throws {
        var scene = SinkScene { $0.quarantines = true }
        scene.rejected = [.init(stream: a, sequence: 1)]
        scene.rejectsEmpty = true
        scene.take(try item(a, 1))
        scene.run()
        #expect(scene.applied(a) == [] && scene.finished == [])
        #expect(scene.facts.last == .blocked(a, Sequence(1), reason: "does not fit"))
    }

    @Test func aFailureBeforeTheMarkPassesTriesTheBatchAgain() throws {
        for fault in [SinkScene.Fault.before, .after] {
            var scene = SinkScene { $0.quarantines = true }
            scene.rejected = [.init(stream: a, sequence: 1)]
            scene.take(try item(a, 1))
            // The whole, the single, then the one without records.
            scene.faults = [nil, nil, fault]
            scene.runThrough()
            #expect(scene.applied(a) == [1] && scene.finished == [101])
        }
    }

    // MARK: All together

    /// A relay that brings again what it gets back, in any order, and a sink with all its faults at random: everything
    /// has its effect once and in order (the scene sees to that), and each item is answered once.
    @Test func atRandomEverythingHasItsEffectOnce() throws {
        for seed in Seeds.range(0...29) {
            var random = SeededGenerator(seed)
            var scene = SinkScene { settings in
                settings.memoryBytes = 2000
                settings.commitBytes = 400
                settings.quarantines = seed.isMultiple(of: 2)
            }
            var relay: [(stream: StreamID, sequence: UInt64)] = []
            for stream in [a, b, Sample.stream(3)] {
                for sequence: UInt64 in 1...15 { relay.append((stream, sequence)) }
            }
            var under: [UInt64: (stream: StreamID, sequence: UInt64)] = [:]
            var instance: UInt64 = 0
            var rounds = 0
            while !relay.isEmpty || !under.isEmpty {
                rounds += 1
                try #require(rounds < 3000, "seed \(seed)")
                relay.shuffle(using: &random)
                for place in relay.prefix(Int.random(in: 0...9, using: &random)) {
                    instance += 1
                    under[instance] = place
                    scene.take(
                        try SinkScene.item(
                            place.stream, place.sequence, instance: instance,
                            bytes: Int.random(in: 1...200, using: &random)))
                    relay.removeFirst()
                }
                func chance() -> Bool { rounds < 200 && Int.random(in: 0..<4, using: &random) == 0 }
                scene.faults = (0..<3).map { _ in chance() ? .before : chance() ? .after : nil }
                scene.refusals = chance() ? [.transient] : []
                scene.quarantineHasRoom = !chance()
                scene.rejectsEmpty = chance()
                scene.rejected = chance() ? [.init(stream: a, sequence: UInt64.random(in: 1...15, using: &random))] : []
                if let until = scene.run() { scene.now = max(scene.now, until) }
                scene.now = scene.now + .seconds(Int.random(in: 0...5, using: &random))
                if Int.random(in: 0..<10, using: &random) == 0 { scene.leave() }
                for outcome in scene.outcomes {
                    switch outcome {
                    case .finished(let id):
                        let place = under.removeValue(forKey: id.token)
                        #expect(
                            place.map { $0.sequence <= scene.marks[$0.stream]?.number ?? 0 } == true, "seed \(seed)")
                    case .giveBack(let id, _):
                        let place = under.removeValue(forKey: id.token)
                        if let place { relay.append(place) } else { Issue.record("answered twice, seed \(seed)") }
                    case .skipped: Issue.record("the source gave nothing up, seed \(seed)")
                    case .mark(_, let stream, let mark):
                        #expect(mark <= scene.marks[stream] ?? .none, "no mark is told before it is durable")
                    }
                }
                scene.outcomes = []
            }
            #expect(scene.applied.count == 45, "seed \(seed)")
        }
    }
}
