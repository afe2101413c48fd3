/// Finds out what a journal's directory holds. docs/formats/journal.md, "Recovery", has the rules.
struct Recovery<Files: FileSystem> {
    let files: Files
    let directory: String
    let options: LogOptions

    /// Leaves also those files alone that a start would remove.
    var changesNothing = false

    var report = RecoveryReport()
    /// By rising number.
    var scans: [SegmentScan] = []
    var pool: [UInt64] = []
    /// One more than the greatest number in a file's name.
    var nextFile: UInt64 = 1
    /// The last commit known durable.
    var acknowledged: UInt64 = 0
    /// The last commit that counts, as far as no void one came before it.
    var settled: UInt64 = 0
    var nextCommit: UInt64 = 1
    /// Where the first commit begins that counts and is not known durable, in each segment that has one: a process that
    /// was killed may have written it and not synchronized it, and then only the system's memory has it.
    var unsure: [UnsureEnd] = []
    var nextLSN = LSN(1)

    init(_ files: Files, _ directory: String, _ options: LogOptions) {
        self.files = files
        self.directory = directory
        self.options = options
    }

    mutating func run() throws(JournalError) {
        let numbers = try sortNames()
        try scan(readHeaders(numbers))
        judge()
        findUnsure()
        applyReleases()
        resolveCopies()
        summarize()
    }

    /// Tells the directory's files apart.
    /// - Returns: the numbers of the segments, rising.
    private mutating func sortNames() throws(JournalError) -> [UInt64] {
        var numbers: [UInt64] = []
        for text in try filing({ () throws(FileError) in try files.list(directory) }).sorted() {
            guard let name = SegmentName(text) else {
                if text != Layout.lockName { report.unknownFiles.append(text) }
                continue
            }
            nextFile = max(nextFile, name.number + 1)
            switch name {
            case .segment(let number): numbers.append(number)
            case .free(let number): pool.append(number)
            case .new:
                // Never held a record: it gets another name before it is used.
                guard !changesNothing else { continue }
                try filing { () throws(FileError) in try files.remove(directory + "/" + text) }
            case .damaged: report.damagedFiles.append(text)
            }
        }
        return numbers
    }

    /// Headers of all segments that have a readable one.
    private mutating func readHeaders(_ numbers: [UInt64]) throws(JournalError) -> [SegmentHeader] {
        var headers: [SegmentHeader] = []
        var window = Window(ahead: Layout.firstRecord)
        for number in numbers {
            let name = SegmentName.segment(number).text
            window.reset()
            let readings = try withFile(number) { handle throws(FileError) in
                let first = SegmentHeader.read(try window.view(files, handle, at: 0, Layout.segmentHeader))
                let second = SegmentHeader.read(
                    try window.view(files, handle, at: Layout.secondHeader, Layout.segmentHeader))
                return [first, second]
            }
            if let header = readings.lazy.compactMap({ $0.header(number) }).first {
                headers.append(header)
            } else if case .unknownVersion(let version)? = readings.first(where: { $0.isUnknownVersion }) {
                throw .unknownVersion(path: directory + "/" + name, version: version)
            } else {
                report.damage.append(DamagedRecord(segment: name, offset: 0, bytes: Layout.firstRecord))
                report.damagedFiles.append(name)
            }
        }
        return headers
    }

    /// Segments that the system is asked to read while one is looked through.
    private static var segmentsAhead: Int { 4 }

    private mutating func scan(_ headers: [SegmentHeader]) throws(JournalError) {
        var window = Window(ahead: 1 << 20)
        // What the daemons wrote is in no cache, and most disks are faster when asked for more at a time.
        let ahead = headers.map { directory + "/" + SegmentName.segment($0.number).text }
        for path in ahead.prefix(Self.segmentsAhead) { files.willRead(path) }
        for (index, header) in headers.enumerated() {
            if index + Self.segmentsAhead < ahead.count { files.willRead(ahead[index + Self.segmentsAhead]) }
            var scan = SegmentScan(header)
            let stated = statedEnd(of: header.number, in: headers)
            window.reset()
            try withFile(header.number) { handle throws(FileError) in
                let size = Int(clamping: min(try files.size(of: handle), UInt64(LogOptions.largestSegment)))
                let limit = stated.map { min($0.end, LogOptions.largestSegment) } ?? size
                try scan.run(files, handle, &window, limit: limit, isStated: stated != nil)
            }
            scan.segment.end = stated?.end ?? 0
            scan.segment.endKeeper = stated?.keeper ?? 0
            scans.append(scan)
        }
    }

    /// What the headers of later segments say about where this one ends.
    private func statedEnd(of number: UInt64, in headers: [SegmentHeader]) -> (end: Int, keeper: UInt64)? {
        var least: (end: Int, keeper: UInt64)?
        for header in headers where header.previous == number && header.number > number {
            let end = Int(header.previousEnd)
            if end < least?.end ?? .max { least = (end, header.number) }
        }
        return least
    }

    private func withFile<Value>(
        _ number: UInt64, _ body: (FileHandle) throws(FileError) -> Value
    ) throws(JournalError) -> Value {
        let path = directory + "/" + SegmentName.segment(number).text
        return try filing { () throws(FileError) in
            let handle = try files.open(path, .read)
            defer { files.close(handle) }
            return try body(handle)
        }
    }

    func filing<Value>(_ body: () throws(FileError) -> Value) throws(JournalError) -> Value {
        do throws(FileError) {
            return try body()
        } catch {
            throw .file(error)
        }
    }
}

/// The part of a segment that may not be on the disk yet.
struct UnsureEnd: Equatable {
    var segment: UInt64
    var from: Int
}

extension SegmentHeader.Reading {
    /// The header, if it is one of the segment with this number.
    func header(_ number: UInt64) -> SegmentHeader? {
        guard case .header(let header) = self, header.number == number else { return nil }
        return header
    }

    var isUnknownVersion: Bool {
        if case .unknownVersion = self { true } else { false }
    }
}
