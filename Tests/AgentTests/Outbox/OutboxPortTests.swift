import Envelope
import Journal
import Platform
import Testing

@testable import Agent
@testable import AgentCore

@Suite(.timeLimit(.minutes(1))) struct OutboxPortTests {
    private let directory: TemporaryDirectory
    private let scene = OutboxScene()

    init() throws { directory = try TemporaryDirectory() }

    private func submit(_ stream: StreamHandle, _ sequences: ClosedRange<UInt64>, bytes: Int = 200) {
        for sequence in sequences { scene.port.submit(OutboxScene.submission(stream, sequence, bytes: bytes)) }
    }

    /// Makes room for what was refused until so many are durable.
    private func finish(_ count: Int) -> Bool {
        var released = 0
        return scene.durable.wait { durable in
            scene.release(durable.dropFirst(released).map(\.lsn))
            released = durable.count
            _ = scene.port.retryAll()
            return durable.count >= count
        }
    }

    @Test func whatIsSubmittedBecomesDurableInOrder() throws {
        try scene.open(directory)
        let stream = OutboxScene.handle(1)
        submit(stream, 1...100)
        #expect(scene.durable.wait { $0.count == 100 })
        #expect(scene.durable.all.map(\.sequence.number) == Array(1...100))
        #expect(!scene.port.holdsAny(of: "job"))
        #expect(!scene.port.holdsAny(of: stream.id))
        scene.close()
    }

    /// The journal has no room for large envelopes and would have for a small one behind them.
    @Test func aRefusalHoldsTheStreamAndKeepsItsOrder() throws {
        try scene.open(directory, segments: 4)
        let held = OutboxScene.handle(1)
        submit(held, 1...8, bytes: 30_000)
        submit(held, 9...9)
        #expect(scene.refused.wait { $0.contains(0) })
        // One made after the refusal is known waits behind the rest, too, and nobody else does.
        submit(held, 10...10)
        let free = OutboxScene.handle(2, job: "other")
        submit(free, 1...1)
        #expect(scene.durable.wait { $0.contains { $0.stream == free.id } })
        #expect(scene.durable.all.filter { $0.stream == held.id }.map(\.sequence.number) == Array(1...4))
        #expect(scene.port.holdsAny(of: held.id))
        #expect(!scene.port.holdsAny(of: free.id))
        #expect(scene.port.holdsAny(of: "job"))
        #expect(finish(11))
        #expect(scene.durable.all.filter { $0.stream == held.id }.map(\.sequence.number) == Array(1...10))
        #expect(!scene.port.retryAll())
        // Afterwards it goes on as if nothing had been.
        submit(held, 11...12)
        #expect(finish(13))
        #expect(scene.durable.all.last?.sequence == Sequence(12))
        scene.close()
    }

    @Test func beforeAJournalIsThereEverythingIsHeld() throws {
        let stream = OutboxScene.handle(1)
        submit(stream, 1...3)
        #expect(scene.port.retryAll())
        #expect(scene.port.holdsAny(of: stream.id))
        try scene.open(directory)
        #expect(!scene.port.retryAll())
        #expect(scene.durable.wait { $0.count == 3 })
        #expect(scene.durable.all.map(\.sequence.number) == [1, 2, 3])
        scene.close()
    }

    @Test func anUnknownTokenIsNobodys() throws {
        var taken = scene.port.take([JournalCompletion(token: 99, lsn: LSN(1), outcome: .durable)])
        #expect(taken.take(99) == nil)
        scene.port.refuse(99)
        #expect(!scene.port.retryAll())
    }

    // MARK: Room

    @Test func thereIsRoomUpToTheBytesPending() throws {
        let stream = OutboxScene.handle(1)
        let share = OutboxGate.pendingBytes / 4
        submit(stream, 1...3, bytes: share)
        #expect(scene.port.hasRoom)
        submit(stream, 4...4, bytes: share)
        #expect(!scene.port.hasRoom)
    }

    @Test func theDestinationsWindowIsNotOverrun() {
        let stream = OutboxScene.handle(1)
        let last = Sequence(StreamWriter.window)
        #expect(stream.mayMake(last))
        #expect(!stream.mayMake(last.next))
        stream.raiseFloor(to: Sequence(2))
        #expect(stream.mayMake(last.next))
    }

    @Test(arguments: [true, false]) func aWaitingMakerGoesOnWhenRoomComes(isReceipted: Bool) throws {
        let stream = OutboxScene.handle(1)
        let last = Sequence(StreamWriter.window)
        let bell = Bell()
        let answers = Collected<Bool>()
        let thread = try Threads.start(name: "maker") { [scene] in
            answers.append(
                scene.port.awaitRoom(bell: bell, isCancelled: { false }, mayMake: { stream.mayMake(last.next) }))
        }
        if isReceipted {
            stream.raiseFloor(to: Sequence(2))
            scene.port.wake()
        } else {
            scene.port.close()
        }
        #expect(answers.wait { $0 == [isReceipted] })
        thread.join()
    }
}
