import Envelope
import Link
import Testing

@testable import Mesh

/// A disk that fails reads, though what it holds is whole.
struct FailedReadTests {
    /// Envelopes that lie in the store of the first relay, whose way on opens now.
    /// - Parameter isSlow: the store does nothing by itself.
    private func stored(isSlow: Bool) -> Line {
        let line = Line { $0.memoryBytes = 1000 }
        line.r1.setRoutes([])
        for _ in 0..<20 { line.world.send(line.a, line.b, body: 200) }
        line.world.run(.seconds(1))
        line.r1.failsReads = true
        line.r1.isSlow = isSlow
        line.r1.setRoutes([(line.b, [line.r2])])
        line.world.flow()
        return line
    }

    @Test func aFailedReadIsTriedAgainAfterAWhileAndNotBefore() {
        let line = stored(isSlow: false)
        let reads = line.r1.store.reads
        #expect(reads > 0)
        line.world.run(Limits.storeRetry - .milliseconds(20))
        #expect(line.r1.store.reads == reads)
        line.r1.failsReads = false
        line.world.run(.milliseconds(30))
        #expect(line.world.ledger.deliveries == Array(1...20))
        #expect(line.r1.counters.lost == 0 && line.world.isDrained)
    }

    /// What a neighbour has asked for is longer than what the disk needs.
    @Test func aQueueThatIsHeldForLongerStaysHeld() {
        let line = stored(isSlow: true)
        #expect(!line.r1.store.pending.isEmpty)
        line.r1.holdAll(until: line.world.now + .seconds(30))
        while line.r1.completeStore() {}
        line.r1.failsReads = false
        line.r1.isSlow = false
        let reads = line.r1.store.reads
        line.world.run(.seconds(29))
        #expect(line.r1.store.reads == reads)
        line.world.run(.seconds(2))
        #expect(line.world.ledger.deliveries == Array(1...20))
    }

    @Test func whatIsForThisNodeIsReadAgainToo() throws {
        let now = Instant(nanoseconds: 1_000_000_000)
        let local = NodeID(Bytes16(low: 1, high: 2))
        var forwarder = Forwarder(Forwarder.Configuration(hasStore: true), locals: [local], policy: .open)
        let header = Header(
            kind: .data, lane: .live, source: NodeID(Bytes16(low: 3, high: 3)), destination: local,
            stream: StreamID(Bytes16(low: 7, high: 7)), sequence: Sequence(1), floor: Sequence.none,
            created: WallTime(milliseconds: 0), lifetime: 1000, key: KeyID(Bytes16(low: 1, high: 1)), bodyLength: 3)
        let envelope = header.encoded + [1, 2, 3]
        forwarder.recovered(header: header, hop: HopFields(), length: envelope.count, stored: 4, at: now)
        let asked = forwarder.takeEffects()
        guard case .fetch(let id, stored: 4) = asked.first else {
            Issue.record("nothing is read: \(asked)")
            return
        }
        forwarder.fetchFailed(id, at: now)
        // Told once more, though nothing is under way.
        forwarder.fetchFailed(id, at: now)
        forwarder.timeReached(now + (Limits.storeRetry - .milliseconds(1)))
        let early = forwarder.takeEffects()
        #expect(early == [])
        forwarder.timeReached(now + Limits.storeRetry)
        let again = forwarder.takeEffects()
        #expect(again == [.fetch(id, stored: 4)])
        envelope.withUnsafeBytes { forwarder.fetched(id, $0, at: now + Limits.storeRetry) }
        let delivered = forwarder.takeEffects()
        #expect(delivered == [.deliver(id)])
    }
}

extension ToyNode {
    /// As a neighbour's refusals do it.
    fileprivate func holdAll(until time: Instant) {
        for number in exchange.forwarder.queues.indices where exchange.forwarder.queues[number].head >= 0 {
            exchange.forwarder.hold(Int32(number), until: time)
        }
    }
}
