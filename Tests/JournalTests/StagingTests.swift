import Testing

@testable import Journal

/// Records on their way into a commit: how much memory they take.
struct StagingTests {
    private let commit = CommitBytes(words: .init(repeating: 7))

    private func stage(_ staging: inout Staging, _ tag: Int, _ count: Int) {
        payload(tag, count).withUnsafeBytes { bytes in
            staging.append(LSN(UInt64(tag)), data, bytes, UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }

    @Test func aFullCommitAndItsMarkFitWhatIsKept() {
        var staging = Staging()
        for round in 0..<3 {
            var count = 0
            while staging.hasRoom(100_000) {
                count += 1
                stage(&staging, count, 100_000)
            }
            #expect(count > 30)
            let all = staging.memory(0..<count, with: commit)?.count
            #expect(all == staging.bytes + Layout.commitRecord)
            let capacity = staging.capacity
            #expect(capacity == 4 << 20)
            staging.removeAll(before: round * 77)
            let kept = staging.capacity
            #expect(kept == capacity, "the next commit needs no new memory")
        }
    }

    /// The longest record there may be takes its own bytes and little more, and gives them back.
    @Test func aLongRecordTakesNoMoreThanItHas() {
        var staging = Staging()
        stage(&staging, 1, 17 << 20)
        let hasRoom = staging.hasRoom(0)
        #expect(!hasRoom)
        _ = staging.memory(0..<1, with: commit)
        let taken = staging.capacity
        #expect(taken < (17 << 20) + (128 << 10))
        let isWhole = Array(staging.payload(staging.records[0])) == payload(1, 17 << 20)
        #expect(isWhole)
        staging.removeAll(before: 0)
        let kept = staging.capacity
        #expect(kept < 1 << 20)
    }
}
