import TestSupport
import Testing

@testable import Journal

/// What a journal tells people has the facts in it that they need.
@Suite struct ReportTests {
    @Test func everyErrorTellsItsFacts() {
        let file = FileError(.synchronizeDirectory, path: "/j", kind: .noSpace, reason: "no room")
        let told: [(JournalError, [String])] = [
            (.file(file), ["cannot synchronize directory /j: no room"]),
            (.full(bytesInUse: 7, maxBytes: 9), ["7 of 9"]), (.recordTooLong(bytes: 12, limit: 11), ["12", "11"]),
            (.reservedKind(RecordKind(65_000)), ["65000"]), (.notFound(LSN(5)), ["record 5"]),
            (.damaged(LSN(6)), ["record 6"]),
            (.tooOpen(path: "/j", permissions: 0o755), ["/j", "0755", "chmod 0700 /j"]),
            (.notDirectory(path: "/j"), ["/j"]), (.noJournal(path: "/j"), ["/j holds no"]),
            (.inUse(path: "/j"), ["/j"]),
            (.unknownVersion(path: "/j/1.segment", version: 77), ["/j/1.segment", "77"]), (.options("odd"), ["odd"]),
        ]
        for (error, facts) in told {
            for fact in facts { #expect(error.description.contains(fact), "\(error)") }
        }
    }

    @Test func damageAndTornTailsAreToldApart() {
        let damage = DamagedRecord(segment: "3.segment", offset: 4096, bytes: 24, lsn: LSN(9))
        #expect("\(damage)" == "3.segment: 24 bytes at 4096 are damaged, record 9")
        #expect(
            "\(DamagedRecord(segment: "3.segment", offset: 0, bytes: 24))" == "3.segment: 24 bytes at 0 are damaged")
        let tail = TornTail(segment: "3.segment", offset: 5000, records: 2, isUncertain: false)
        #expect("\(tail)".contains("unfinished commit at 5000") && !"\(tail)".contains("damaged later"))
        let doubt = TornTail(segment: "3.segment", offset: 5000, records: 2, isUncertain: true)
        #expect("\(doubt)".contains("damaged later"))
    }

    /// A commit that comes while a file is being filled waits for a part of it, and a file that is not full is no file of
    /// the pool, whatever happens meanwhile.
    @Test func aFileOfThePoolIsFilledAPartAtATime() throws {
        var options = smallOptions()
        options.segmentBytes = 2 << 20
        options.maxBytes = 64 << 20
        options.poolSegments = 5
        let disk = MemoryDisk()
        var log = try openLog(disk, options)
        _ = try log.append(data, payload(1, 200))
        try log.commit()
        func names(_ ending: String) throws -> Int { try disk.list(directory).count { $0.hasSuffix(ending) } }
        let before = try names(".free")
        var steps = 0
        while try names(".free") == before {
            #expect(try log.prepare())
            steps += 1
            if try names(".free") == before { #expect(try names(".new") == 1) }
            _ = try log.append(data, payload(steps, 200))
            try log.commit()
            #expect(try inspect(disk.crashed(UInt64(steps)), options).shown.count == steps + 1)
        }
        #expect(steps == 4)
        // One that is wanted at once is the one that was begun.
        #expect(try log.prepare())
        try log.createFree()
        #expect(try names(".new") == 0 && names(".free") == before + 2)
        // Where a part fails nothing is left of it.
        disk.faults = .init(failAt: disk.operations + 1)
        let error = failure(of: &log) { log throws(JournalError) in while try log.prepare() {} }
        #expect(error != nil)
        #expect(try names(".new") == 0)
        disk.faults = .init()
        while try log.prepare() {}
        #expect(try names(".free") == options.poolSegments)
    }

    /// The pool is filled in idle moments, so that no commit waits for zeros; it never grows beyond its bound.
    @Test func thePoolIsFilledAhead() throws {
        let disk = MemoryDisk()
        var log = try openLog(disk)
        while try log.prepare() {}
        func free() throws -> Int { try disk.list(directory).count { $0.hasSuffix(".free") } }
        #expect(try free() == smallOptions().poolSegments)
        #expect(try !log.prepare())
        #expect(try free() == smallOptions().poolSegments)
        for index in 0..<200 {
            _ = try log.append(data, payload(index, 200))
            try log.commit()
        }
        while try log.prepare() {}
        #expect(try free() == smallOptions().poolSegments)
        #expect(try inspect(disk.settled()).shown.count == 200)
    }

    /// What comes and goes steadily is written to files that are there: no new one is filled with zeros for it, which would
    /// make each byte two. A backlog that is gone leaves no more than the bound.
    @Test func filesGoRoundInASteadyFlow() throws {
        let disk = MemoryDisk()
        let options = smallOptions()
        var log = try openLog(disk, options)
        func free() throws -> Int { try disk.list(directory).count { $0.hasSuffix(".free") } }
        var filled = 0
        var live: [LSN] = []
        func write(_ index: Int) throws {
            live.append(try log.append(data, payload(index, 2000)))
            try log.commit()
            _ = try log.clean(budget: 0)
            let before = try free()
            _ = try log.prepare()
            filled += try free() - before
        }
        for index in 0..<400 {
            if index == 40 { filled = 0 }
            try write(index)
            // Several segments are in use all the time, more than are filled ahead.
            guard live.count > 6 else { continue }
            for lsn in live.prefix(2) { log.release(lsn) }
            live.removeFirst(2)
        }
        #expect(filled == 0)
        for index in 0..<30 { try write(index) }
        for lsn in live { log.release(lsn) }
        try log.commit()
        while try log.clean(budget: 0).segmentsFreed > 0 {}
        #expect(try free() == options.keptSegments)
        #expect(log.usage.diskBytes == (options.keptSegments + 1) * options.segmentBytes)
    }
}
