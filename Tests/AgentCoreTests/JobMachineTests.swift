import Envelope
import TestSupport
import Testing

@testable import AgentCore

@Suite struct JobMachineTests {
    private func pause(_ step: JobMachine.Step) -> Instant? { if case .pause(let until) = step { until } else { nil } }

    // MARK: Reading

    @Test func itReadsOnWhileThereIsMoreAndPausesThen() {
        var scene = JobScene()
        scene.records = 5
        scene.atOnce = 2
        scene.fires = .seconds(20)
        #expect(pause(scene.run()) == scene.now + .seconds(20))
        #expect(scene.reads == [0, 2, 4])
        #expect(scene.handedOver.map(\.records) == [[0, 1], [2, 3], [4]])
        #expect(scene.handedOver.map(\.checkpoint) == [2, 4, 5])
        #expect(scene.facts.first == .began && scene.facts.last == .succeeded)
        #expect(scene.openings == 1)
    }

    /// A run that takes long must not put off the next one.
    @Test func theScheduleIsAskedWhenTheRunIsOver() {
        var scene = JobScene()
        scene.records = 1
        scene.readTime = .seconds(300)
        scene.fires = .seconds(7)
        #expect(pause(scene.run()) == scene.now + .seconds(7))
        #expect(scene.now == Sample.now + .seconds(300))
    }

    @Test func theSourceMayAskToBeReadSooner() {
        var scene = JobScene()
        scene.again = .seconds(3)
        #expect(pause(scene.run()) == scene.now + .seconds(3))
        scene.pass(.seconds(3))
        scene.run()
        #expect(scene.reads == [0, 0])
    }

    @Test func itLooksAgainAfterAMinuteAtMostAndGoesOnWhereTheClockWasSet() {
        var scene = JobScene()
        #expect(pause(scene.run()) == scene.now + .seconds(60))
        scene.pass(.seconds(60))
        #expect(pause(scene.run()) == scene.now + .seconds(60), "it is not time yet")
        scene.wall = WallTime(milliseconds: scene.wall.milliseconds + 5000)
        scene.run()
        #expect(scene.reads.count == 1)
        scene.wall = WallTime(milliseconds: scene.wall.milliseconds - 11_000)
        scene.run()
        #expect(scene.reads.count == 2)
    }

    @Test func withoutRoomNothingIsRead() {
        var scene = JobScene()
        scene.records = 3
        scene.hasRoom = false
        #expect(scene.run() == .awaitRoom)
        #expect(scene.reads == [])
        scene.hasRoom = true
        scene.run()
        #expect(scene.handedOver.map(\.checkpoint) == [1, 2, 3])
    }

    // MARK: Linger

    @Test func aBatchThatIsNotFullWaitsForMoreUntilItsTimeIsUp() {
        var scene = JobScene(linger: .seconds(10))
        scene.records = 1
        scene.again = .seconds(4)
        scene.run()
        #expect(scene.handedOver.isEmpty)
        #expect(scene.machine.checkpoint == nil, "what waits is not handed over")
        scene.records = 2
        scene.pass(.seconds(4))
        scene.run()
        #expect(scene.handedOver.isEmpty && scene.reads == [0, 1])
        // The next look would be after twelve seconds.
        scene.pass(.seconds(4))
        scene.run()
        #expect(scene.handedOver.map(\.records) == [[0, 1]] && scene.handedOver.map(\.checkpoint) == [2])
        #expect(scene.machine.checkpoint == [2])
    }

    @Test func aFullBatchDoesNotWait() {
        var scene = JobScene(linger: .seconds(3600))
        scene.batchRecords = 2
        scene.again = .seconds(1)
        scene.records = 3
        scene.hidesMore = true
        for _ in 0..<3 {
            scene.run()
            scene.pass(.seconds(1))
        }
        #expect(scene.handedOver.map(\.records) == [[0, 1]])
    }

    @Test func aBatchIsSentAtOnceWhereTheSourceIsAskedTooLate() {
        var scene = JobScene(linger: .seconds(10))
        scene.records = 1
        scene.fires = .seconds(11)
        scene.run()
        #expect(scene.handedOver.map(\.checkpoint) == [1])
    }

    // MARK: Failures

    @Test func afterAFailureTheSameRecordsAreReadAgain() {
        // Opening, then each reading and each hand-over in turn.
        for place in 0..<7 {
            for kind in [ConnectorFailure.Kind.transient, .configuration, .rejected] {
                var scene = JobScene()
                scene.records = 6
                scene.atOnce = 2
                scene.faults = Array(repeating: nil, count: place) + [kind]
                scene.runThroughRests()
                #expect(scene.handedOver.map(\.records) == [[0, 1], [2, 3], [4, 5]], "fault \(place)")
                #expect(scene.handedOver.map(\.checkpoint) == [2, 4, 6], "fault \(place)")
                #expect(scene.openings == 2, "the source is opened anew")
            }
        }
    }

    @Test func whatLingeredBeforeAFailureIsReadAgain() {
        var scene = JobScene(linger: .seconds(10))
        scene.records = 2
        scene.again = .seconds(4)
        scene.hidesMore = true
        // Opened, and read well; the second reading fails.
        scene.faults = [nil, nil, .transient]
        scene.run()
        scene.pass(.seconds(4))
        scene.runThroughRests()
        scene.pass(.seconds(4))
        scene.run()
        #expect(scene.handedOver.isEmpty, "it lingers from when it was read again")
        scene.pass(.seconds(4))
        scene.run()
        #expect(scene.reads.prefix(3) == [0, 1, 0])
        #expect(scene.handedOver.flatMap(\.records) == [0, 1])
    }

    @Test func pausesGrowUntilARunSucceeds() {
        var scene = JobScene()
        scene.faults = Array(repeating: .transient, count: 10)
        scene.runThroughRests()
        for (rest, step) in zip(scene.rests, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]) {
            #expect(rest >= .milliseconds(step) / 2 && rest <= .milliseconds(step))
        }
        #expect(scene.facts.filter { $0 == .failed(ConnectorFailure(.transient, "a fault"), isNew: true) }.count == 1)
        scene.faults = [.transient]
        scene.records = 1
        scene.pass(.seconds(3600))
        scene.run()
        #expect(scene.rests.count == 11 && scene.rests[10] <= .milliseconds(200))
        #expect(scene.facts.last == .failed(ConnectorFailure(.transient, "a fault"), isNew: true))
    }

    // MARK: Receipts

    @Test func theSourceHearsOfNothingThatIsNotReceipted() {
        var scene = JobScene()
        scene.records = 6
        scene.atOnce = 2
        scene.run()
        #expect(scene.tidied == [])
        scene.receipted(3, of: Sample.stream(77))
        scene.run()
        #expect(scene.tidied == [], "a stream of which it has handed over nothing")
        scene.receipted(1)
        scene.run()
        #expect(scene.tidied == [2])
        scene.receipted(3)
        scene.run()
        scene.run()
        #expect(scene.tidied == [2, 6])
    }

    /// A source of many files has long checkpoints, and a relay may keep what a day brings: all of them together would be
    /// more than an agent's memory.
    @Test func whatWaitsForReceiptsDoesNotHoldEveryCheckpoint() {
        var scene = JobScene()
        scene.checkpointLength = 100 << 10
        scene.records = 200
        scene.run()
        #expect(scene.machine.checkpointBytes <= (1 << 20) + scene.checkpointLength)
        for number in [5, 150, 200] as [UInt64] {
            scene.receipted(number)
            scene.run()
        }
        #expect(scene.tidied.first == 5 && scene.tidied.last == 200)
        #expect(scene.tidied.count == 3 && scene.tidied[1] <= 150)
        #expect(scene.machine.checkpointBytes == 0)
    }

    /// However long they are, and though there is never a moment in which all is receipted.
    @Test func inASteadyFlowTheSourceHearsOfLongCheckpointsToo() {
        var scene = JobScene()
        scene.checkpointLength = 2 << 20
        scene.fires = .seconds(1)
        for number in 1...60 {
            scene.records = number
            scene.pass(.seconds(1))
            scene.run()
            if number > 3 { scene.receipted(UInt64(number - 3)) }
            scene.run()
            #expect(scene.machine.checkpointBytes <= 2 * scene.checkpointLength)
            #expect(scene.tidied.last ?? 0 <= max(0, number - 3))
        }
        #expect(scene.tidied.count > 10 && scene.tidied.last ?? 0 > 50)
    }

    @Test func aReceiptThatComesBeforeItsEnvelopeIsNotedCounts() {
        var scene = JobScene()
        scene.records = 1
        scene.receipted(1)
        scene.run()
        #expect(scene.tidied == [1])
    }

    /// Streams of a job that gives up its order are receipted side by side.
    @Test func aReceiptOfALaterStreamSettlesNothingWhileAnEarlierOneWaits() {
        var scene = JobScene(from: 1, behind: [.init(stream: Sample.stream(9), sequence: Sequence(7))])
        scene.records = 3
        scene.run()
        scene.receipted(6, of: Sample.stream(9))
        scene.run()
        #expect(scene.tidied == [])
        scene.stream = Sample.stream(2)
        scene.sequence = Sequence(1)
        scene.records = 4
        scene.pass(.seconds(3600))
        scene.run()
        scene.receipted(1, of: Sample.stream(2))
        scene.run()
        #expect(scene.tidied == [])
        scene.receipted(7, of: Sample.stream(9))
        scene.run()
        #expect(scene.tidied == [1])
        scene.receipted(2, of: Sample.stream(1))
        scene.run()
        #expect(scene.tidied == [1, 4])
    }

    @Test func aStartIsSettledOnceAllStreamsBeforeItAre() {
        let places = [3, 9].map { JobMachine.Place(stream: Sample.stream($0), sequence: Sequence(7)) }
        var scene = JobScene(from: 2, behind: places)
        scene.records = 2
        for (stream, settled) in [(9, []), (3, [2])] as [(UInt64, [Int])] {
            scene.receipted(7, of: Sample.stream(stream))
            scene.run()
            #expect(scene.tidied == settled)
        }
    }

    /// What was given up is gone whatever the source keeps, but only a receipt says that the destination is there.
    @Test func whatWasGivenUpIsToldWithTheNextReceipt() {
        var scene = JobScene(from: 1, behind: [.init(stream: Sample.stream(9), sequence: Sequence(7))])
        scene.records = 2
        scene.run()
        scene.machine.ended(Sample.stream(9))
        scene.run()
        #expect(scene.tidied == [])
        scene.receipted(1)
        scene.run()
        #expect(scene.tidied == [2])
    }

    /// Numbers of streams are not to be compared with each other.
    @Test func aReceiptOfAnEarlierStreamSettlesNothingOfALaterOne() {
        var scene = JobScene()
        scene.records = 5
        scene.atOnce = 1
        scene.run()
        scene.stream = Sample.stream(2)
        scene.sequence = Sequence(1)
        scene.records = 7
        scene.pass(.seconds(3600))
        scene.run()
        scene.receipted(5, of: Sample.stream(1))
        scene.run()
        #expect(scene.tidied == [5])
        scene.receipted(2, of: Sample.stream(2))
        scene.run()
        #expect(scene.tidied == [5, 7])
    }

    @Test func aSettledStartIsToldOfAtOnce() {
        var scene = JobScene(from: 4)
        scene.records = 4
        scene.run()
        #expect(scene.tidied == [4] && scene.reads == [4])
    }

    @Test func whatCouldNotBeToldInAPauseIsToldAgainWithoutReadingAgain() {
        var scene = JobScene()
        scene.records = 1
        scene.run()
        scene.faults = [.transient, .transient]
        scene.receipted(1)
        scene.run()
        #expect(scene.tidied == [] && scene.facts.last == .untold(ConnectorFailure(.transient, "a fault")))
        #expect(scene.faults.count == 1, "not again and again")
        scene.pass(.seconds(60))
        scene.run()
        #expect(scene.faults.isEmpty && scene.tidied == [])
        scene.receipted(1)
        scene.run()
        #expect(scene.tidied == [1])
        #expect(scene.reads == [0] && scene.openings == 1)
    }

    // MARK: All together

    /// Faults, restarts and receipts at random: what was handed over is what the source has, each record once and in
    /// order, the checkpoint is never ahead of it, and the source is never told of more than has its receipt.
    @Test func atRandomNothingIsSkippedOrRepeated() throws {
        for seed in Seeds.range(0...200) {
            var random = SeededGenerator(seed)
            func chance(_ percent: Int) -> Bool { random.chance(percent) }
            var scene = JobScene(linger: chance(50) ? .seconds(5) : .zero)
            var receipted = 0
            var rounds = 0
            scene.records = 60
            scene.batchRecords = Int.random(in: 1...6, using: &random)
            while scene.handedOver.last?.checkpoint != 60 {
                rounds += 1
                try #require(rounds < 5000, "seed \(seed)")
                scene.atOnce = Int.random(in: 1...4, using: &random)
                scene.again = chance(50) ? .seconds(1) : nil
                scene.fires = .seconds(4)
                scene.hidesMore = chance(50)
                scene.faults = (0..<5).map { _ in chance(20) ? .transient : nil }
                scene.hasRoom = !chance(20)
                scene.run()
                scene.pass(.seconds(Int.random(in: 0...10, using: &random)))
                let handedOver = scene.handedOver.flatMap(\.records)
                #expect(handedOver == Array(0..<handedOver.count), "seed \(seed)")
                #expect(Int(scene.machine.checkpoint?.first ?? 0) <= handedOver.count, "seed \(seed)")
                #expect(scene.handedOver.allSatisfy { $0.checkpoint == ($0.records.last ?? 0) + 1 }, "seed \(seed)")
                if chance(30), receipted < scene.handedOver.count {
                    receipted = Int.random(in: receipted + 1...scene.handedOver.count, using: &random)
                    scene.receipted(UInt64(receipted))
                }
                let settled = receipted == 0 ? 0 : scene.handedOver[receipted - 1].checkpoint
                #expect(scene.tidied.allSatisfy { $0 <= settled }, "seed \(seed)")
                #expect(scene.tidied == scene.tidied.sorted(), "seed \(seed)")
            }
        }
    }
}
