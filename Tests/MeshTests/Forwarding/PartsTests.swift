import Envelope
import Link
import TestSupport
import Testing

@testable import Mesh

/// The forwarder's parts against models.
struct PartsTests {
    @Test func slabsKeepBytesAndGiveMemoryBack() {
        for seed in UInt64(1)...10 {
            var random = SeededGenerator(seed: seed)
            var pool = SlabPool()
            var model: [(block: Block, byte: UInt8, length: Int)] = []
            for step in 0..<2000 {
                if model.isEmpty || Int.random(in: 0..<5, using: &random) < 3 {
                    let length = step % 50 == 0 ? Int.random(in: 1...3_000_000, using: &random) : step % 3000 + 1
                    let byte = UInt8(truncatingIfNeeded: step)
                    let bytes = [UInt8](repeating: byte, count: length)
                    model.append((bytes.withUnsafeBytes { pool.allocate($0) }, byte, length))
                } else {
                    let index = Int.random(in: 0..<model.count, using: &random)
                    let entry = model.remove(at: index)
                    let bytes = pool.bytes(of: entry.block)
                    #expect(bytes.count == entry.length && bytes.first == entry.byte && bytes.last == entry.byte)
                    pool.free(entry.block)
                }
                let held = pool.bytesHeld
                #expect(held == model.reduce(0) { $0 + $1.length })
            }
            for entry in model { pool.free(entry.block) }
            let (held, reserved) = (pool.bytesHeld, pool.bytesReserved)
            #expect(held == 0)
            #expect(reserved <= SlabPool.spareBytes + SlabPool.slabBytes)
        }
    }

    @Test func aLentSlabBecomesABlockOrIsUsedAgain() throws {
        var pool = SlabPool()
        let short = pool.lend(1000)
        #expect(short == nil)
        let lent = pool.lend(300_000)
        let first = try #require(lent)
        first.base.initializeMemory(as: UInt8.self, repeating: 5, count: 300_000)
        let wasHeld = pool.bytesHeld
        #expect(wasHeld == 0, "nothing has come yet")
        let block = pool.keep(first.number, 300_000)
        let (held, content) = (pool.bytesHeld, Set(pool.bytes(of: block)))
        #expect(held == 300_000 && content == [5])
        let another = pool.lend(300_000)
        let second = try #require(another)
        #expect(second.base != first.base)
        pool.giveBack(second.number)
        pool.free(block)
        // Both are there for the next ones.
        let reserved = pool.bytesReserved
        for _ in 0..<100 {
            let places = [pool.lend(300_000), pool.lend(310_000)].compactMap { $0 }
            #expect(Set(places.map(\.base)) == [first.base, second.base])
            for place in places { pool.giveBack(place.number) }
        }
        let (after, isHeld) = (pool.bytesReserved, pool.bytesHeld)
        #expect(after == reserved && isHeld == 0)
    }

    /// What a socket is still to take stays, though its envelope is done with.
    @Test func aPinnedSlabStays() throws {
        var pool = SlabPool()
        let bytes = [UInt8](repeating: 5, count: 300_000)
        let block = bytes.withUnsafeBytes { pool.allocate($0) }
        let number = try #require({ pool.ownSlab(of: block) }())
        let short = bytes[..<100].withUnsafeBytes { pool.allocate($0) }
        let common = pool.ownSlab(of: short)
        #expect(common == nil)
        pool.pin(number)
        pool.pin(number)
        let content = pool.bytes(of: block)
        pool.free(block)
        pool.unpin(number)
        let others = (0..<3).map { _ in [UInt8](repeating: 6, count: 300_000).withUnsafeBytes { pool.allocate($0) } }
        #expect(others.allSatisfy { $0.slab != number } && Set(content) == [5])
        pool.unpin(number)
        let next = bytes.withUnsafeBytes { pool.allocate($0) }
        #expect(next.slab == number)
    }

    /// Peers that announce much and send nothing must not make the forwarder look for thin slabs with each envelope.
    @Test func whatIsLentIsNotSparse() {
        var pool = SlabPool()
        let places = (0..<100).compactMap { _ in pool.lend(16 << 20) }
        let isSparse = pool.isSparse
        #expect(places.count == 100 && !isSparse)
        for place in places { pool.giveBack(place.number) }
        let reserved = pool.bytesReserved
        #expect(reserved <= SlabPool.spareBytes)
    }

    @Test func thinSlabsAreMovedTogether() {
        var pool = SlabPool()
        let bytes = [UInt8](repeating: 9, count: 1000)
        var kept: [Block] = []
        for number in 0..<100_000 {
            let block = bytes.withUnsafeBytes { pool.allocate($0) }
            if number % 1000 == 0 { kept.append(block) } else { pool.free(block) }
        }
        let wasSparse = pool.isSparse
        #expect(wasSparse)
        for index in kept.indices where pool.isThin(kept[index]) { kept[index] = pool.move(kept[index]) }
        let isSparse = pool.isSparse
        #expect(!isSparse)
        for block in kept {
            let content = Array(pool.bytes(of: block))
            #expect(content == bytes)
        }
    }

    @Test func holdsEndInTimeWhateverTheirOrder() {
        var random = SeededGenerator(seed: 3)
        var schedule = HoldSchedule(.milliseconds(20) ... .seconds(2))
        var latest: [UInt64: Instant] = [:]
        var now = Instant.zero
        for number in UInt64(1)...3000 {
            now = now + .milliseconds(.random(in: 0...5, using: &random))
            let wait = Duration.milliseconds(.random(in: 20...2000, using: &random))
            schedule.append(InstanceID(token: number), for: wait, at: now)
            latest[number] = now + wait
            while let id = schedule.takeDue(now) {
                let deadline = latest.removeValue(forKey: id.token)
                #expect(deadline != nil)
            }
            for (number, deadline) in latest where deadline <= now { Issue.record("\(number) is late: \(deadline)") }
        }
        while schedule.nextDeadline != .never {
            now = schedule.nextDeadline
            while let id = schedule.takeDue(now) { latest[id.token] = nil }
        }
        #expect(latest.isEmpty)
    }

    @Test func ledgerTellsEachSafeTransmissionOnce() {
        for seed in UInt64(1)...20 {
            var random = SeededGenerator(seed: seed)
            var ledger = CustodyLedger()
            ledger.sessionBegan(Bytes16(low: seed, high: 1))
            ledger.noteReceived()
            var open = Array(UInt64(1)...500)
            var told: Set<UInt64> = []
            var refused: Set<UInt64> = []
            while let number = open.randomElement(using: &random) {
                open.removeAll { $0 == number }
                let creditor = Creditor(link: 0, serial: ledger.serial, transmission: number)
                if number % 7 == 0 {
                    ledger.settleRefused(creditor, length: 10)
                    refused.insert(number)
                } else {
                    ledger.markSafe(creditor, length: 10)
                }
                guard Bool.random(using: &random) else { continue }
                for range in ledger.takePending().safe.ranges {
                    for number in range { #expect(told.insert(number).inserted) }
                }
            }
            for range in ledger.takePending().safe.ranges { told.formUnion(range) }
            #expect(told.union(refused) == Set(1...500))
            #expect(told.isDisjoint(with: refused))
            #expect(ledger.bytesSettled == 5000 && ledger.envelopesSettled == 500)
            let serial = ledger.serial
            ledger.sessionEnded()
            #expect(Set(ledger.resumption.safe.ranges.flatMap { Array($0) }) == told)
            // What becomes safe after the end is told by the next hello, also past a session that brought nothing.
            ledger.sessionBegan(Bytes16(low: seed, high: 2))
            ledger.sessionEnded()
            ledger.markSafe(Creditor(link: 0, serial: serial, transmission: 501), length: 10)
            #expect(ledger.resumption.session == Bytes16(low: seed, high: 1))
            #expect(ledger.resumption.safe.contains(501))
        }
    }

    @Test func queuesKeepTheOrderOfArrival() {
        for seed in UInt64(1)...20 {
            var random = SeededGenerator(seed: seed)
            var table = InstanceTable()
            var queue = EnvelopeQueue()
            var inside: [UInt32] = []
            var outside: [UInt32] = []
            for order in UInt64(1)...400 {
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    var instance = Instance()
                    instance.order = order
                    instance.length = 5
                    let index = table.add(instance)
                    table.append(index, to: &queue, number: 0)
                    inside.append(index)
                case 1:
                    guard let index = inside.randomElement(using: &random) else { continue }
                    table.unlink(index, from: &queue)
                    inside.removeAll { $0 == index }
                    outside.append(index)
                default:
                    guard !outside.isEmpty else { continue }
                    let index = outside.remove(at: .random(in: 0..<outside.count, using: &random))
                    table.putBack(index, to: &queue, number: 0)
                    inside.append(index)
                }
                var walked: [UInt32] = []
                var place = queue.head
                while place >= 0 {
                    walked.append(UInt32(place))
                    place = table[UInt32(place)].next
                }
                #expect(walked == inside.sorted { table[$0].order < table[$1].order })
                #expect(queue.count == inside.count && queue.bytes == 5 * inside.count)
                #expect(queue.tail == walked.last.map { Int32($0) } ?? -1)
            }
        }
    }
}
