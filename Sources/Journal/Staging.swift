import Envelope

/// A record in the staging buffer.
struct StagedRecord {
    var lsn: LSN
    var kind: RecordKind
    /// Place of the header in the buffer.
    var offset: Int
    var length: Int
    var isCopy: Bool
    var footprint: Int { Layout.footprint(length) }
}

/// Records on their way into the next commit, laid out as they will lie in a segment. One buffer, grown and
/// re-used, so that the hot path allocates nothing.
///
/// The first record begins in its block of memory where it will begin in its block of the file, as far as that is known, so
/// that a file system that writes whole blocks need not copy them.
struct Staging: ~Copyable {
    private(set) var records: [StagedRecord] = []
    /// Place of the first record in the buffer.
    private var start = 0
    /// Place behind the last one.
    private var end = 0
    private var buffer: UnsafeMutableRawBufferPointer

    /// Bytes after which it is better to commit than to stage more: a longer write is no faster, and what is staged has its
    /// bytes in memory a second time.
    static let commitBytes = keptBytes - (256 << 10)
    /// A buffer that long records made larger than this is given back after as many commits that did without.
    private static let (keptBytes, patience) = (4 << 20, 16)
    private var shortCommits = 0

    init() {
        buffer = .allocate(byteCount: 256 << 10, alignment: 4096)
    }

    deinit { buffer.deallocate() }

    var bytes: Int { end - start }
    /// Bytes of the buffer.
    var capacity: Int { buffer.count }

    /// Whether a payload of so many bytes should go into the same commit as what is staged.
    func hasRoom(_ payload: Int) -> Bool {
        records.isEmpty || bytes + Layout.footprint(payload) <= Self.commitBytes
    }

    /// The bytes of the records in `range`.
    func memory(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        guard !range.isEmpty else { return .init(start: nil, count: 0) }
        let start = records[range.lowerBound].offset
        let last = records[range.upperBound - 1]
        return .init(rebasing: buffer[start..<last.offset + last.footprint])
    }

    /// The same with the bytes of the commit record behind them, where nothing is staged there; nil where something is.
    mutating func memory(_ range: Range<Int>, with commit: CommitBytes) -> UnsafeRawBufferPointer? {
        guard !range.isEmpty, range.upperBound == records.count else { return nil }
        reserve(Layout.commitRecord)
        withUnsafeBytes(of: commit.words) {
            UnsafeMutableRawBufferPointer(rebasing: buffer[end...]).copyMemory(from: $0)
        }
        return UnsafeRawBufferPointer(rebasing: buffer[records[range.lowerBound].offset..<end + Layout.commitRecord])
    }

    func payload(_ record: StagedRecord) -> UnsafeRawBufferPointer {
        let start = record.offset + Layout.recordHeader
        return UnsafeRawBufferPointer(rebasing: buffer[start..<start + record.length])
    }

    func header(_ record: StagedRecord) -> UnsafeMutableRawBufferPointer {
        .init(rebasing: buffer[record.offset..<record.offset + Layout.recordHeader])
    }

    mutating func append(
        _ lsn: LSN, _ kind: RecordKind, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        isCopy: Bool = false
    ) {
        let length = first.count + second.count
        let record = StagedRecord(lsn: lsn, kind: kind, offset: end, length: length, isCopy: isCopy)
        reserve(record.footprint)
        let place = end + Layout.recordHeader
        let payload = UnsafeMutableRawBufferPointer(rebasing: buffer[place..<end + record.footprint])
        payload.copyMemory(from: first)
        UnsafeMutableRawBufferPointer(rebasing: payload[first.count...]).copyMemory(from: second)
        for index in length..<payload.count { payload[index] = 0 }
        let checksum = CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: payload[..<length]))
        RecordHeader(
            length: length, lsn: lsn, kind: kind, flags: isCopy ? Layout.flagCopied : 0, payloadChecksum: checksum
        ).write(to: header(record))
        end += record.footprint
        records.append(record)
    }

    /// Drops the records behind the first `count`.
    mutating func cut(to count: Int) {
        guard count < records.count else { return }
        end = records[count].offset
        records.removeSubrange(count...)
    }

    /// - Parameter place: where the next commit's first record will begin, in its segment.
    mutating func removeAll(before place: Int) {
        shortCommits = end > Self.keptBytes || buffer.count <= Self.keptBytes ? 0 : shortCommits + 1
        records.removeAll(keepingCapacity: true)
        start = place % Layout.block
        end = start
        guard shortCommits == Self.patience else { return }
        shortCommits = 0
        buffer.deallocate()
        buffer = .allocate(byteCount: 256 << 10, alignment: 4096)
    }

    private mutating func reserve(_ extra: Int) {
        guard end + extra > buffer.count else { return }
        // Past what is kept stands one long record, with statements and a commit record behind it.
        let room = end + extra <= Self.keptBytes ? Self.keptBytes : (end + extra + (64 << 10)) & ~4095
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 4096)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<end]))
        buffer.deallocate()
        buffer = larger
    }
}
