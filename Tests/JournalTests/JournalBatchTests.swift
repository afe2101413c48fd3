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
        batch.operations.compactMap { if case .append(_, let token, _, _, _) = $0 { token } else { nil } }
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
}
