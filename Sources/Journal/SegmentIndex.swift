/// Where one record lies in its segment: 16 bytes, so that a million records cost 16 MB.
struct IndexEntry {
    enum State: UInt32 {
        case live = 0
        case released = 1
        /// A copy in a higher segment is the record now.
        case moved = 2
        /// Its bytes cannot be read any more.
        case damaged = 3
    }

    var lsn: UInt64
    var place: UInt32
    /// The payload's length in the lower 30 bits, the state above.
    private var lengthAndState: UInt32

    init(lsn: LSN, place: Int, length: Int) {
        self.lsn = lsn.number
        self.place = UInt32(place)
        lengthAndState = UInt32(length)
    }

    var length: Int { Int(lengthAndState & 0x3FFF_FFFF) }

    var state: State {
        get { State(rawValue: lengthAndState >> 30) ?? .live }
        set { lengthAndState = lengthAndState & 0x3FFF_FFFF | newValue.rawValue << 30 }
    }
}

/// Entries in rising order of lsn.
struct SegmentIndex {
    private(set) var entries: [IndexEntry] = []

    subscript(position: Int) -> IndexEntry {
        get { entries[position] }
        set { entries[position] = newValue }
    }

    /// The first position whose lsn is not below `lsn`.
    func lowerBound(_ lsn: UInt64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].lsn < lsn { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func position(of lsn: UInt64) -> Int? {
        let position = lowerBound(lsn)
        return position < entries.count && entries[position].lsn == lsn ? position : nil
    }

    mutating func removeAll(where isGone: (IndexEntry) -> Bool) { entries.removeAll(where: isGone) }

    /// Nearly always at the end; elsewhere only for copies. A second entry of one lsn takes the first's place.
    mutating func insert(_ entry: IndexEntry) {
        guard let last = entries.last, last.lsn >= entry.lsn else { return entries.append(entry) }
        let position = lowerBound(entry.lsn)
        if entries[position].lsn == entry.lsn {
            entries[position] = entry
        } else {
            entries.insert(entry, at: position)
        }
    }
}
