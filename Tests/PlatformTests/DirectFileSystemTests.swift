import Glibc
import Journal
import TestSupport
import Testing

@testable import Platform

@Suite struct DirectFileSystemTests {
    private let directory: TemporaryDirectory
    private let files = DirectFileSystem()
    private var path: String { directory.path + "/file" }

    init() throws { directory = try TemporaryDirectory() }

    private func contents() throws -> [UInt8] {
        let system = PosixFileSystem()
        let handle = try system.open(path, .read)
        defer { system.close(handle) }
        var bytes = [UInt8](repeating: 0, count: Int(try system.size(of: handle)))
        let count = try bytes.withUnsafeMutableBytes { bytes in
            try system.read(handle, into: bytes, at: 0)
        }
        #expect(count == bytes.count)
        return bytes
    }

    private func write(
        _ handle: FileHandle, _ bytes: [UInt8], at offset: Int, isEnd: Bool = false
    ) throws(FileError) {
        var result = Result<Void, FileError>.success(())
        bytes.withUnsafeBytes { bytes in
            result = Result { () throws(FileError) in
                if isEnd {
                    try files.writeEnd(handle, bytes, at: UInt64(offset))
                } else {
                    try files.write(handle, bytes, at: UInt64(offset))
                }
            }
        }
        try result.get()
    }

    /// The same from memory where the bytes lie in their block as they will in the file.
    private func writeLying(
        _ bytes: [UInt8], at offset: Int, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) rethrows {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: offset % DirectWriter.block + bytes.count, alignment: DirectWriter.block)
        defer { memory.deallocate() }
        let lying = UnsafeMutableRawBufferPointer(rebasing: memory[(offset % DirectWriter.block)...])
        lying.copyBytes(from: bytes)
        try body(UnsafeRawBufferPointer(lying))
        // Whoever wrote them may do with them what he likes.
        lying.initializeMemory(as: UInt8.self, repeating: 0xDD)
    }

    private func read(_ handle: FileHandle, _ range: Range<Int>) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        let count = try bytes.withUnsafeMutableBytes { bytes in
            try files.read(handle, into: bytes, at: UInt64(range.lowerBound))
        }
        return Array(bytes.prefix(count))
    }

    @Test func appendsOfAnySizeAreThereAfterASynchronize() throws {
        let handle = try files.open(path, .create(permissions: 0o600))
        var wanted: [UInt8] = []
        for size in [1, 4095, 1, 8192, 100, 5 << 20, 3, 4096] {
            let piece = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ wanted.count) }
            try write(handle, piece, at: wanted.count, isEnd: true)
            wanted += piece
            try files.synchronize(handle)
            #expect(try contents() == wanted)
            #expect(try files.size(of: handle) == UInt64(wanted.count))
        }
        files.close(handle)
    }

    @Test func longRunsThatLieRightAreWrittenFromWhereTheyAre() throws {
        var random = SeededGenerator(seed: 5)
        let handle = try files.open(path, .create(permissions: 0o600))
        let size = 8 << 20
        try write(handle, [UInt8](repeating: 0xEE, count: size), at: 0)
        try files.synchronize(handle)
        var wanted: [UInt8] = []
        while true {
            // Some behind what is gathered already, some behind what is synchronized, some of whole blocks.
            var count = Int.random(in: 0..<(random.chance(50) ? 300_000 : 5000), using: &random)
            if random.chance(20) {
                count = -wanted.count & (DirectWriter.block - 1) + count & ~(DirectWriter.block - 1)
            }
            guard wanted.count + count <= size else { break }
            let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: wanted.count &* 7), count: count)
            try writeLying(piece, at: wanted.count) { bytes in
                try files.writeEnd(handle, bytes, at: UInt64(wanted.count))
            }
            wanted += piece
            let start = max(0, wanted.count - 9000)
            #expect(try read(handle, start..<wanted.count) == Array(wanted[start...]))
            if random.chance(70) { try files.synchronize(handle) }
        }
        try files.synchronize(handle)
        let now = try contents()
        #expect(now.count == size && Array(now[..<wanted.count]) == wanted)
        let next = (wanted.count + DirectWriter.block - 1) / DirectWriter.block * DirectWriter.block
        #expect(now[next...].allSatisfy { $0 == 0xEE })
        files.close(handle)
    }

    @Test func whatWasWrittenIsReadBeforeItIsSynchronized() throws {
        let handle = try files.open(path, .create(permissions: 0o600))
        try write(handle, Array(0..<200), at: 10)
        #expect(try read(handle, 0..<300) == [UInt8](repeating: 0, count: 10) + Array(0..<200))
        try write(handle, [7], at: 210)
        #expect(try read(handle, 205..<300) == [195, 196, 197, 198, 199, 7])
        files.close(handle)
    }

    @Test func onlyAnEndMayChangeWhatFollowsInItsBlock() throws {
        let handle = try files.open(path, .create(permissions: 0o600))
        let old = [UInt8](repeating: 5, count: 3 * 4096)
        try write(handle, old, at: 0)
        try files.synchronize(handle)
        try write(handle, [1, 2], at: 4100)
        try files.synchronize(handle)
        var wanted = old
        wanted.replaceSubrange(4100..<4102, with: [1, 2])
        #expect(try contents() == wanted)
        try write(handle, [3], at: 4102, isEnd: true)
        try files.synchronize(handle)
        wanted[4102] = 3
        let now = try contents()
        #expect(now[..<4103] == wanted[..<4103] && now[8192...] == wanted[8192...] && now.count == wanted.count)
        files.close(handle)
    }

    @Test func twoFilesAndAShorterOneKeepApart() throws {
        let one = try files.open(path, .create(permissions: 0o600))
        let other = try files.open(directory.path + "/other", .create(permissions: 0o600))
        for number in 0..<10 as Range<UInt8> {
            try write(one, [number], at: Int(number) * 3000)
            try write(other, [100 + number], at: Int(number))
        }
        try files.synchronize(one)
        try files.synchronize(other)
        #expect(try read(other, 0..<20) == Array(100..<110))
        for number in 0..<10 as Range<UInt8> {
            #expect(try read(one, Int(number) * 3000..<Int(number) * 3000 + 1) == [number])
        }
        try files.truncate(one, to: 3001)
        try write(one, [9], at: 3001)
        try files.synchronize(one)
        #expect(try contents().suffix(2) == [1, 9])
        files.close(one)
        files.close(other)
    }

    /// Against an array, with handles that come and go.
    @Test func anyOperationsDoWhatTheyDoToAnArray() throws {
        for seed in Seeds.range(1...20) {
            var random = SeededGenerator(seed: seed)
            let name = directory.path + "/model-\(seed)"
            var model: [UInt8] = []
            var handle = try files.open(name, .create(permissions: 0o600))
            for step in 0..<200 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<6:
                    let isLast = random.chance(50)
                    let offset = isLast ? model.count : Int.random(in: 0...model.count, using: &random)
                    let size = Int.random(in: 0..<(random.chance(25) ? 20_000 : 300), using: &random)
                    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: step), count: size)
                    try write(handle, bytes, at: offset, isEnd: isLast)
                    model.replaceSubrange(offset..<min(model.count, offset + size), with: bytes)
                case 6: try files.synchronize(handle)
                case 7:
                    let start = Int.random(in: 0...model.count, using: &random)
                    let end = min(model.count, start + Int.random(in: 0..<9000, using: &random))
                    #expect(try read(handle, start..<end) == Array(model[start..<end]), "seed \(seed)")
                case 8:
                    model.removeLast(Int.random(in: 0...model.count, using: &random) / 8)
                    try files.truncate(handle, to: UInt64(model.count))
                default:
                    try files.synchronize(handle)
                    files.close(handle)
                    handle = try files.open(name, .readWrite)
                }
            }
            #expect(try read(handle, 0..<model.count + 10) == model, "seed \(seed)")
            files.close(handle)
        }
    }

    /// A read that has to write what was gathered may be what fails; the commit must learn of it all the same.
    @Test(arguments: [1, 100]) func whatGotLostIsNotCalledDurable(blocks: Int) throws {
        let system = PosixFileSystem()
        let handle = try system.open(path, .create(permissions: 0o600))
        defer { system.close(handle) }
        var writer = DirectWriter()
        // Not open for writing at all.
        writer.opened(handle, Glibc.open("/dev/null", O_RDONLY), size: 0)
        let bytes = [UInt8](repeating: 1, count: blocks * DirectWriter.block)
        #expect(throws: FileError.self) {
            try writeLying(bytes, at: 0) { bytes in
                try writer.write(handle, bytes, at: 0, isEnd: true, system)
            }
            try writer.flush(system)
        }
        try writer.flush(system)
        #expect(throws: FileError.self) { try writer.check(handle) }
        writer.closed(handle)
        try writer.check(handle)
    }

    @Test(arguments: [5000, 100_000]) func aFileSystemWithoutDirectWritesIsWrittenAsUsual(size: Int) throws {
        let system = PosixFileSystem()
        let handle = try system.open(path, .create(permissions: 0o600))
        defer { system.close(handle) }
        var writer = DirectWriter()
        // What refuses a write with EINVAL: this wants a number.
        writer.opened(handle, Glibc.open("/proc/self/oom_score_adj", O_WRONLY), size: 1 << 20)
        let bytes = [UInt8](repeating: 0xFF, count: size)
        try writeLying(bytes, at: 0) { bytes in
            try writer.write(handle, bytes, at: 0, isEnd: true, system)
        }
        try writer.flush(system)
        #expect(try contents() == bytes)
        #expect(writer.owner == nil)
        try writer.check(handle)
    }
}
