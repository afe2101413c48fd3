import Testing

@testable import Journal

/// Records on their way into a commit: how much memory they take.
struct StagingTests {
    private let commit = CommitBytes(words: .init(repeating: 7))

    private func stage(_ staging: inout Staging, _ tag: Int, _ count: Int) {
        [UInt8](repeating: UInt8(tag), count: count).withUnsafeBytes { bytes in
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

    /// The longest record there may be takes its own bytes and little more. They stay for the next, and are given back
    /// where none comes.
    @Test func aLongRecordTakesNoMoreThanItHas() {
        var staging = Staging()
        stage(&staging, 1, 17 << 20)
        let hasRoom = staging.hasRoom(0)
        #expect(!hasRoom)
        _ = staging.memory(0..<1, with: commit)
        let taken = staging.capacity
        #expect(taken < (17 << 20) + (128 << 10))
        let isWhole = staging.payload(staging.records[0]).elementsEqual(repeatElement(1, count: 17 << 20))
        #expect(isWhole)
        for round in 1...3 {
            staging.removeAll(before: 0)
            stage(&staging, 1, round == 3 ? 100 : 17 << 20)
            let kept = staging.capacity
            #expect(kept == taken)
        }
        for _ in 1...16 {
            let kept = staging.capacity
            #expect(kept == taken)
            staging.removeAll(before: 0)
            stage(&staging, 1, 100)
        }
        let kept = staging.capacity
        #expect(kept < 1 << 20)
    }
}
