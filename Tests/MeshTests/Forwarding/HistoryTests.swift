import Envelope
import Link
import Testing

@testable import Mesh

/// After an outage fresh data goes first, and what has waited long is sent beside it.
struct HistoryTests {
    /// Line whose middle was cut for two minutes with some envelopes of stream 1 held before it.
    private func afterOutage(
        _ count: Int, body: Int = 32, _ change: (inout Forwarder.Configuration) -> Void = { _ in }
    ) throws -> Line {
        let line = Line(change)
        line.world.cut(try #require(line.world.wire(line.r1, line.r2)))
        for _ in 0..<count { line.world.send(line.a, line.b, body: body, stream: 1) }
        line.world.run(.seconds(120), step: .seconds(1))
        return line
    }

    /// Brings the middle up and lets r1 write as much as it can while nobody reads.
    private func heal(_ line: Line) {
        line.world.connect(line.r1, line.r2)
        line.world.flow()
        for _ in 0..<200 { line.world.advance(.milliseconds(10)) }
        line.world.flow()
    }

    @Test func freshDataOvertakesHistory() throws {
        let line = try afterOutage(50, body: 20_000)
        for _ in 0..<50 { line.world.send(line.a, line.b, body: 20_000, stream: 2) }
        line.world.flow()
        line.world.wireBytes = 60_000
        heal(line)
        line.world.run(.seconds(1))
        let order = line.world.ledger.deliveries
        #expect(order.count == 100)
        let lastFresh = try #require(order.lastIndex { $0 > 50 })
        let before = order[..<lastFresh].filter { $0 <= 50 }.count
        #expect(before < 15, "\(before) of the history came before the last fresh one")
        // Each stream stays in its order.
        #expect(order.filter { $0 <= 50 } == Array(1...50))
        #expect(order.filter { $0 > 50 } == Array(51...100))
    }

    @Test func aStreamStaysBehindItsOwnHistory() throws {
        let line = try afterOutage(20, body: 20_000)
        for _ in 0..<20 { line.world.send(line.a, line.b, body: 20_000, stream: 1) }
        line.world.flow()
        line.world.wireBytes = 60_000
        heal(line)
        line.world.run(.seconds(1))
        #expect(line.world.ledger.deliveries == Array(1...40))
        // With its history gone the stream is fresh again.
        line.world.send(line.a, line.b, stream: 1)
        line.world.run(.seconds(1))
        #expect(line.world.ledger.deliveries.count == 41)
        #expect(line.r1.holdings.queued == 0)
    }

    @Test func aStreamWithHistoryUnderWayKeepsItsOrderOverACut() throws {
        let line = try afterOutage(30)
        line.world.connect(line.r1, line.r2)
        line.r2.isSlow = true
        line.b.isSlow = true
        line.world.flow(rounds: 3)
        line.world.cut(try #require(line.world.wire(line.r1, line.r2)))
        for _ in 0..<10 { line.world.send(line.a, line.b, stream: 1) }
        line.world.flow()
        line.r2.isSlow = false
        line.b.isSlow = false
        heal(line)
        line.world.run(.seconds(5))
        // Copies may come twice; the first of each come in order.
        var seen: Set<UInt64> = []
        let firsts = line.world.ledger.deliveries.filter { seen.insert($0).inserted }
        #expect(firsts == Array(1...40))
        #expect(line.world.isDrained)
    }

    /// What a relay lost is made anew at its source, behind others of its stream that wait there. Where those are refused
    /// for want of room, they wait for it (seed 55420).
    @Test(arguments: [0, 120])
    func whatOthersOfItsStreamWaitForGoesFirst(age: Int64) throws {
        let line = Line()
        let link = line.a.exchange.forwarder.link(to: line.r1.id)
        let bytes = [UInt8](repeating: 0, count: 200)
        func make(_ stream: UInt64, _ sequence: UInt64, age: Duration = .zero) {
            let identity = Identity(
                source: line.a.id, stream: World.stream(stream, to: line.b.id), sequence: Sequence(sequence))
            bytes.withUnsafeBytes { bytes in
                line.a.exchange.forwarder.originate(
                    .init(
                        destination: line.b.id, identity: identity, lane: .live, length: bytes.count, lifetime: 3600,
                        age: age, owner: sequence, stored: 0), bytes, at: line.world.now)
            }
        }
        func next() -> [UInt64] {
            var taken: [UInt64] = []
            for lane in [Lane.live, .bulk] {
                while let index = line.a.exchange.forwarder.dequeue(link, lane, at: line.world.now) {
                    taken.append(line.a.exchange.forwarder.instances[index].sequence.number)
                }
            }
            return taken
        }
        for sequence in [5, 6] as [UInt64] { make(1, sequence, age: .seconds(age)) }
        make(2, 9)
        for sequence in [2, 3] as [UInt64] { make(1, sequence, age: .seconds(age)) }
        // What is history goes behind what is fresh, and keeps that order.
        #expect(next() == (age == 0 ? [2, 3, 5, 6, 9] : [9, 2, 3, 5, 6]))
    }

    @Test func historyHasARate() throws {
        let length = Header.size + 32
        let line = try afterOutage(100) { $0.history.bytesPerSecond = UInt64(10 * length) }
        line.world.connect(line.r1, line.r2)
        line.world.run(.seconds(5))
        let count = line.world.ledger.deliveries.count
        #expect((50...53).contains(count), "\(count)")
        // Fresh data is not paced.
        for _ in 0..<30 { line.world.send(line.a, line.b, stream: 2) }
        line.world.flow()
        #expect(line.world.ledger.deliveries.filter { $0 > 100 }.count == 30)
        line.world.run(.seconds(7))
        #expect(line.world.ledger.deliveries.count == 130)
        #expect(line.world.isDrained)
    }

    @Test(arguments: [10, 50])
    func historyHasAShare(_ share: Int) throws {
        let line = try afterOutage(200, body: 10_000) { $0.history.share = share }
        line.world.wireBytes = 30_000
        for _ in 0..<200 { line.world.send(line.a, line.b, body: 10_000, stream: 2) }
        line.world.flow()
        heal(line)
        line.world.run(.seconds(2))
        let order = line.world.ledger.deliveries
        #expect(order.count == 400)
        let lastFresh = try #require(order.lastIndex { $0 > 200 })
        let before = order[..<lastFresh].filter { $0 <= 200 }.count
        // History is read back from the store, so that it may miss a turn.
        let wanted = 200 * share / (100 - share)
        #expect((wanted / 2...wanted + 15).contains(before), "\(before) for \(wanted)")
    }

    // MARK: Receipts that pass

    /// A receipt of b for a's streams, on its way from b.
    private func receipt(_ line: Line, _ stream: UInt64, through mark: UInt64) {
        let receipt = Receipt(
            entries: [Receipt.Entry(stream: World.stream(stream, to: line.b.id), mark: Sequence(mark))],
            certificate: [1], signature: [UInt8](repeating: 1, count: Receipt.signatureBytes))
        let header = Header(
            kind: .receipt, lane: .control, source: line.b.id, destination: line.a.id,
            stream: StreamID(Bytes16(low: 99, high: 99)), sequence: Sequence(9999), floor: Sequence(1),
            created: WallTime(milliseconds: 0), lifetime: 3600, key: KeyID(Bytes16(low: 0, high: 0)),
            bodyLength: UInt32(receipt.encoded.count))
        // Nobody keeps a receipt but those who carry it.
        line.world.ledger.expire(9999)
        (header.encoded + receipt.encoded).withUnsafeBytes { bytes in
            line.r2.exchange.forwarder.originate(
                Forwarder.Origin(
                    destination: line.a.id, identity: header.identity, lane: .control, length: bytes.count,
                    lifetime: 3600, owner: 9999, stored: 0), bytes, at: line.world.now)
        }
        line.world.turn(line.r2)
        line.world.flow()
    }

    /// What the relay's owner does with a receipt whose signature is good.
    private func believe(_ line: Line) throws {
        for envelope in line.r1.receipts {
            let header = try Header(envelope)
            let receipt = try envelope[Header.size...].withUnsafeBytes { try Receipt($0) }
            line.r1.exchange.forwarder.receipted(header, receipt, at: line.world.now)
        }
        line.r1.receipts = []
        line.world.turn(line.r1)
    }

    /// r1 holds envelopes 1 to 10 of stream 1 and 11 to 20 of stream 2, and b is away behind r2.
    private func waiting() throws -> Line {
        let line = Line()
        line.r1.setRoutes([(line.a, [line.a])])
        for _ in 0..<10 { line.world.send(line.a, line.b, stream: 1) }
        for _ in 0..<10 { line.world.send(line.a, line.b, stream: 2) }
        line.world.run(.seconds(1))
        #expect(line.r1.store.records.count == 20)
        // They came to b another way, so that nobody misses what is let go.
        for number in line.world.ledger.departed { line.world.ledger.deliver(number) }
        return line
    }

    @Test func whatIsReceiptedIsLetGo() throws {
        let line = try waiting()
        receipt(line, 1, through: 6)
        #expect(line.r1.receipts.count == 1)
        try believe(line)
        #expect(line.r1.counters.receipted == 6)
        #expect(line.r1.store.records.count == 14)
        // Nothing but the word itself went to the source.
        #expect(line.r1.answerFigures.counters.delivered == 1)
        line.r1.setRoutes([(line.b, [line.r2]), (line.a, [line.a])])
        line.world.run(.seconds(2))
        #expect(line.world.ledger.deliveries.dropFirst(20).filter { $0 < 9999 } == Array(7...20))
        #expect(line.r1.store.records.isEmpty)
    }

    @Test func whatStandsBehindOthersIsFoundByTheSearch() throws {
        let line = try waiting()
        receipt(line, 1, through: 1)
        try believe(line)
        let header = try Header(line.world.envelope(from: line.b, to: line.a.id))
        let entries = [Receipt.Entry(stream: World.stream(2, to: line.b.id), mark: Sequence(15))]
        let behind = Receipt(
            entries: entries, certificate: [1], signature: [UInt8](repeating: 1, count: Receipt.signatureBytes))
        line.r1.exchange.forwarder.receipted(header, behind, at: line.world.now)
        line.world.turn(line.r1)
        #expect(line.r1.counters.receipted == 1)
        line.world.run(.seconds(11), step: .seconds(1))
        #expect(line.r1.counters.receipted == 6)
    }

    @Test func aCopyThatComesAfterTheWordGoesOn() throws {
        let line = try waiting()
        receipt(line, 1, through: 6)
        try believe(line)
        line.world.advance(.seconds(1))
        // The word was lost behind this relay, so the source sends again.
        let copy = try #require(line.world.ledger.atSource[2])
        let number = line.r1.exchange.forwarder.link(to: line.a.id)
        copy.withUnsafeBytes { bytes in
            line.r1.exchange.forwarder.arrived(
                on: number, transmission: 99, hop: HopFields(hopLimit: 9, age: 0), envelope: bytes, at: line.world.now)
        }
        line.r1.setRoutes([(line.b, [line.r2]), (line.a, [line.a])])
        line.world.run(.seconds(2))
        #expect(line.world.ledger.deliveries.dropFirst(20).contains(2))
        #expect(line.r1.counters.receipted == 6)
    }

    @Test func theWordOfAnotherNodeReleasesNothing() throws {
        let line = try waiting()
        var header = try Header(line.world.envelope(from: line.b, to: line.a.id))
        header.source = line.r2.id
        let entries = [Receipt.Entry(stream: World.stream(1, to: line.b.id), mark: Sequence(10))]
        let word = Receipt(
            entries: entries, certificate: [1], signature: [UInt8](repeating: 1, count: Receipt.signatureBytes))
        line.r1.exchange.forwarder.receipted(header, word, at: line.world.now)
        line.world.run(.seconds(11), step: .seconds(1))
        #expect(line.r1.counters.receipted == 0 && line.r1.store.records.count == 20)
    }

    @Test func whatTellsNothingNewIsNotJudged() throws {
        let line = try waiting()
        receipt(line, 3, through: 100)
        #expect(line.r1.receipts.isEmpty)
        // In steady state nothing waits, so no signature is looked at.
        line.r1.setRoutes([(line.b, [line.r2]), (line.a, [line.a])])
        line.world.run(.seconds(2))
        receipt(line, 1, through: 10)
        #expect(line.r1.receipts.isEmpty)
    }
}
