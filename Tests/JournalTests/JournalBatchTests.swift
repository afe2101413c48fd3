import Testing

@testable import Journal

struct JournalBatchTests {
    private func batch(_ tokens: [UInt64]) -> JournalBatch {
        var batch = JournalBatch()
        for token in tokens {
            let added = [UInt8(token), UInt8(token)].withUnsafeBytes { batch.append(RecordKind(1), token: token, $0) }
            #expect(added)
        }
        return batch
    }

    private func tokens(_ batch: JournalBatch) -> [UInt64] {
        batch.operations.compactMap { if case .append(_, let token, _, _, _, _) = $0 { token } else { nil } }
    }

    @Test func whatIsTakenStandsBehindWhatIsHeld() {
        for (held, other) in [([], [1, 2]), ([1], [2, 3]), ([1, 2], []), ([], [])] as [([UInt64], [UInt64])] {
            var (whole, rest) = (batch(held), batch(other))
            whole.take(&rest)
            #expect(tokens(whole) == held + other)
            #expect(payloads(whole) == (held + other).map { [UInt8($0), UInt8($0)] })
            #expect(rest.isEmpty && rest.copied.count == 0)
        }
    }

    /// What a committer would write for each append.
    private func payloads(_ batch: JournalBatch) -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        batch.forEachAppend { payloads.append(Array($1)) }
        return payloads
    }

    @Test(arguments: [3, 4_099, 4_100, 100_000]) func theEndOfAnArrayIsThePayloadsSecondPart(count: Int) {
        let arrays = (0..<3).map { seed in (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed) } }
        var (whole, rest) = (JournalBatch(), JournalBatch())
        for (index, array) in arrays.enumerated() {
            let first = [UInt8(index), 1]
            let isTaken =
                index < 2 ? append(index, first, array, 3, to: &whole) : append(index, first, array, 3, to: &rest)
            #expect(isTaken)
        }
        whole.take(&rest)
        #expect(payloads(whole) == arrays.enumerated().map { [UInt8($0.offset), 1] + $0.element[3...] })
        #expect(whole.held.isEmpty == (count < 4_099), "what is short is copied, what is long is not")
        whole.removeAll()
        #expect(whole.isEmpty && whole.held.isEmpty)
    }

    private func append(
        _ token: Int, _ first: [UInt8], _ array: [UInt8], _ from: Int, to batch: inout JournalBatch
    ) -> Bool {
        first.withUnsafeBytes { batch.append(RecordKind(1), token: UInt64(token), $0, array, from: from) }
    }

    @Test func whatIsHeldCountsTowardsTheLimit() {
        let array = [UInt8](repeating: 1, count: JournalBatch.byteLimit / 2)
        var batch = JournalBatch()
        let taken = (1...3).map { append($0, [], $0 < 3 ? array : [1], 0, to: &batch) }
        #expect(taken == [true, true, false])
        let isShortTaken = [UInt8(1)].withUnsafeBytes { batch.append(RecordKind(1), token: 4, $0) }
        #expect(!isShortTaken)
        batch.removeAll()
        let isTakenAgain = append(5, [], array, 0, to: &batch)
        #expect(isTakenAgain)
    }

    /// Chunks hold whole payloads, short and long ones, also of a batch that was put behind another.
    @Test func whatFillsManyChunksComesInItsOrder() {
        let chunk = PayloadChunks.chunkBytes
        let lengths = [0, 1, chunk - 1, 0, chunk, 3 * chunk, 5, chunk / 2, chunk / 2, chunk / 2 + 1, 0, 7, chunk + 1]
        let wanted = lengths.enumerated().map { payload($0.offset, $0.element) }
        for split in 0...lengths.count {
            var (whole, rest) = (JournalBatch(), JournalBatch())
            for (index, bytes) in wanted.enumerated() {
                if index < split { append(index, bytes, to: &whole) } else { append(index, bytes, to: &rest) }
                whole.release(LSN(UInt64(index + 1)))
            }
            whole.take(&rest)
            #expect(payloads(whole) == wanted)
            var shown = 0
            whole.walk { _, _ in shown += 1 }
            #expect(shown == 2 * lengths.count)
        }
    }

    /// A burst's memory is given back, and what is usual is kept for the next.
    @Test func anEmptiedBatchKeepsLittle() {
        var batch = JournalBatch()
        let usual = payload(1, 1000)
        for round in 1...3 {
            append(0, payload(0, 9 * PayloadChunks.chunkBytes), to: &batch)
            for index in 0..<40 * round { append(index, payload(index, 300_000), to: &batch) }
            #expect(batch.copied.capacity > 20 * PayloadChunks.chunkBytes)
            batch.removeAll()
            #expect(batch.copied.capacity < 2 * PayloadChunks.kept * PayloadChunks.chunkBytes)
            let kept = batch.copied.capacity
            #expect(kept >= PayloadChunks.kept * PayloadChunks.chunkBytes)
            append(1, usual, to: &batch)
            #expect(batch.copied.capacity == kept && payloads(batch) == [usual])
            batch.removeAll()
        }
    }

    /// Empty chunks stay behind what is put there.
    @Test func aBatchThatWasEmptiedTakesAnother() {
        var (whole, rest) = (JournalBatch(), JournalBatch())
        for _ in 1...3 { append(9, payload(9, PayloadChunks.chunkBytes), to: &whole) }
        whole.removeAll()
        append(1, [1, 1], to: &whole)
        append(2, [2, 2], to: &rest)
        whole.take(&rest)
        append(3, payload(3, PayloadChunks.chunkBytes), to: &whole)
        #expect(payloads(whole) == [[1, 1], [2, 2], payload(3, PayloadChunks.chunkBytes)])
    }

    private func append(_ token: Int, _ bytes: [UInt8], to batch: inout JournalBatch) {
        let isTaken = bytes.withUnsafeBytes { batch.append(RecordKind(1), token: UInt64(token), $0) }
        #expect(isTaken)
    }
}
