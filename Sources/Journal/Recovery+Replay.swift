extension Recovery {
    /// Shows the live records, merging the segments' fresh records, which follow one another, with the copies.
    mutating func replay(_ body: (ReplayedRecord) -> Void) throws(JournalError) {
        var fresh = FreshCursor()
        var copies = CopyCursor(scans)
        var freshReader = ReplayReader(files, directory, ahead: 256 << 10)
        var copyReader = ReplayReader(files, directory, ahead: Layout.firstRecord)
        while true {
            let left = fresh.current(scans)
            let right = copies.current(scans)
            if let left, left.entry.lsn < right?.entry.lsn ?? .max {
                try filing { () throws(FileError) in
                    try show(left.entry, scans[left.scan].segment.number, &freshReader, body)
                }
                fresh.advance()
            } else if let right {
                try filing { () throws(FileError) in
                    try show(right.entry, scans[right.scan].segment.number, &copyReader, body)
                }
                copies.advance()
            } else {
                return
            }
        }
    }

    private mutating func show(
        _ entry: IndexEntry, _ segment: UInt64, _ reader: inout ReplayReader<Files>, _ body: (ReplayedRecord) -> Void
    ) throws(FileError) {
        let shown = min(entry.length, options.replayPrefix)
        let bytes = try reader.read(segment, at: Int(entry.place), Layout.recordHeader + shown)
        // Checked in the scan; a file that has shrunk since is no reason to trap.
        guard bytes.count == Layout.recordHeader + shown else { return }
        let kind = RecordKind(bytes.word(20, as: UInt16.self))
        guard options.kinds.isEmpty || options.kinds.contains(kind.number) else {
            report.unknownKinds[kind, default: 0] += 1
            return
        }
        let prefix = UnsafeRawBufferPointer(rebasing: bytes[Layout.recordHeader...])
        body(ReplayedRecord(lsn: LSN(entry.lsn), kind: kind, length: entry.length, prefix: prefix))
    }
}

/// Goes through the live fresh records of all segments.
private struct FreshCursor {
    private var scan = 0
    private var position = 0

    mutating func current(_ scans: [SegmentScan]) -> (scan: Int, entry: IndexEntry)? {
        while scan < scans.count {
            let entries = scans[scan].segment.fresh.entries
            while position < entries.count {
                if entries[position].state == .live { return (scan, entries[position]) }
                position += 1
            }
            scan += 1
            position = 0
        }
        return nil
    }

    mutating func advance() { position += 1 }
}

/// Goes through the live copies of all segments, lowest lsn first.
private struct CopyCursor {
    private var places: [(scan: Int, position: Int)]
    private var least: Int?

    init(_ scans: [SegmentScan]) {
        places = scans.indices.filter { !scans[$0].segment.copied.entries.isEmpty }.map { ($0, 0) }
    }

    mutating func current(_ scans: [SegmentScan]) -> (scan: Int, entry: IndexEntry)? {
        if least == nil { findLeast(scans) }
        guard let least else { return nil }
        let place = places[least]
        return (place.scan, scans[place.scan].segment.copied[place.position])
    }

    mutating func advance() {
        if let least { places[least].position += 1 }
        least = nil
    }

    private mutating func findLeast(_ scans: [SegmentScan]) {
        var lowest = UInt64.max
        for index in places.indices {
            let entries = scans[places[index].scan].segment.copied.entries
            while places[index].position < entries.count, entries[places[index].position].state != .live {
                places[index].position += 1
            }
            if places[index].position < entries.count, entries[places[index].position].lsn < lowest {
                lowest = entries[places[index].position].lsn
                least = index
            }
        }
    }
}

/// Reads records of one segment after another, with one file open.
private struct ReplayReader<Files: FileSystem>: ~Copyable {
    private let files: Files
    private let directory: String
    private var window: Window
    private var segment: UInt64 = 0
    private var handle: FileHandle?

    init(_ files: Files, _ directory: String, ahead: Int) {
        self.files = files
        self.directory = directory
        window = Window(ahead: ahead)
    }

    deinit {
        if let handle { files.close(handle) }
    }

    mutating func read(_ number: UInt64, at place: Int, _ count: Int) throws(FileError) -> UnsafeRawBufferPointer {
        if let handle, segment == number { return try window.view(files, handle, at: place, count) }
        if let handle { files.close(handle) }
        handle = nil
        let opened = try files.open(directory + "/" + SegmentName.segment(number).text, .read)
        handle = opened
        segment = number
        window.reset()
        return try window.view(files, opened, at: place, count)
    }
}
