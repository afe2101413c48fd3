import Journal
import TestSupport

extension Target {
    static let journalModel = Target(
        "journal-model", "a journal beside a model, with faults and power cuts", longest: 1024,
        seeds: {
            [
                ("work", [0, 200, 0, 100, 3, 0, 50, 3, 2, 1, 3, 4, 9, 5, 0, 200, 3]),
                ("cut", [0, 200, 3, 0, 100, 6, 3, 0, 7, 3]),
                ("fault", [0, 9, 7, 2, 3, 0, 0, 9, 3, 6, 1]),
            ]
        },
        run: { input in
            var choices = Choices(input)
            let model = JournalModel()
            while !choices.isAtEnd { model.live(&choices) }
        })
}

/// A journal beside what must be in it.
private final class JournalModel {
    typealias Contents = [UInt64: [UInt8]]

    private var disk = MemoryDisk()
    private var durable: Contents = [:]
    private var appended: Contents = [:]
    private var released: Set<UInt64> = []
    /// What commits that failed wanted; a cut may show any of them to have gone through.
    private var attempts: [Contents] = []

    private var wanted: Contents { durable.merging(appended) { $1 }.filter { !released.contains($0.key) } }

    private func settle(_ contents: Contents) {
        (durable, appended, released, attempts) = (contents, [:], [], [])
    }

    /// From one opening to the next cut or end.
    func live(_ choices: inout Choices) {
        let options = LogOptions(
            segmentBytes: 8 << 10, maxBytes: 24 * 8 << 10, poolSegments: 1, entropy: 3 + disk.locksTaken)
        var shown: Contents = [:]
        do throws(JournalError) {
            var log = try SegmentedLog.open(disk, directory: "/journal", options: options) { record in
                shown[record.lsn.number] = Array(record.prefix)
            }
            require(
                shown == durable || shown == wanted || attempts.contains(shown),
                "a journal holds what was durable, or what a commit that was cut wanted")
            require(log.report.damage.isEmpty, "a cut is not damage")
            settle(shown)
            while !choices.isAtEnd {
                let kind = choices.byte() % 8
                if kind == 6 { break }
                try act(kind, &log, &choices)
            }
        } catch {
            // The disk failed, or there is no room: a new process follows.
            if case .file = error {} else { require(false, "a sound journal says \(error)") }
            attempts.append(wanted)
        }
        disk = disk.crashed(choices.word())
    }

    private func act(
        _ kind: UInt8, _ log: inout SegmentedLog<MemoryDisk>, _ choices: inout Choices
    ) throws(JournalError) {
        switch kind {
        case 0, 1: try append(&log, &choices)
        case 2:
            let numbers = wanted.keys.sorted()
            guard !numbers.isEmpty else { return }
            let first = choices.number(below: numbers.count)
            for number in numbers[first...].prefix(choices.number(below: 8) + 1) {
                require(log.release(LSN(number)), "what is there can be released")
                released.insert(number)
            }
        case 3:
            try log.commit()
            settle(wanted)
        case 4:
            _ = try log.clean(budget: Int(choices.byte()) * 64)
            if !log.hasStaged { settle(wanted) }
        case 5:
            for (number, expected) in wanted.sorted(by: { $0.key < $1.key }).prefix(4) {
                var bytes: [UInt8] = []
                try log.read(LSN(number), into: &bytes)
                require(bytes == expected, "what was written is read")
            }
        default:
            disk.faults = .init(failAt: disk.operations + choices.number(below: 32), forEver: choices.byte() & 1 == 1)
        }
        require(log.usage.segmentBytes <= log.usage.maxBytes, "a journal stays within its bound")
    }

    private func append(_ log: inout SegmentedLog<MemoryDisk>, _ choices: inout Choices) throws(JournalError) {
        let bytes = [UInt8](repeating: choices.byte(), count: choices.number(below: 256) * 8)
        do throws(JournalError) {
            let number = try log.append(RecordKind(1), bytes).number
            require(durable[number] == nil && appended[number] == nil, "a number is given once")
            appended[number] = bytes
        } catch .full {
            return
        }
    }
}
