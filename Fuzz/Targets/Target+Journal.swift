import Envelope
import TestSupport

@testable import Journal

extension Target {
    private static let directory = "/journal"
    private static let segmentBytes = 8 << 10

    private static func options(segments: Int = 24) -> LogOptions {
        LogOptions(segmentBytes: segmentBytes, maxBytes: segmentBytes * segments, poolSegments: 1, entropy: 77)
    }

    private static let empty: MemoryDisk.Contents = contents { _ throws(JournalError) in }

    /// Three segments with records, releases and copies in them.
    private static let full: MemoryDisk.Contents = contents { log throws(JournalError) in
        for round in 0..<6 {
            var last = LSN.none
            for index in 0..<8 { last = try log.append(RecordKind(1), [UInt8](repeating: UInt8(index), count: 150)) }
            try log.commit()
            if round % 2 == 0 { log.release(last) }
        }
        _ = try log.clean(budget: 2000)
    }

    private static func contents(
        _ fill: (inout SegmentedLog<MemoryDisk>) throws(JournalError) -> Void
    ) -> MemoryDisk.Contents {
        let disk = MemoryDisk()
        do throws(JournalError) {
            var log = try SegmentedLog.open(disk, directory: directory, options: options()) { _ in }
            try fill(&log)
            try log.close()
        } catch {
            fatalError("a journal on a sound disk: \(error)")
        }
        return disk.all
    }

    /// Opens the journal twice over whatever lies there, with work between.
    /// - Parameter isOurs: the files were written by a journal and then damaged; what nothing of ours writes, under
    ///   right sums, must only be survived.
    private static func tryRecovery(_ contents: MemoryDisk.Contents, isOurs: Bool) {
        let disk = MemoryDisk(contents, directory: directory)
        var shown: Set<LSN> = []
        do throws(JournalError) {
            var log = try SegmentedLog.open(disk, directory: directory, options: options()) { record in
                let isNew = shown.insert(record.lsn).inserted
                require(isNew || !isOurs, "a record is shown once")
            }
            require(log.usage.records == shown.count || !isOurs, "what is shown is what is counted")
            var damaged: Set<LSN> = []
            var bytes: [UInt8] = []
            for lsn in shown {
                do throws(JournalError) { try log.read(lsn, into: &bytes) } catch { damaged.insert(lsn) }
            }
            let added = try log.append(RecordKind(1), Array("added".utf8))
            require(!shown.contains(added) || !isOurs, "a number is given once")
            try log.commit()
            _ = try log.clean(budget: 4000)
            try log.close()
            shown.insert(added)
            let missing = try reopened(disk, shown.subtracting(damaged))
            require(missing.isEmpty || !isOurs, "what a journal showed it shows again, not \(missing.count) of it")
        } catch {
            require(!error.description.isEmpty, "an error says something")
        }
    }

    private static func reopened(_ disk: MemoryDisk, _ expected: Set<LSN>) throws(JournalError) -> Set<LSN> {
        var missing = expected
        _ = try SegmentedLog.open(disk.settled(), directory: directory, options: options()) { missing.remove($0.lsn) }
        return missing
    }

    static let journalDamage = Target(
        "journal-damage", "a journal whose files were changed anywhere", longest: 512,
        seeds: {
            [
                ("flip", [0, 100, 16, 0, 0xFF]), ("cut", [2, 0, 17, 1, 0]), ("move", [1, 0, 16, 3, 9]),
                ("gone", [0, 0, 0, 4, 0]),
            ]
        },
        run: { input in
            var contents = full
            let names = contents.keys.sorted()
            var choices = Choices(input)
            while !choices.isAtEnd {
                let name = names[choices.number(below: names.count)]
                let place = choices.short()
                let (kind, value) = (choices.byte(), choices.byte())
                guard var file = contents[name], !file.isEmpty else { continue }
                switch kind % 5 {
                case 0: file[place % file.count] ^= value
                case 1: file.removeLast(file.count - place % file.count)
                case 2:
                    for index in (place % file.count)..<min(file.count, place % file.count + 8 * Int(value)) {
                        file[index] = 0
                    }
                case 3: file = contents[names[Int(value) % names.count]] ?? []
                default: file = []
                }
                contents[name] = kind % 5 == 4 && value == 0 ? nil : file
            }
            tryRecovery(contents, isOurs: true)
        })

    static let journalSegment = Target(
        "journal-segment", "a segment whose sums are right and whose contents are anything", longest: 4096,
        seeds: {
            let commit: [UInt8] = [3, 0, 0]
            return [
                ("raw", [0] + (full.values.first ?? []).prefix(4000)),
                ("newer", [0xFE, 1, 0]), ("numbers", [1, 0x80] + [UInt8](repeating: 0xFF, count: 8) + [1]),
                ("data", [1, 1, 0, 1, 0, 0, 1, 3, 0, 9, 9, 9] + commit),
                ("release", [1, 1, 0, 1, 0, 2, 1, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0] + commit),
            ]
        },
        run: { input in
            var choices = Choices(input)
            var contents = empty
            let name = SegmentName.segment(1).text
            let mode = choices.byte()
            var file = mode % 4 == 0 ? choices.rest() : segment(&choices)
            if mode == 0xFE { makeNewer(&file) }
            contents["\(directory)/\(name)"] = file
            tryRecovery(contents, isOurs: false)
        })

    /// As a later version of this program would have written it.
    private static func makeNewer(_ file: inout [UInt8]) {
        for place in [0, Layout.secondHeader] {
            file.replace(Layout.version + 1, at: place + 8)
            file.replace(CRC32C.checksum(of: Array(file[place..<place + 60])), at: place + 60)
        }
    }

    private static func segment(_ choices: inout Choices) -> [UInt8] {
        var file = [UInt8](repeating: 0, count: segmentBytes)
        let small = { (choices: inout Choices) -> UInt64 in
            choices.byte() & 0x80 == 0 ? UInt64(choices.byte()) : choices.word()
        }
        let header = SegmentHeader(
            segmentBytes: UInt32(segmentBytes), number: 1, salt: 5, nextLSN: LSN(small(&choices)),
            acknowledged: small(&choices), previous: 0, previousEnd: 0)
        file.withUnsafeMutableBytes { file in
            for place in [0, Layout.secondHeader] {
                header.write(to: UnsafeMutableRawBufferPointer(rebasing: file[place...]))
            }
            var place = Layout.firstRecord
            var span: [UInt32] = []
            var spanStart = place
            while !choices.isAtEnd {
                let kind = [RecordKind(1), .release, .end, .commit, RecordKind(9)][choices.number(below: 5)]
                let lsn = LSN(kind == .commit ? 0 : small(&choices))
                var payload = choices.run(choices.short() % 1024)
                if kind == .commit, payload.count <= Layout.commitPayload {
                    payload = commit(payload, span, from: spanStart)
                }
                let record = RecordHeader(
                    length: payload.count, lsn: lsn, kind: kind, flags: kind == RecordKind(9) ? 1 : 0,
                    payloadChecksum: CRC32C.checksum(of: payload))
                guard place + record.footprint <= file.count else { return }
                let room = UnsafeMutableRawBufferPointer(rebasing: file[place..<place + record.footprint])
                record.write(to: room)
                payload.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(rebasing: room[Layout.recordHeader...]).copyMemory(from: $0)
                }
                span.append(RecordHeader.seal(room, at: place, by: SegmentSeal(number: 1, salt: 5)))
                place += record.footprint
                if kind == .commit { (span, spanStart) = ([], place) }
            }
        }
        return file
    }
}

extension Target {
    /// A commit record's payload that fits what is before it, as far as the choices leave it so.
    private static func commit(_ chosen: [UInt8], _ span: [UInt32], from start: Int) -> [UInt8] {
        var digest: UInt32 = 0
        for checksum in span { digest = withUnsafeBytes(of: checksum.littleEndian) { CRC32C.extend(digest, $0) } }
        let mark = CommitMark(
            number: 1, acknowledged: 0, spanStart: UInt32(start), records: UInt32(span.count), previous: 0, flags: 0,
            digest: digest)
        var payload = [UInt8](repeating: 0, count: Layout.commitPayload)
        payload.withUnsafeMutableBytes { mark.write(to: $0) }
        for (index, byte) in chosen.enumerated() { payload[index] ^= byte }
        return payload
    }
}

extension MemoryDisk {
    typealias Contents = [String: [UInt8]]

    /// Every file there is, by its path.
    var all: Contents {
        Dictionary(
            uniqueKeysWithValues: paths.filter { !$0.hasSuffix(Layout.lockName) }.map { ($0, contents($0) ?? []) })
    }

    convenience init(_ contents: Contents, directory: String) {
        self.init()
        setPermissions(directory: directory, 0o700)
        for (path, bytes) in contents { setContents(path, bytes) }
    }
}
