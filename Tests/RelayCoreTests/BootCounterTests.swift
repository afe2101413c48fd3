import Journal
import TestSupport
import Testing

@testable import RelayCore

/// A relay's starts are counted on a disk that forgets what was not synchronized.
struct BootCounterTests {
    private let path = "/relay/boot"

    private func disk() throws -> MemoryDisk {
        let disk = MemoryDisk()
        disk.setPermissions(directory: "/relay", 0o700)
        return disk
    }

    private func next(_ disk: MemoryDisk) throws(FileError) -> UInt64 {
        try BootCounter(disk, directory: "/relay").next()
    }

    @Test func eachStartHasANumberOfItsOwn() throws {
        let disk = try disk()
        for number: UInt64 in 1...5 { #expect(try next(disk) == number) }
        #expect(disk.openHandles == 0)
        try BootCounter(disk, directory: "/relay").save(70)
        #expect(try next(disk) == 71)
    }

    @Test func aNumberThatWasUsedIsNeverUsedAgain() throws {
        for operation in 0..<100 {
            let disk = try disk()
            var used = try next(disk)
            disk.faults = MemoryDisk.Faults(failAt: disk.operations + operation, forEver: true, isKill: true)
            var isKilled = false
            do throws(FileError) { used = try next(disk) } catch { isKilled = true }
            #expect(disk.openHandles == 0, "operation \(operation)")
            disk.faults = MemoryDisk.Faults()
            for seed: UInt64 in 0..<16 {
                let after = disk.crashed(seed)
                #expect(try next(after) > used, "operation \(operation), seed \(seed)")
                // What the killed start left does not hinder the one after.
                #expect(try next(after) > used + 1)
            }
            if !isKilled { return #expect(operation > 5) }
        }
        Issue.record("a start does not end")
    }

    @Test func aStartThatCannotStoreItsNumberHasNone() throws {
        for operation in 0..<100 {
            let disk = try disk()
            _ = try next(disk)
            disk.faults = MemoryDisk.Faults(failAt: disk.operations + operation)
            do throws(FileError) { _ = try next(disk) } catch {
                #expect(disk.openHandles == 0)
                #expect(try next(disk) >= 2)
                continue
            }
            return #expect(operation > 5)
        }
    }

    @Test(arguments: [
        "", "x", "-7\n", "99999999999999999999\n", "4611686018427387904\n", "12 \n", String(repeating: "1", count: 64),
    ])
    func whatIsNoNumberCountsAsNone(text: String) throws {
        let disk = try disk()
        disk.setContents(path, Array(text.utf8))
        #expect(try next(disk) == 1)
    }

    @Test func theGreatestNumberThatCountsIsCountedOn() throws {
        let disk = try disk()
        disk.setContents(path, Array("4611686018427387903\nrest".utf8))
        #expect(try next(disk) == 1 << 62)
    }
}
