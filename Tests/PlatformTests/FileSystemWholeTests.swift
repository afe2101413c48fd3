import Journal
import TestSupport
import Testing

@testable import Platform

/// Small files and directories on a disk that forgets what was not synchronized, with a process that is killed at each
/// operation.
@Suite struct FileSystemWholeTests {
    private let seeds = 0..<16 as Range<UInt64>

    /// Does the work on disks that are killed at each operation, and once on one that is not, and shows what a power cut
    /// then leaves.
    /// - Parameter check: `isDone` tells whether the work came back.
    private func cut(
        _ prepare: (MemoryDisk) throws -> Void = { _ in }, _ work: (MemoryDisk) throws -> Void,
        _ check: (MemoryDisk, _ isDone: Bool, Comment) throws -> Void
    ) throws {
        for operation in 0..<200 {
            let disk = MemoryDisk()
            try prepare(disk)
            disk.faults = MemoryDisk.Faults(failAt: disk.operations + operation, forEver: true, isKill: true)
            var isDone = true
            do { try work(disk) } catch { isDone = false }
            disk.faults = MemoryDisk.Faults()
            for seed in seeds { try check(disk.crashed(seed), isDone, "operation \(operation), seed \(seed)") }
            if isDone { return #expect(operation >= 2) }
        }
        Issue.record("the work does not end")
    }

    @Test func aReplacedFileIsTheOldOneOrTheNewOne() throws {
        try cut(
            { disk in
                try disk.createDirectories("/a")
                try disk.replaceWhole("/a/mark", with: [1, 2, 3])
            },
            { disk in try disk.replaceWhole("/a/mark", with: [4]) },
            { disk, isDone, comment in
                let found = try disk.readWhole("/a/mark", limit: 3)
                #expect(found == [4] || !isDone && found == [1, 2, 3], comment)
            })
    }

    @Test func aReplacementThatFailsLeavesNothing() throws {
        for operation in 0..<20 {
            let disk = MemoryDisk()
            disk.setPermissions(directory: "/a", 0o700)
            disk.setContents("/a/mark", [1])
            disk.faults = MemoryDisk.Faults(failAt: operation)
            do throws(FileError) { try disk.replaceWhole("/a/mark", with: [2]) } catch {
                #expect(disk.paths == ["/a/mark"], "operation \(operation)")
                continue
            }
            return #expect(operation > 3)
        }
    }

    @Test(arguments: [true, false]) func whatWasAppendedStays(isNew: Bool) throws {
        let old: [UInt8] = isNew ? [] : [7, 8]
        try cut(
            { disk in
                try disk.createDirectories("/a")
                if !isNew { try disk.replaceWhole("/a/lines", with: old) }
            },
            { disk in
                let length = try disk.appendWhole("/a/lines", [9])
                #expect(length == UInt64(old.count + 1))
            },
            { disk, isDone, comment in
                let found = try disk.attributes(of: "/a/lines") == nil ? [] : disk.readWhole("/a/lines", limit: 10)
                #expect(isDone ? found == old + [9] : found.starts(with: old), comment)
            })
    }

    @Test func whatWasRemovedStaysAway() throws {
        try cut(
            { disk in
                try disk.createDirectories("/a")
                try disk.replaceWhole("/a/x", with: [1])
            },
            { disk in try disk.removeDurably("/a/x") },
            { disk, isDone, comment in #expect(!isDone || disk.paths == [], comment) })
        try MemoryDisk().removeDurably("/none")
    }

    @Test func directoriesAreDurableWhenTheyComeBack() throws {
        try cut(
            { _ in }, { disk in try disk.createDirectories("/a/b/c") },
            { disk, isDone, comment in
                let isThere = try disk.attributes(of: "/a/b/c") != nil
                #expect(isThere || !isDone, comment)
            })
    }

    /// The process that made them was killed before it made them durable; the next finds them there.
    @Test func directoriesOfAKilledProcessAreDurableWhenTheyComeBack() throws {
        for operation in 0..<20 {
            let disk = MemoryDisk()
            disk.faults = MemoryDisk.Faults(failAt: operation, forEver: true, isKill: true)
            var isDone = true
            do throws(FileError) { try disk.createDirectories("/a/b/c") } catch { isDone = false }
            disk.faults = MemoryDisk.Faults()
            try disk.createDirectories("/a/b/c")
            for seed in seeds {
                let isThere = try disk.crashed(seed).attributes(of: "/a/b/c") != nil
                #expect(isThere, "operation \(operation), seed \(seed)")
            }
            if isDone { return #expect(operation > 6) }
        }
    }

    @Test func aDirectoryAboveThatMayNotBeReadIsNoHindrance() throws {
        for (kind, isHindrance) in [(FileError.Kind.notPermitted, false), (.other, true)] {
            let disk = MemoryDisk()
            try disk.createDirectories("/a")
            // Asked for the directory, then made to synchronize the one above.
            disk.faults = MemoryDisk.Faults(failAt: disk.operations + 1, kind: kind)
            var isHindered = false
            do throws(FileError) { try disk.createDirectories("/a") } catch { isHindered = true }
            #expect(isHindered == isHindrance)
        }
    }
}
