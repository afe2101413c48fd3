import Envelope

/// A commit record met in a scan.
struct ScannedCommit {
    var mark: CommitMark
    var place: Int
    /// True where all it speaks of is there.
    var isWhole: Bool
    var end: Int { place + Layout.commitRecord }
}

/// A stretch that is not a valid record.
struct ScannedGap {
    var range: Range<Int>
    var lsn: LSN?
    var kind: RecordKind?
}

/// A release or end record met in a scan.
struct ScannedControl {
    var place: Int
    var kind: RecordKind
    var pairs: [NumberPair]
}

/// All that one segment file holds, before it is judged what of it counts.
struct SegmentScan {
    let header: SegmentHeader
    var segment: Segment
    var commits: [ScannedCommit] = []
    var gaps: [ScannedGap] = []
    var controls: [ScannedControl] = []
    /// Records of reserved kinds that this version does not know.
    var unknown: [Int] = []
    /// The greatest number that was given away, as far as this segment tells, and one more.
    var nextLSN: LSN

    /// Where the last valid record ends.
    private(set) var reached = Layout.firstRecord

    /// Records met since the last commit record: their places and header checksums.
    private var span: [(place: Int, checksum: UInt32)] = []

    init(_ header: SegmentHeader) {
        self.header = header
        segment = Segment(number: header.number, salt: header.salt, base: header.nextLSN.number)
        nextLSN = header.nextLSN
    }

    /// Reads records up to `limit`. One of which only the bytes that fill it up lie beyond is whole.
    /// - Parameter isStated: true where valid records are known to reach up to `limit`.
    mutating func run<Files: FileSystem>(
        _ files: Files, _ handle: FileHandle, _ window: inout Window, limit: Int, isStated: Bool
    ) throws(FileError) {
        let seal = segment.seal
        var place = Layout.firstRecord
        while place + Layout.recordHeader <= limit {
            let bytes = try window.view(files, handle, at: place, Layout.recordHeader)
            if let (header, checksum) = RecordHeader.read(bytes, at: place, by: seal),
                place + Layout.recordHeader + header.length <= limit
            {
                let body = try window.view(files, handle, at: place + Layout.recordHeader, header.length)
                meet(header, checksum, body, at: place)
                place += header.footprint
                reached = place
            } else {
                guard let next = try find(files, handle, &window, from: place + 8, limit: limit, seal) else { break }
                gaps.append(ScannedGap(range: place..<next))
                place = next
            }
        }
        if isStated, place < limit { gaps.append(ScannedGap(range: place..<limit)) }
    }

    /// The next place with a valid record header.
    private func find<Files: FileSystem>(
        _ files: Files, _ handle: FileHandle, _ window: inout Window, from: Int, limit: Int, _ seal: SegmentSeal
    ) throws(FileError) -> Int? {
        var place = from
        while place + Layout.recordHeader <= limit {
            let count = min(64 << 10, limit - place)
            let bytes = try window.view(files, handle, at: place, count)
            guard bytes.count >= Layout.recordHeader else { return nil }
            var offset = 0
            while offset + Layout.recordHeader <= bytes.count {
                if bytes.word(offset, as: UInt32.self) == Layout.recordMagic,
                    let (header, _) = RecordHeader.read(
                        UnsafeRawBufferPointer(rebasing: bytes[offset...]), at: place + offset, by: seal),
                    place + offset + Layout.recordHeader + header.length <= limit
                {
                    return place + offset
                }
                offset += 8
            }
            place += offset
        }
        return nil
    }

    private mutating func meet(
        _ header: RecordHeader, _ checksum: UInt32, _ body: UnsafeRawBufferPointer, at place: Int
    ) {
        let range = place..<place + header.footprint
        let reserved = header.kind >= .firstReserved
        if header.lsn >= nextLSN, header.lsn.number < .max { nextLSN = LSN(header.lsn.number + (reserved ? 0 : 1)) }
        guard body.count == header.length, CRC32C.checksum(of: body) == header.payloadChecksum else {
            gaps.append(ScannedGap(range: range, lsn: reserved ? nil : header.lsn, kind: header.kind))
            if header.kind == .commit { span = [] } else { span.append((place, checksum)) }
            return
        }
        switch header.kind {
        case .commit:
            meetCommit(body, at: place)
            span.removeAll(keepingCapacity: true)
            return
        case .release, .end:
            controls.append(ScannedControl(place: place, kind: header.kind, pairs: NumberPair.read(body)))
        case _ where reserved:
            unknown.append(place)
        default:
            let entry = IndexEntry(lsn: header.lsn, place: place, length: header.length)
            segment.insert(entry, isCopy: header.flags & Layout.flagCopied != 0)
        }
        span.append((place, checksum))
    }

    private mutating func meetCommit(_ body: UnsafeRawBufferPointer, at place: Int) {
        guard let mark = CommitMark.read(body) else { return unknown.append(place) }
        // Where the commit record before it was lost, records of its span come first.
        let start = Int(mark.spanStart)
        let spoken = span.drop { $0.place < start }
        var digest: UInt32 = 0
        for record in spoken {
            digest = withUnsafeBytes(of: record.checksum.littleEndian) { CRC32C.extend(digest, $0) }
        }
        let isBroken = gaps.last.map { $0.range.upperBound > start } ?? false
        let isWhole = !isBroken && start <= place && Int(mark.records) == spoken.count && mark.digest == digest
        commits.append(ScannedCommit(mark: mark, place: place, isWhole: isWhole))
    }
}
