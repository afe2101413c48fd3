/// What the journal knows of one segment file in use.
struct Segment {
    var number: UInt64
    var salt: UInt64
    /// Fresh records from here on up lie in this segment or a higher one. Never falls from one segment to the next.
    var base: UInt64
    /// Where the valid records end.
    var end: Int
    /// The segment that durably states ``end``; 0 while none does.
    var endKeeper: UInt64 = 0
    /// The highest number of a commit that counts and has a part here.
    var lastCommit: UInt64 = 0
    /// Records appended here first.
    var fresh = SegmentIndex()
    /// Records copied here by cleaning.
    var copied = SegmentIndex()
    var liveRecords = 0
    var liveBytes = 0
    /// Segments that hold releases of records in this one.
    var releasers: Set<UInt64> = []
    /// Holds a record of the journal's own that this version does not know: never cleaned.
    var isPinned = false
    /// Holds damage: set aside instead of re-used.
    var isDamaged = false
    var handle: FileHandle?
    /// For closing the handle that was idle longest.
    var lastUse: UInt64 = 0

    init(number: UInt64, salt: UInt64, base: UInt64, end: Int = Layout.firstRecord) {
        self.number = number
        self.salt = salt
        self.base = base
        self.end = end
    }

    var seal: SegmentSeal { SegmentSeal(number: number, salt: salt) }
    var name: String { SegmentName.segment(number).text }

    mutating func insert(_ entry: IndexEntry, isCopy: Bool) {
        if isCopy { copied.insert(entry) } else { fresh.insert(entry) }
        liveRecords += 1
        liveBytes += Layout.footprint(entry.length)
    }

    /// Takes a live record out of the count.
    mutating func mark(_ state: IndexEntry.State, at position: Int, isCopy: Bool) {
        let entry = isCopy ? copied[position] : fresh[position]
        if entry.state == .live {
            liveRecords -= 1
            liveBytes -= Layout.footprint(entry.length)
        }
        if isCopy { copied[position].state = state } else { fresh[position].state = state }
    }

    /// Ranges of released records, so that their releases can be said again elsewhere. A range never covers a
    /// number that is not a released record of this segment.
    func releasedRanges() -> [NumberPair] {
        var ranges: [NumberPair] = []
        for index in [fresh, copied] {
            for entry in index.entries where entry.state == .released {
                if let last = ranges.last, last.second &+ 1 == entry.lsn {
                    ranges[ranges.count - 1].second = entry.lsn
                } else {
                    ranges.append(NumberPair(first: entry.lsn, second: entry.lsn))
                }
            }
        }
        return ranges
    }
}

/// The name of a file in a journal's directory.
enum SegmentName: Equatable {
    case segment(UInt64)
    case free(UInt64)
    case new(UInt64)
    case damaged(UInt64)

    init?(_ name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 16, parts[0] == parts[0].lowercased(),
            parts[0].utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let number = UInt64(parts[0], radix: 16), number != 0, number < UInt64.max / 2
        else { return nil }
        switch parts[1] {
        case "segment": self = .segment(number)
        case "free": self = .free(number)
        case "new": self = .new(number)
        case "damaged": self = .damaged(number)
        default: return nil
        }
    }

    var number: UInt64 {
        switch self {
        case .segment(let number), .free(let number), .new(let number), .damaged(let number): number
        }
    }

    var text: String {
        let digits = String(number, radix: 16)
        let name = String(repeating: "0", count: 16 - digits.utf8.count) + digits
        return switch self {
        case .segment: name + ".segment"
        case .free: name + ".free"
        case .new: name + ".new"
        case .damaged: name + ".damaged"
        }
    }
}
