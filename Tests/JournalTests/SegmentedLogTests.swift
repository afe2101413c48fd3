import TestSupport
import Testing

@testable import Journal

@Suite struct SegmentedLogTests {
    @Test func nothingIsThereBeforeTheCommit() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        _ = try log.append(data, payload(1, 10))
        #expect(try inspect(disk.settled()).shown.isEmpty)
        try log.commit()
        #expect(try inspect(disk.settled()).shown.map(\.prefix) == [payload(1, 10)])
    }

    @Test func releaseTakesEffectWithTheCommit() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        let lsn = try log.append(data, payload(1, 10))
        try log.commit()
        let wasThere = log.release(lsn)
        #expect(wasThere)
        #expect(try inspect(disk.settled()).shown.count == 1)
        try log.commit()
        let isStillThere = log.release(lsn)
        let wasEverThere = log.release(LSN(99))
        #expect(!isStillThere && !wasEverThere)
        #expect(try inspect(disk.settled()).report.released == 1)
        #expect(log.usage.records == 0 && log.usage.liveBytes == 0)
    }

    @Test func aRecordAppendedAndReleasedInOneCommitIsNotLive() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        let lsn = try log.append(data, payload(1, 10))
        let wasThere = log.release(lsn)
        #expect(wasThere)
        try log.commit()
        #expect(try inspect(disk.settled()).shown.isEmpty)
    }

    @Test func piecesMakeOnePayloadAndStagedRecordsAreRead() throws {
        var log = try openLog(MemoryDisk())
        let (first, second) = (payload(1, 7), payload(2, 300))
        let both = first + second
        var lsn = LSN.none
        let refusal = both.withUnsafeBytes { both in
            failure(of: &log) { log throws(JournalError) in
                lsn = try log.append(data, .init(rebasing: both[..<7]), .init(rebasing: both[7...]))
            }
        }
        #expect(refusal == nil)
        var bytes: [UInt8] = []
        let kind = try log.read(lsn, into: &bytes)
        #expect(kind == data)
        #expect(bytes == both)
        try log.commit()
        try log.read(lsn, into: &bytes)
        #expect(bytes == both)
        let error = failure(of: &log) { log throws(JournalError) in try log.read(LSN(2), into: &bytes) }
        #expect(error == .notFound(LSN(2)))
    }

    /// Payloads around each boundary of alignment, window and segment.
    @Test func lengthsOfAllKinds() throws {
        let disk = MemoryDisk()
        let options = smallOptions(segments: 600)
        var log = try openLog(disk, options)
        let lengths = Array(0...17) + [511, 512, 3900, 3950, options.payloadLimit - 1, options.payloadLimit, 0]
        for (index, length) in lengths.enumerated() {
            _ = try log.append(data, payload(index, length))
            if index % 3 == 0 { try log.commit() }
        }
        try log.commit()
        let (shown, report) = try inspect(disk.settled(), options)
        #expect(shown.map(\.prefix) == lengths.enumerated().map { payload($0.offset, $0.element) })
        #expect(report.isClean)
        let long = JournalError.recordTooLong(bytes: options.payloadLimit + 1, limit: options.payloadLimit)
        let tooLong = failure(of: &log) { log throws(JournalError) in
            _ = try log.append(data, payload(1, options.payloadLimit + 1))
        }
        #expect(tooLong == long)
        let reserved = failure(of: &log) { log throws(JournalError) in _ = try log.append(.commit, []) }
        #expect(reserved == .reservedKind(.commit))
    }

    @Test func oneCommitOverManySegmentsIsAllOrNothing() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        for index in 0..<40 { _ = try log.append(data, payload(index, 900)) }
        try log.commit()
        #expect(log.usage.segments > 5)
        #expect(try inspect(disk.settled()).shown.count == 40)
        // Without its last part nothing of it counts.
        let after = disk.settled()
        let last = try #require(after.paths.last { $0.hasSuffix(".segment") })
        after.setContents(last, [UInt8](repeating: 0, count: 8 << 10))
        #expect(try inspect(after).shown.isEmpty)
    }

    @Test func replayShowsAPrefixWhereAskedTo() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        _ = try log.append(data, payload(1, 1000))
        _ = try log.append(data, payload(2, 5))
        try log.commit()
        let (shown, _) = try inspect(disk.settled(), smallOptions(prefix: 16))
        #expect(shown.map(\.length) == [1000, 5])
        #expect(shown.map(\.prefix) == [Array(payload(1, 1000)[..<16]), payload(2, 5)])
    }

    @Test func unknownKindsAndFilesAreKeptAndReported() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        _ = try log.append(RecordKind(77), payload(1, 10))
        _ = try log.append(data, payload(2, 10))
        try log.commit()
        let after = disk.settled()
        after.setContents(directory + "/notes.txt", [1])
        let (shown, report) = try inspect(after, smallOptions(kinds: [1]))
        #expect(shown.map(\.kind) == [data])
        #expect(report.unknownKinds == [RecordKind(77): 1])
        #expect(report.unknownFiles == ["notes.txt"])
        #expect(after.contents(directory + "/notes.txt") == [1])
        #expect(try inspect(after).shown.count == 2)
    }

    @Test func filesAreRecycled() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        for index in 0..<60 {
            let lsn = try log.append(data, payload(index, 2000))
            try log.commit()
            log.release(lsn)
            _ = try log.clean(budget: 0)
        }
        #expect(log.usage.segments <= 3)
        #expect(disk.paths.count <= 8)
        #expect(try inspect(disk.settled()).report.damage.isEmpty, "what recycled files held is not seen")
    }

    @Test func twoCannotOpenOneJournal() throws {
        let disk = MemoryDisk()
        let log = try openLog(disk)
        #expect(throws: JournalError.inUse(path: directory)) { try inspect(disk) }
        _ = log.usage
    }

    @Test func openDirectoryIsRefused() throws {
        let disk = MemoryDisk()
        disk.setPermissions(directory: directory, 0o750)
        let error = JournalError.tooOpen(path: directory, permissions: 0o750)
        #expect(throws: error) { try inspect(disk) }
        #expect(error.description.contains("chmod 0700 /journal"))
    }

    @Test func optionsAreChecked() {
        let disk = MemoryDisk()
        #expect(throws: JournalError.self) { try inspect(disk, smallOptions(segmentBytes: 5000)) }
        #expect(throws: JournalError.self) { try inspect(disk, smallOptions(segments: 3)) }
    }

    @Test func handlesAreGivenBack() throws {
        let disk = MemoryDisk()
        do {
            var log = try openLog(disk, smallOptions(segments: 200))
            for index in 0..<300 { _ = try log.append(data, payload(index, 1000)) }
            try log.commit()
            var bytes: [UInt8] = []
            for index in 0..<300 { try log.read(LSN(UInt64(index + 1)), into: &bytes) }
            #expect(disk.openHandles <= 34)
        }
        #expect(disk.openHandles == 0)
    }

    /// Each operation fails in turn, once and for ever: no trap, nothing committed is lost, it goes on afterwards.
    @Test(arguments: [false, true])
    func everyOperationMayFail(forEver: Bool) throws {
        var step = 0
        while true {
            let disk = MemoryDisk()
            disk.faults = .init(failAt: step, forEver: forEver)
            var committed: [LSN] = []
            do throws(JournalError) {
                try work(on: disk, committed: &committed)
            } catch {
                guard case .file = error else { throw error }
            }
            let isThrough = disk.operations <= step
            disk.faults = .init()
            let (shown, report) = try inspect(disk.crashed(UInt64(step)))
            #expect(Set(committed.dropFirst(15)).isSubset(of: shown.map(\.lsn)), "operation \(step)")
            #expect(report.damage.isEmpty, "operation \(step)")
            if isThrough { break }
            step += 1
        }
        #expect(step > 40)
    }

    private func work(on disk: MemoryDisk, committed: inout [LSN]) throws(JournalError) {
        var log = try openLog(disk)
        for round in 0..<4 {
            var staged: [LSN] = []
            for index in 0..<5 { staged.append(try log.append(data, payload(round * 5 + index, 700))) }
            try log.commit()
            committed += staged
        }
        for lsn in committed.prefix(15) { log.release(lsn) }
        _ = try log.clean(budget: 10_000)
        try log.close()
    }

    /// A commit over several segments fails at each of its operations in turn and is written again: its records are
    /// read and released by the same process, not only by the next one.
    @Test(arguments: 1...3) func whatAFailedCommitHeldIsFoundWhenItWentThrough(failures: Int) throws {
        var step = 0
        while true {
            let disk = MemoryDisk()
            var log = try openLog(disk)
            var records: [LSN] = []
            for index in 0..<2 { records.append(try log.append(data, payload(index, 2500))) }
            try log.commit()
            for index in 2..<8 { records.append(try log.append(data, payload(index, 2500))) }
            var isThrough = false
            for _ in 0..<failures {
                let first = disk.operations
                disk.faults = .init(failAt: first + step)
                isThrough = failure(of: &log) { log throws(JournalError) in try log.commit() } == nil
            }
            disk.faults = .init()
            try log.commit()
            for (index, lsn) in records.enumerated() {
                var bytes: [UInt8] = []
                let error = failure(of: &log) { log throws(JournalError) in try log.read(lsn, into: &bytes) }
                #expect(error == nil && bytes == payload(index, 2500), "record \(index), operation \(step)")
            }
            for lsn in records {
                let isReleased = log.release(lsn)
                #expect(isReleased, "\(lsn), operation \(step)")
            }
            try log.commit()
            #expect(log.usage.records == 0, "operation \(step)")
            #expect(try inspect(disk.crashed(UInt64(step))).shown.isEmpty, "operation \(step)")
            if isThrough { break }
            step += 1
        }
        #expect(step > 10)
    }

    /// After a failed synchronize the same bytes are not trusted: they are written to another segment.
    @Test func failedSynchronizeClosesTheSegment() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        _ = try log.append(data, payload(1, 100))
        try log.commit()
        let before = log.usage.segments
        _ = try log.append(data, payload(2, 100))
        disk.faults = .init(failAt: disk.operations + 1)
        let error = failure(of: &log) { log throws(JournalError) in try log.commit() }
        #expect(error != nil)
        let isKept = log.hasStaged
        #expect(isKept)
        try log.commit()
        #expect(log.usage.segments == before + 1)
        #expect(try inspect(disk.crashed(7)).shown.map(\.prefix) == [payload(1, 100), payload(2, 100)])
    }
}
