import Envelope
import Journal
import Node
import Platform
import TestSupport
import Testing

@testable import Agent
@testable import AgentCore

/// The mailbox on a disk that forgets what was not synchronized, killed at each of its operations.
@Suite struct MailboxPowerTests {
    private let layout = MailboxLayout(directory: "/agent/mailbox")
    private let stream = Sample.stream(1)

    private func delivery(_ sequence: UInt64) throws -> Delivery {
        Delivery(
            source: Sample.destination, stream: stream, sequence: Sequence(sequence),
            batch: try Sample.batch(["value \(sequence)"]))
    }

    private func values(_ disk: MemoryDisk) throws -> [String] {
        try Mailbox(layout, files: disk).list(topic: nil, limit: 1000, names: [:]).messages.map {
            String(decoding: $0.value.bytes, as: UTF8.self)
        }.sorted()
    }

    /// What a source and an operator have been told.
    private struct Told {
        var mark: UInt64 = 0
        var removed: Set<UInt64> = []
        /// Asked for, and not answered.
        var removing: UInt64?

        func expected(_ mark: UInt64, isRemoved: Bool) -> [String] {
            let gone = isRemoved ? removed.union([removing].compactMap { $0 }) : removed
            return (1...max(1, mark)).filter { $0 <= mark && !gone.contains($0) }.map { "value \($0)" }
        }
    }

    private func work(_ disk: MemoryDisk, _ told: inout Told) throws {
        let sink = try MailboxSink(layout, files: disk)
        try sink.apply([delivery(1), delivery(2)])
        told.mark = 2
        told.removing = 1
        #expect(try Mailbox(layout, files: disk).remove(MailboxName(delivery(1)).description))
        told.removed = [1]
        told.removing = nil
        try sink.apply([delivery(3)])
        told.mark = 3
    }

    /// Killed at an operation; false where the work was done before it came to that.
    private func kill(at operation: Int, _ told: inout Told) -> (disk: MemoryDisk, isKilled: Bool) {
        let disk = MemoryDisk()
        disk.faults = MemoryDisk.Faults(failAt: operation, forEver: true, isKill: true)
        let isKilled: Bool
        do {
            try work(disk, &told)
            isKilled = false
        } catch { isKilled = true }
        disk.faults = MemoryDisk.Faults()
        return (disk, isKilled)
    }

    private func check(_ disk: MemoryDisk, _ told: Told, _ comment: Comment) throws {
        let mark = try MailboxSink(layout, files: disk).mark(of: stream).number
        #expect(mark >= told.mark, comment)
        let found = try values(disk)
        #expect(
            found == told.expected(mark, isRemoved: false) || found == told.expected(mark, isRemoved: true), comment)
    }

    @Test func whatASourceWasToldOutlivesAPowerCut() throws {
        for operation in 0..<1000 {
            var told = Told()
            let (disk, isKilled) = kill(at: operation, &told)
            for seed: UInt64 in 0..<16 {
                try check(disk.crashed(seed), told, "operation \(operation), seed \(seed)")
            }
            guard isKilled else { return #expect(operation > 40) }
        }
        Issue.record("the work does not end")
    }

    /// What a killed process has left in the system's memory is read by the next one, and told.
    @Test func whatTheNextProcessIsToldOutlivesAPowerCut() throws {
        for operation in 0..<1000 {
            var told = Told()
            let (disk, isKilled) = kill(at: operation, &told)
            told.mark = try MailboxSink(layout, files: disk).mark(of: stream).number
            for seed: UInt64 in 0..<16 {
                try check(disk.crashed(seed), told, "operation \(operation), seed \(seed)")
            }
            guard isKilled else { return }
        }
    }

    /// It goes on from there and is killed too. What it found moved, or moved itself, must not be half there.
    @Test func whatTheNextProcessBuildsUponOutlivesAPowerCut() throws {
        for operation in stride(from: 12, to: 60, by: 3) {
            for second in 0..<200 {
                var told = Told()
                let disk = kill(at: operation, &told).disk
                let next = try MailboxSink(layout, files: disk)
                let mark = try next.mark(of: stream)
                told.mark = mark.number
                disk.faults = MemoryDisk.Faults(failAt: disk.operations + second, forEver: true, isKill: true)
                var isDone = true
                do {
                    for sequence in mark.number + 1...mark.number + 2 {
                        try next.apply([delivery(sequence)])
                        told.mark = sequence
                    }
                } catch { isDone = false }
                disk.faults = MemoryDisk.Faults()
                for seed: UInt64 in 0..<4 {
                    try check(disk.crashed(seed), told, "operations \(operation) and \(second), seed \(seed)")
                }
                if isDone { break }
            }
        }
    }

    @Test func messagesThatVanishWhileTheyAreListedAreLeftOut() throws {
        let disk = MemoryDisk()
        try MailboxSink(layout, files: disk).apply([delivery(1), delivery(2)])
        let before = disk.operations
        let all = try values(disk)
        #expect(all.count == 2)
        let steps = disk.operations - before
        var vanished = 0
        for step in 0..<steps {
            disk.faults = MemoryDisk.Faults(failAt: disk.operations + step, kind: .missing)
            // A directory that is not there is told; one that was never made is an empty mailbox.
            guard let found = try? values(disk) else { continue }
            #expect(found.count == 1 || found.isEmpty && step == 0 || found == all)
            if found.count == 1 { vanished += 1 }
        }
        #expect(vanished == 8)
        for step in 0..<steps {
            disk.faults = MemoryDisk.Faults(failAt: disk.operations + step, kind: .notPermitted)
            #expect(throws: FileError.self) { try values(disk) }
        }
    }
}
