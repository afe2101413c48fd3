import Journal
import TestSupport
import Testing

@testable import Simulation

extension SimulatedDisk {
    func write(_ handle: FileHandle, _ bytes: [UInt8], at offset: Int) throws(FileError) {
        var failure: FileError?
        bytes.withUnsafeBytes { all in
            do throws(FileError) { try write(handle, all, at: UInt64(offset)) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    func read(_ handle: FileHandle, _ count: Int, at offset: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBytes { try read(handle, into: $0, at: UInt64(offset)) }
        return Array(bytes[..<got])
    }

    /// A durable file with this content, open.
    func make(_ path: String, _ bytes: [UInt8]) throws -> FileHandle {
        let handle = try open(path, .create(permissions: 0o600))
        try write(handle, bytes, at: 0)
        try synchronize(handle)
        try synchronizeDirectory(NameTable.parent(of: path))
        return handle
    }
}

let harshest = PowerLoss(losesWrites: true, tears: true, reorders: true, losesNames: true)

struct DiskTests {
    @Test func aPowerLossTakesOnlyWhatIsNotSynchronized() throws {
        var outcomes: Set<[UInt8]> = []
        for seed in 1...200 as ClosedRange<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            let file = try disk.make("/a", [1, 2, 3])
            try disk.write(file, [9], at: 1)
            try disk.write(file, [8], at: 3)
            #expect(disk.durable("/a") == [1, 2, 3])
            #expect(disk.contents("/a") == [1, 9, 3, 8])
            disk.losePower(harshest)
            let left = try #require(disk.durable("/a"))
            #expect(disk.contents("/a") == left)
            #expect(left.count >= 3 && left[0] == 1 && left[2] == 3)
            outcomes.insert(left)
        }
        #expect(outcomes == [[1, 2, 3], [1, 9, 3], [1, 2, 3, 8], [1, 9, 3, 8]])
    }

    @Test func withoutReorderingLaterWritesNeedEarlierOnes() throws {
        for seed in 1...100 as ClosedRange<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            let file = try disk.make("/a", [0, 0, 0])
            for place in 0..<3 { try disk.write(file, [1], at: place) }
            disk.losePower(PowerLoss(losesWrites: true, losesNames: true))
            let left = try #require(disk.durable("/a"))
            #expect(left == left.sorted(by: >))
        }
    }

    @Test func aWriteTearsAtSectors() throws {
        var wasTorn = false
        for seed in 1...100 as ClosedRange<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            let file = try disk.make("/a", [UInt8](repeating: 0, count: 4096))
            try disk.write(file, [UInt8](repeating: 1, count: 2000), at: 100)
            disk.losePower(harshest)
            let left = try #require(disk.durable("/a"))
            let sectors = [100..<512, 512..<1024, 1024..<1536, 1536..<2048, 2048..<2100].map { Set(left[$0]) }
            #expect(sectors.allSatisfy { $0.count == 1 })
            if Set(sectors).count == 2 { wasTorn = true }
        }
        #expect(wasTorn)
    }

    @Test func namesAreLostUnlessTheirDirectoryIsSynchronized() throws {
        var seen: Set<String> = []
        for seed in 1...100 as ClosedRange<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            _ = try disk.make("/old", [1])
            let file = try disk.open("/new", .create(permissions: 0o600))
            try disk.write(file, [2], at: 0)
            try disk.synchronize(file)
            try disk.rename("/new", to: "/old")
            #expect(disk.durable("/old") == [1] && disk.durable("/new") == nil)
            disk.losePower(harshest)
            let left = ["/new", "/old"].map { "\($0)\(disk.durable($0) ?? [])" }.joined()
            seen.insert(left)
        }
        // The old file, or the new one in its place, or the new one beside it.
        #expect(seen == ["/new[]/old[1]", "/new[]/old[2]", "/new[2]/old[1]"])
    }

    @Test func aDirectoryThatIsLostTakesItsFilesAlong() throws {
        var seen: Set<[String]> = []
        for seed in 1...50 as ClosedRange<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            try disk.createDirectory("/d", permissions: 0o700)
            _ = try disk.make("/d/f", [1])
            disk.losePower(harshest)
            seen.insert(disk.durablePaths)
        }
        #expect(seen == [[], ["/d/f"]])
    }

    @Test func aFailedSynchronizeIsNotMadeGoodByTheNext() throws {
        var lost = 0
        for seed in 1...100 as ClosedRange<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            let file = try disk.make("/a", [0])
            try disk.write(file, [1], at: 0)
            disk.faults.synchronize = 1
            #expect(throws: FileError.self) { try disk.synchronize(file) }
            disk.faults.synchronize = 0
            try disk.synchronize(file)
            if disk.durable("/a") == [0] { lost += 1 }
        }
        #expect((20...80).contains(lost))
    }

    @Test func aFullDiskTakesWhatItHasRoomFor() throws {
        let disk = SimulatedDisk(seed: 1, capacity: 10)
        let file = try disk.make("/a", [UInt8](repeating: 1, count: 8))
        do throws(FileError) {
            try disk.write(file, [2, 2, 2, 2], at: 8)
            Issue.record("there was no room for it")
        } catch {
            #expect(error.kind == .noSpace)
        }
        #expect(disk.contents("/a") == [1, 1, 1, 1, 1, 1, 1, 1, 2, 2])
        try disk.write(file, [3, 3], at: 0)
        try disk.truncate(file, to: 4)
        #expect(disk.freeBytes == 6)
        try disk.remove("/a")
        #expect(disk.freeBytes == 10)
    }

    @Test func aLockEndsWithItsProcess() throws {
        let disk = SimulatedDisk(seed: 1)
        _ = try disk.lock("/lock")
        #expect(throws: FileError.self) { _ = try disk.lock("/lock") }
        disk.processEnded()
        let again = try disk.lock("/lock")
        disk.close(again)
        _ = try disk.lock("/lock")
    }

    @Test func damageIsWrittenDown() throws {
        let disk = SimulatedDisk(seed: 5)
        let content = (0..<3000).map { UInt8(truncatingIfNeeded: $0) }
        let file = try disk.make("/a", content)
        disk.takeSnapshot()
        #expect(disk.rotBit())
        let rot = try #require(disk.damageLog.last)
        let rotten = try #require(disk.durable("/a"))
        #expect(rotten.indices.filter { rotten[$0] != content[$0] } == Array(rot.range))
        #expect(try disk.read(file, 3000, at: 0) == rotten)
        disk.faults.misdirectedWrite = 1
        try disk.write(file, [UInt8](repeating: 0xEE, count: 512), at: 1024)
        try disk.synchronize(file)
        try #require(disk.damageLog.count == 3)
        let (missed, hit) = (disk.damageLog[1].range, disk.damageLog[2].range)
        #expect(missed == 1024..<1536)
        let now = try #require(disk.durable("/a"))
        #expect(Set(now[hit]) == [0xEE] && Array(now[missed]) == Array(rotten[missed]))
        #expect(disk.rollBack())
        #expect(disk.durable("/a") == content && disk.contents("/a") == content)
        disk.wipe()
        #expect(disk.durablePaths.isEmpty)
        #expect(disk.damageLog.map(\.kind) == [.bitRot, .misdirectedWrite, .misdirectedWrite, .rolledBack, .wiped])
    }

    @Test func timeIsSpent() throws {
        let disk = SimulatedDisk(seed: 1)
        disk.costs = .init(operation: 10, mebibyte: 1 << 20, synchronize: 1000, factor: 3)
        let file = try disk.open("/a", .create(permissions: 0o600))
        try disk.write(file, [UInt8](repeating: 0, count: 500), at: 0)
        try disk.synchronize(file)
        #expect(disk.takeLatency() == .nanoseconds((30 + 500 + 1000) * 3))
        #expect(disk.takeLatency() == .zero)
    }
}
