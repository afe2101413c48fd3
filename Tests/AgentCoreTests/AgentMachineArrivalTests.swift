import Envelope
import Journal
import Mesh
import Testing

@testable import AgentCore

/// What comes to an agent, and what it says of it.
struct AgentMachineArrivalTests {
    private let scene = AgentScene()

    private func arrivals() -> [Arrival] {
        scene.takeFacts().compactMap { if case .deliver(let arrival) = $0 { arrival } else { nil } }
    }

    @Test func anArrivalIsHandedOutWholeAndItsRelayKeepsItUntilItIsFinished() throws {
        scene.connect()
        let envelope = scene.arrival(.data)
        scene.bring(envelope)
        let arrival = try #require(arrivals().first)
        #expect(arrival.envelope == envelope && arrival.header.kind == .data)
        #expect(scene.counters.delivered == 0 && scene.atRelayCounters.handedOver == 0)
        scene.machine.take([.finished(arrival.instance)], &scene.exchange, at: scene.now)
        scene.turn()
        #expect(scene.counters.delivered == 1 && scene.atRelayCounters.handedOver == 1)
    }

    @Test(arguments: [999, 1000, 30_000]) func whatIsGivenBackComesAgainAfterItsDelay(milliseconds: Int64) throws {
        scene.connect()
        scene.bring(scene.arrival(.data))
        let first = try #require(arrivals().first)
        let delay = Duration.milliseconds(milliseconds)
        scene.machine.take([.giveBack(first.instance, delay)], &scene.exchange, at: scene.now)
        scene.turn()
        #expect(scene.counters.refusedBusy == 1 && scene.atRelayCounters.handedOver == 0)
        // Only what is set aside lets others of its lane pass.
        scene.bring(scene.arrival(.data, stream: 78))
        let passes = arrivals().map(\.header.stream)
        #expect(passes == (milliseconds < 1000 ? [] : [Sample.stream(78)]))
        scene.advance(delay)
        scene.advance(.seconds(1))
        #expect(arrivals().contains { $0.header.stream == Sample.stream(77) })
    }

    @Test func bytesThatAreNoEnvelopeAreKeptAside() {
        scene.connect()
        scene.bring([UInt8](repeating: 3, count: 200))
        // Handed to the agent by itself, so that no neighbour has judged it.
        let strange = [UInt8](repeating: 4, count: 150)
        strange.withUnsafeBytes { bytes in
            scene.exchange.forwarder.originate(
                Forwarder.Origin(
                    destination: AgentScene.id(AgentScene.agent), lane: .live, length: bytes.count, lifetime: 60,
                    owner: 0, stored: 0), bytes, at: scene.now)
        }
        scene.turn()
        let damaged = scene.takeFacts().compactMap { if case .damaged(let bytes, _) = $0 { bytes } else { nil } }
        #expect(damaged == [[UInt8](repeating: 3, count: 200), strange])
        #expect(scene.counters.delivered == 1)
    }

    @Test func aRelaysWordThatALifeIsOverIsToldAndFinished() {
        scene.connect()
        scene.bring(scene.arrival(.expiry, from: AgentScene.relay, stream: 5))
        let told = scene.takeFacts().contains { fact in
            if case .expiryNotice(Sample.stream(5), let numbers, AgentScene.id(AgentScene.relay)) = fact {
                numbers == Sequence(1)...Sequence(1)
            } else {
                false
            }
        }
        #expect(told)
        #expect(scene.counters.delivered == 1 && scene.atRelayCounters.handedOver == 1)
    }

    // MARK: Receipts of its own

    private func note(_ stream: UInt64, _ mark: UInt64) {
        scene.machine.take(
            [.mark(source: AgentScene.id(AgentScene.peer), stream: Sample.stream(stream), Sequence(mark))],
            &scene.exchange, at: scene.now)
    }

    private func said() throws -> [[Receipt.Entry]] {
        try scene.atRelay.map { envelope in
            let header = try Header(envelope)
            #expect(header.kind == .receipt && header.destination == AgentScene.id(AgentScene.peer))
            #expect(header.source == AgentScene.id(AgentScene.agent) && header.stream == Sample.stream(999))
            let body = Array(envelope[Header.size...])
            return try body.withUnsafeBytes { try Receipt($0).entries }
        }
    }

    @Test func marksAreSaidTogetherAfterAShortWhile() throws {
        scene.connect()
        note(1, 3)
        note(2, 1)
        note(1, 4)
        scene.turn()
        #expect(scene.atRelay.isEmpty && scene.deadline == scene.now + ReceiptBook.delay)
        scene.advance(ReceiptBook.delay)
        #expect(
            try said() == [
                [
                    Receipt.Entry(stream: Sample.stream(1), mark: Sequence(4)),
                    Receipt.Entry(stream: Sample.stream(2), mark: Sequence(1)),
                ]
            ])
        #expect(scene.deadline == .never)
        note(1, 5)
        scene.advance(.seconds(1))
        #expect(try said().last == [Receipt.Entry(stream: Sample.stream(1), mark: Sequence(5))])
        // Each is an envelope of its own.
        #expect(try scene.atRelay.map { try Header($0).sequence } == [Sequence(1), Sequence(2)])
    }

    @Test func anAgentThatLeavesSaysAllThereIsToSay() throws {
        scene.connect()
        note(1, 3)
        scene.machine.sendReceipts(wall: WallTime(milliseconds: 0), &scene.exchange, at: scene.now)
        scene.turn()
        #expect(scene.atRelay.isEmpty)
        scene.machine.sendLastReceipts(wall: WallTime(milliseconds: 0), &scene.exchange, at: scene.now)
        scene.turn()
        #expect(try said() == [[Receipt.Entry(stream: Sample.stream(1), mark: Sequence(3))]])
    }
}
