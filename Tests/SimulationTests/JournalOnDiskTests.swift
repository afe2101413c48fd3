import Journal
import TestSupport
import Testing

@testable import Simulation

/// The real journal on the simulated disk: whatever the power does, a committed record stays.
struct JournalOnDiskTests {
    private struct Contents {
        var committed: [UInt64: [UInt8]] = [:]
        var staged: [UInt64: [UInt8]] = [:]
    }

    @Test func committedRecordsOutliveEveryPowerLoss() throws {
        var losses = 0
        for seed in Seeds.range(1...200) {
            var random = SeededRandom(seed: seed)
            let disk = SimulatedDisk(random.fork("disk"), Fuse())
            var contents = Contents()
            for round in 0..<5 {
                disk.fuse.renew()
                disk.fuse.light(random.number(in: 1...120))
                do throws(JournalError) {
                    try work(disk, &contents, &random, seed, round)
                } catch .file {
                    losses += 1
                }
                disk.losePower(
                    PowerLoss(
                        losesWrites: random.chance(0.8), tears: random.chance(0.7), reorders: random.chance(0.7),
                        losesNames: random.chance(0.7)))
            }
            disk.fuse.renew()
            _ = try open(disk, &contents, &random, "seed \(seed), at the end")
        }
        #expect(losses > 300)
    }

    private func open(
        _ disk: SimulatedDisk, _ contents: inout Contents, _ random: inout SeededRandom, _ comment: String
    ) throws(JournalError) -> SegmentedLog<SimulatedDisk> {
        var found: [UInt64: [UInt8]] = [:]
        let options = LogOptions(
            segmentBytes: 8 << 10, maxBytes: 512 << 10, poolSegments: 2, entropy: random.next())
        let log = try SegmentedLog.open(disk, directory: "/journal", options: options) { record in
            found[record.lsn.number] = Array(record.prefix)
        }
        #expect(log.report.damage.isEmpty, "\(comment)")
        // A commit that was cut off is there wholly or not at all.
        let whole = contents.committed.merging(contents.staged) { $1 }
        #expect(found == contents.committed || found == whole, "\(comment)")
        contents.committed = found
        contents.staged = [:]
        return log
    }

    private func work(
        _ disk: SimulatedDisk, _ contents: inout Contents, _ random: inout SeededRandom, _ seed: UInt64, _ round: Int
    ) throws(JournalError) {
        var log = try open(disk, &contents, &random, "seed \(seed), round \(round)")
        for _ in 0..<60 {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: random.below(900))
            let lsn = try log.append(RecordKind(1), bytes)
            contents.staged[lsn.number] = bytes
            guard random.chance(0.4) else { continue }
            try log.commit()
            contents.committed.merge(contents.staged) { $1 }
            contents.staged = [:]
        }
    }
}
