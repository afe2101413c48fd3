import Journal
import TestSupport
import Testing

@testable import Simulation

/// A disk whose every change is durable at once, and beside it what was so at the last synchronizations.
private struct Model {
    var files: [String: [UInt8]] = [:]
    /// Contents by the file's own number, since a name may get another file.
    var numbers: [String: Int] = [:]
    var synced: [Int: [UInt8]] = [:]
    var durableNumbers: [String: Int] = [:]
    var made = 0

    func durable(_ path: String) -> [UInt8]? { durableNumbers[path].map { synced[$0] ?? [] } }
}

struct DiskModelTests {
    /// Random operations, no faults: what is read is what was written, and what is durable is what was synchronized.
    @Test(arguments: Seeds.range(1...100))
    func randomOperationsAgree(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let disk = SimulatedDisk(seed: seed &+ 1)
        var model = Model()
        let paths = (0..<4).map { "/f\($0)" }
        for step in 0..<300 {
            let path = paths[random.below(4)]
            try act(random.below(8), path, paths[random.below(4)], disk, &model, &random)
            for path in paths {
                #expect(disk.contents(path) == model.files[path], "step \(step), \(path)")
                #expect(disk.durable(path) == model.durable(path), "step \(step), \(path)")
            }
            let bytes = paths.reduce(0) { $0 + (model.files[$1]?.count ?? 0) }
            #expect(disk.usedBytes == bytes)
        }
        #expect(try disk.list("/").map { "/" + $0 }.sorted() == model.files.keys.sorted())
        // Without loss a power cut changes nothing; with it, what is durable stays where nothing was pending.
        for path in paths {
            guard disk.contents(path) != nil else { continue }
            let handle = try disk.open(path, .readWrite)
            try disk.synchronize(handle)
        }
        try disk.synchronizeDirectory("/")
        disk.losePower(harshest)
        for path in paths { #expect(disk.contents(path) == model.files[path]) }
        #expect(disk.openHandles == 0)
    }

    private func act(
        _ choice: Int, _ path: String, _ other: String, _ disk: SimulatedDisk, _ model: inout Model,
        _ random: inout SeededRandom
    ) throws {
        guard let content = model.files[path], let number = model.numbers[path] else {
            #expect(throws: FileError.self) { try disk.remove(path) }
            disk.close(try disk.open(path, .create(permissions: 0o600)))
            model.made += 1
            model.files[path] = []
            model.numbers[path] = model.made
            return
        }
        let handle = try disk.open(path, .readWrite)
        defer { disk.close(handle) }
        switch choice {
        case 0...2:
            let bytes = (0..<random.below(2000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let place = random.below(3000)
            try disk.write(handle, bytes, at: place)
            guard !bytes.isEmpty else { return }
            var new = content + [UInt8](repeating: 0, count: max(0, place + bytes.count - content.count))
            new.replaceSubrange(place..<place + bytes.count, with: bytes)
            model.files[path] = new
        case 3:
            let count = random.below(3000)
            try disk.truncate(handle, to: UInt64(count))
            let kept = content.prefix(count)
            model.files[path] = kept + [UInt8](repeating: 0, count: count - kept.count)
        case 4:
            try disk.synchronize(handle)
            model.synced[number] = content
        case 5:
            try disk.synchronizeDirectory("/")
            model.durableNumbers = model.numbers
        case 6:
            try disk.rename(path, to: other)
            model.files[path] = nil
            model.numbers[path] = nil
            model.files[other] = content
            model.numbers[other] = number
        default:
            if random.chance(0.3) {
                try disk.remove(path)
                model.files[path] = nil
                model.numbers[path] = nil
            } else {
                let place = random.below(4000)
                #expect(try disk.read(handle, 700, at: place) == Array(content.dropFirst(place).prefix(700)))
            }
        }
    }
}
