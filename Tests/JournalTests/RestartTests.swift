import TestSupport
import Testing

@testable import Journal

/// A process is killed and the next one goes on with what the system's memory has; then the power fails. What the second
/// process was shown, and built upon, must be there for the third.
struct RestartTests {
    /// Kills a process inside its second commit, at each operation in turn.
    private func disk(killedAt step: Int) throws -> (disk: MemoryDisk, isThrough: Bool) {
        let disk = MemoryDisk()
        do {
            var log = try openLog(disk)
            for index in 0..<3 { _ = try log.append(data, payload(index, 2000)) }
            try log.commit()
            for index in 3..<9 { _ = try log.append(data, payload(index, 2000)) }
            disk.faults = .init(failAt: disk.operations + step, forEver: true, isKill: true)
            let error = failure(of: &log) { log throws(JournalError) in try log.commit() }
            if error == nil { return (disk, true) }
        }
        disk.faults = .init()
        return (disk, false)
    }

    @Test func whatANewProcessWasShownOutlivesAPowerCut() throws {
        var step = 0
        while true {
            let (disk, isThrough) = try disk(killedAt: step)
            disk.faults = .init()
            var shown: [Shown] = []
            do {
                var log = try openLog(disk, shown: &shown)
                _ = try log.append(data, payload(20, 100))
                try log.commit()
            }
            for seed in 0..<20 as Range<UInt64> {
                let (after, report) = try inspect(disk.crashed(seed))
                #expect(after.map(\.prefix) == shown.map(\.prefix) + [payload(20, 100)], "operation \(step)")
                #expect(report.damage.isEmpty)
            }
            if isThrough { break }
            step += 1
        }
        #expect(step > 10)
    }

    /// The same where the new process is gone before it has written anything: a segment's name, too, is sure by then.
    @Test func whatANewProcessWasShownIsSureBeforeItWrites() throws {
        var step = 0
        while true {
            let (disk, isThrough) = try disk(killedAt: step)
            disk.faults = .init()
            var shown: [Shown] = []
            _ = try openLog(disk, shown: &shown)
            for seed in 0..<20 as Range<UInt64> {
                let (after, report) = try inspect(disk.crashed(seed))
                #expect(after == shown, "operation \(step)")
                #expect(report.damage.isEmpty)
            }
            if isThrough { break }
            step += 1
        }
    }

    /// A process is killed while it gives a segment back: the next one writes nothing to a file whose old name a crash
    /// could bring back.
    @Test func aFileGivenBackIsNotWrittenBeforeItsNameIsSure() throws {
        let disk = MemoryDisk()
        do {
            var log = try openLog(disk)
            let first = try log.append(data, payload(0, 3000))
            try log.commit()
            _ = try log.append(data, payload(1, 3000))
            try log.commit()
            log.release(first)
            try log.commit()
            disk.faults.when = { operation, _ in operation == .synchronizeDirectory }
            let error = failure(of: &log) { log throws(JournalError) in _ = try log.clean(budget: 0) }
            #expect(error != nil)
        }
        disk.faults = .init()
        #expect(disk.paths.contains(directory + "/0000000000000003.free"))
        var log = try openLog(disk)
        _ = try log.append(data, payload(2, 3000))
        disk.faults.when = { operation, path in operation == .rename && path.hasSuffix("3.free") }
        let error = failure(of: &log) { log throws(JournalError) in try log.commit() }
        #expect(error != nil, "the file is written and has no name yet")
        for seed in 0..<20 as Range<UInt64> {
            let (shown, report) = try inspect(disk.crashed(seed))
            #expect(shown.map(\.prefix) == [payload(1, 3000)] && report.damage.isEmpty)
        }
    }

    /// The disk fails while the second process makes sure of what it found.
    @Test func whereThatFailsItIsWrittenElsewhere() throws {
        var step = 0
        var openings = 0
        while true {
            let isThrough = try disk(killedAt: step).isThrough
            for fault in 0..<60 {
                let copy = try disk(killedAt: step).disk
                copy.faults = .init()
                copy.faults = .init(failAt: copy.operations + fault)
                var shown: [Shown] = []
                do throws(JournalError) {
                    var log = try openLog(copy, shown: &shown)
                    copy.faults = .init()
                    _ = try log.append(data, payload(20, 100))
                    try log.commit()
                } catch {
                    continue
                }
                openings += 1
                for seed in 0..<2 as Range<UInt64> {
                    let (after, _) = try inspect(copy.crashed(seed))
                    #expect(
                        Set(after.map(\.lsn)).isSuperset(of: shown.map(\.lsn)), "operation \(step), fault \(fault)")
                }
            }
            if isThrough { break }
            step += 1
        }
        #expect(openings > 100)
    }

    /// The system takes for clean what it could not write, and shows it all the same: to the next process a synchronize
    /// alone says nothing about it.
    @Test func whatASynchronizeFailedWithIsNotTrustedByTheNextProcess() throws {
        let disk = MemoryDisk()
        disk.random = SeededGenerator(3)
        do {
            var log = try openLog(disk)
            _ = try log.append(data, payload(0, 500))
            try log.commit()
            _ = try log.append(data, payload(1, 500))
            disk.faults.when = { operation, _ in
                guard operation == .synchronize else { return false }
                disk.faults.killAt = disk.operations + 1
                return true
            }
            let error = failure(of: &log) { log throws(JournalError) in try log.commit() }
            #expect(error != nil)
        }
        disk.faults = .init()
        var shown: [Shown] = []
        do {
            var log = try openLog(disk, shown: &shown)
            _ = try log.append(data, payload(2, 100))
            try log.commit()
        }
        #expect(shown.count == 2)
        for seed in 0..<20 as Range<UInt64> {
            let (after, report) = try inspect(disk.crashed(seed))
            #expect(after.map(\.prefix) == shown.map(\.prefix) + [payload(2, 100)])
            #expect(report.damage.isEmpty)
        }
    }

    /// Each try of a commit goes to another segment; those of tries that failed must not pile up, whether they failed before
    /// the segment had its name or after.
    @Test(arguments: [FileError.Operation.synchronize, .rename, .synchronizeDirectory])
    func aDiskThatFailsForLongIsNotFilled(failing: FileError.Operation) throws {
        let options = smallOptions(segments: 8)
        let disk = MemoryDisk()
        disk.capacity = options.maxBytes + 2 * options.segmentBytes
        var log = try openLog(disk, options)
        for index in 0..<6 { _ = try log.append(data, payload(index, 2000)) }
        // Names are synchronized once before a segment is begun, where they are not sure, and once when it has its name.
        var times = 0
        disk.faults.when = { operation, _ in
            guard operation == failing else { return false }
            times += 1
            return failing != .synchronizeDirectory || !times.isMultiple(of: 2)
        }
        for _ in 0..<100 {
            let error = failure(of: &log) { log throws(JournalError) in try log.commit() }
            #expect(error != nil)
        }
        #expect(times >= 100)
        #expect(log.usage.diskBytes <= options.maxBytes)
        #expect(disk.openHandles <= 2, "the lock's, and nothing of what was given back")
        disk.faults = .init()
        try log.commit()
        for seed in 0..<10 as Range<UInt64> {
            let (after, report) = try inspect(disk.crashed(seed), options)
            #expect(after.map(\.prefix) == (0..<6).map { payload($0, 2000) } && report.damage.isEmpty)
        }
    }

    /// The disk fails while the second process makes sure, and that process is killed before it has written elsewhere
    /// what it found: the third still finds all that the first was told to be durable.
    @Test func killedWhileItIsWrittenElsewhereItIsStillThere() throws {
        let options = smallOptions(segmentBytes: 64 << 10)
        func written() throws -> MemoryDisk {
            let disk = MemoryDisk()
            var log = try openLog(disk, options)
            for index in 0..<3 { _ = try log.append(data, payload(index, 100)) }
            try log.commit()
            return disk
        }
        var kills = 0
        for fault in 0..<40 {
            for kill in fault + 1..<fault + 40 {
                let disk = try written()
                disk.faults = .init(failAt: disk.operations + fault, killAt: disk.operations + kill)
                var shown: [Shown] = []
                if (try? openLog(disk, options, shown: &shown)) != nil { continue }
                kills += 1
                disk.faults = .init()
                _ = try openLog(disk, options, shown: &shown)
                #expect(shown.count == 3, "fault \(fault), killed at \(kill)")
            }
        }
        #expect(kills > 100)
    }
}
