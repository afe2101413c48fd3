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
            #expect(whole.bytes == (held + other).flatMap { [UInt8($0), UInt8($0)] })
            #expect(rest.isEmpty && rest.bytes.isEmpty)
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
}
