import Envelope
import Glibc
import Keyring
import Node
import Platform
import Testing

@testable import Agent
@testable import AgentCore
@testable import Node

@Suite(.timeLimit(.minutes(1))) struct JobRunnerTests {
    private let directory: TemporaryDirectory
    private let scene = OutboxScene()
    private let pair: KeyedPair
    private let keys: KeyRing
    private let script = SourceScript()

    init() throws {
        directory = try TemporaryDirectory()
        pair = try KeyedPair()
        keys = KeyRing(try pair.sourceKeys())
        try scene.open(directory)
    }

    /// Runs once an hour, so that whatever comes sooner has another cause.
    private func runner(
        linger: Duration = .zero, batchBytes: Int = 1 << 20, keys other: KeyRing? = nil, port: OutboxPort? = nil
    ) throws -> JobRunner {
        let mark = YAMLMark(file: "test.yaml", line: 1, column: 1)
        let configuration = JobConfiguration(
            name: "job", topic: "topic", to: pair.destinationName, lane: .live,
            schedule: ScheduleConfiguration(rule: .every(.seconds(3600)), mark: mark, path: "jobs[0].schedule"),
            compression: .none, batchBytes: batchBytes, linger: linger, lifetime: nil,
            freshFirst: false, source: YAMLNode(.mapping([]), mark: mark), sourcePath: "jobs[0].source")
        return JobRunner(
            configuration, schedule: .interval(.seconds(3600)), factory: script.factory,
            maker: pair.maker(other ?? keys, port ?? scene.port), log: Sample.log)
    }

    private func texts(_ count: Int) -> [String] { (1...count).map { "text \($0)" } }

    private func end(_ runner: JobRunner) {
        runner.stop()
        #expect(runner.join(within: .seconds(10)))
        #expect(runner.status.current.state == "stopped")
        scene.close()
    }

    /// All that was handed over, opened, in order.
    private func delivered() throws -> [[String]] {
        var opener = Opener(try pair.destinationKeys())
        return try scene.durable.all.map { try Sample.values(opener.open($0.envelope)) }
    }

    private var checkpoints: [Int] {
        scene.durable.all.map { SourceScript.count($0.checkpoint.map { Checkpoint($0) }) }
    }

    // MARK: Reading

    @Test func readsOnWhileThereIsMore() throws {
        script.change {
            $0.texts = texts(10)
            $0.atOnce = 3
        }
        let runner = try runner()
        try runner.start(from: nil, behind: [])
        #expect(scene.durable.wait { $0.count == 4 })
        end(runner)
        #expect(try delivered().flatMap { $0 } == texts(10))
        #expect(checkpoints == [3, 6, 9, 10])
        #expect(scene.durable.all.map(\.sequence.number) == [1, 2, 3, 4])
        #expect(script.reads.all == [0, 3, 6, 9])
        #expect(runner.status.current.records == 10)
        #expect(runner.status.current.envelopes == 4)
    }

    @Test func goesOnBehindItsCheckpoint() throws {
        script.change {
            $0.texts = texts(5)
            $0.atOnce = 10
        }
        let runner = try runner()
        try runner.start(from: SourceScript.checkpoint(3), behind: [])
        #expect(scene.durable.wait { $0.count == 1 })
        end(runner)
        #expect(try delivered() == [["text 4", "text 5"]])
        #expect(checkpoints == [5])
    }

    @Test func asksAgainWhenTheSourceSaysSo() throws {
        script.change { $0.again = .milliseconds(1) }
        let runner = try runner()
        try runner.start(from: nil, behind: [])
        #expect(script.reads.wait { $0.count >= 3 })
        script.change { $0.texts = texts(1) }
        #expect(scene.durable.wait { $0.count == 1 })
        end(runner)
        #expect(try delivered() == [["text 1"]])
    }

    // MARK: Linger

    @Test func aBatchThatIsNotFullWaitsForMore() throws {
        let text = String(repeating: "x", count: 300)
        script.change {
            $0.texts = (1...8).map { _ in text }
            $0.hidesMore = true
            $0.again = .milliseconds(1)
        }
        // One comes at a time, and only the size of the batch ends the wait.
        let runner = try runner(linger: .seconds(3600), batchBytes: 1000)
        try runner.start(from: nil, behind: [])
        #expect(scene.durable.wait { $0.count == 2 })
        end(runner)
        #expect(scene.durable.all.map(\.records) == [3, 3])
        #expect(checkpoints == [3, 6])
    }

    @Test func aBatchIsSentAtOnceWhereTheSourceIsAskedTooLate() throws {
        script.change { $0.texts = texts(1) }
        // The schedule comes in an hour at most, which is later than the batch may wait.
        let runner = try runner(linger: .nanoseconds(1))
        try runner.start(from: nil, behind: [])
        #expect(scene.durable.wait { $0.count == 1 })
        end(runner)
        #expect(checkpoints == [1])
    }

    // MARK: Errors

    @Test func anErrorLosesAndRepeatsNothing() throws {
        script.change {
            $0.texts = texts(6)
            $0.atOnce = 2
            $0.openingFaults = [.configuration]
            $0.faults = [nil, .transient, nil, .rejected]
        }
        let runner = try runner()
        try runner.start(from: nil, behind: [])
        #expect(scene.durable.wait { $0.count == 3 })
        end(runner)
        #expect(try delivered().flatMap { $0 } == texts(6))
        #expect(checkpoints == [2, 4, 6])
        #expect(script.openings == 4, "after each error with a fresh source")
        #expect(script.reads.all == [0, 2, 2, 4, 4])
        #expect(runner.status.current.lastError == nil)
    }

    @Test func whatLingeredBeforeAnErrorIsReadAgain() throws {
        script.change {
            $0.texts = texts(1)
            $0.again = .milliseconds(1)
            $0.faults = [nil, .transient]
        }
        let runner = try runner(linger: .seconds(3600), batchBytes: 40)
        try runner.start(from: nil, behind: [])
        // The first lingers, the second read fails; then there is more.
        #expect(script.reads.wait { $0.count >= 3 })
        script.change { $0.texts = texts(8) }
        #expect(scene.durable.wait { $0.reduce(0) { $0 + $1.records } >= 7 })
        end(runner)
        let all = try delivered().flatMap { $0 }
        #expect(all == Array(texts(8).prefix(all.count)))
        #expect(script.reads.all.prefix(3) == [0, 1, 0])
    }

    @Test func withoutAKeyItWaitsForOne() throws {
        script.change { $0.texts = texts(2) }
        let ring = KeyRing(Keychain(holder: pair.sourceName))
        let runner = try runner(keys: ring)
        try runner.start(from: nil, behind: [])
        #expect(script.reads.wait { $0.count >= 2 })
        ring.replace(with: try pair.sourceKeys())
        #expect(scene.durable.wait { $0.count == 2 })
        end(runner)
        #expect(try delivered().flatMap { $0 } == texts(2))
    }

    // MARK: Receipts

    @Test func theSourceHearsOfReceiptsInOrder() throws {
        script.change {
            $0.texts = texts(6)
            $0.atOnce = 2
        }
        let runner = try runner()
        try runner.start(from: nil, behind: [])
        #expect(scene.durable.wait { $0.count == 3 })
        #expect(script.acknowledged.all == [])
        let stream = try #require(scene.durable.all.first?.stream)
        runner.receipted(Sample.stream(77), through: Sequence(3))
        runner.receipted(stream, through: Sequence(1))
        #expect(script.acknowledged.wait { $0 == [2] })
        runner.receipted(stream, through: Sequence(1))
        runner.receipted(stream, through: Sequence(3))
        #expect(script.acknowledged.wait { $0 == [2, 6] })
        end(runner)
        #expect(script.acknowledged.all == [2, 6])
    }

    @Test func whatASettledStartLeftIsToldOfAtOnce() throws {
        let runner = try runner()
        try runner.start(from: SourceScript.checkpoint(4), behind: [])
        #expect(script.acknowledged.wait { $0 == [4] })
        end(runner)
    }

    @Test func aCheckpointBehindAnEarlierStreamWaitsForItsReceipt() throws {
        script.change { $0.texts = texts(5) }
        let runner = try runner()
        try runner.start(
            from: SourceScript.checkpoint(4), behind: [.init(stream: Sample.stream(9), sequence: Sequence(7))])
        #expect(scene.durable.wait { $0.count == 1 })
        runner.receipted(Sample.stream(9), through: Sequence(6))
        #expect(script.acknowledged.all == [])
        runner.receipted(Sample.stream(9), through: Sequence(7))
        #expect(script.acknowledged.wait { $0 == [4] })
        runner.receipted(try #require(scene.durable.all.first?.stream), through: Sequence(1))
        #expect(script.acknowledged.wait { $0 == [4, 5] })
        end(runner)
    }

    @Test func aFailedTidyingIsTriedAgain() throws {
        script.change {
            $0.texts = texts(1)
            $0.acknowledgeFaults = [.transient]
        }
        let runner = try runner()
        try runner.start(from: nil, behind: [])
        #expect(scene.durable.wait { $0.count == 1 })
        let stream = try #require(scene.durable.all.first?.stream)
        runner.receipted(stream, through: Sequence(1))
        #expect(
            script.acknowledged.wait { all in
                if all.isEmpty { runner.receipted(stream, through: Sequence(1)) }
                return all == [1]
            })
        end(runner)
    }

    @Test(.timeLimit(.minutes(1))) func aSourceWaitsWhileItsJobIsAhead() throws {
        script.change { $0.texts = texts(3) }
        let runner = try runner()
        runner.maker.isAhead = true
        try runner.start(from: nil, behind: [])
        while runner.status.current.state != "waiting" { sched_yield() }
        #expect(script.reads.all.isEmpty)
        runner.maker.isAhead = false
        scene.port.wake()
        #expect(scene.durable.wait { !$0.isEmpty })
        end(runner)
    }

    // MARK: Stopping

    @Test func stopEndsTheWaitForRoom() throws {
        script.change { $0.texts = (1...40).map { _ in String(repeating: "x", count: 1 << 20) } }
        // Nothing becomes durable, so what may be pending fills up.
        let runner = try runner(port: OutboxPort())
        try runner.start(from: nil, behind: [])
        #expect(script.reads.wait { $0.count >= OutboxGate.pendingBytes >> 20 })
        end(runner)
        #expect(script.reads.all.count <= OutboxGate.pendingBytes >> 20 + 1)
    }
}
