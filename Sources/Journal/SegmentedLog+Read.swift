import Envelope

/// Where a live record lies.
struct RecordLocation {
    var segment: Int
    var position: Int
    var isCopy: Bool
}

extension SegmentedLog {
    /// Replaces `payload` with the record's bytes. Staged records can be read too.
    /// - Returns: the record's kind.
    /// - Throws: ``JournalError/notFound(_:)``, ``JournalError/damaged(_:)`` or ``JournalError/file(_:)``.
    @discardableResult
    public mutating func read(_ lsn: LSN, into payload: inout [UInt8]) throws(JournalError) -> RecordKind {
        guard let location = locate(lsn) else { return try readStaged(lsn, into: &payload) }
        return try read(location, into: &payload)
    }

    mutating func read(_ location: RecordLocation, into payload: inout [UInt8]) throws(JournalError) -> RecordKind {
        let segment = segments[location.segment]
        let entry = location.isCopy ? segment.copied[location.position] : segment.fresh[location.position]
        let lsn = LSN(entry.lsn)
        let handle = try handle(of: location.segment)
        let count = Layout.recordHeader + entry.length
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { memory.deallocate() }
        let bytesRead = try filing { () throws(FileError) in
            try files.read(handle, into: memory, at: UInt64(entry.place))
        }
        let body = UnsafeRawBufferPointer(rebasing: memory[Layout.recordHeader...])
        guard bytesRead == count,
            let (header, _) = RecordHeader.read(
                UnsafeRawBufferPointer(memory), at: Int(entry.place), by: segment.seal),
            header.lsn == lsn, header.length == entry.length, header.payloadChecksum == CRC32C.checksum(of: body)
        else {
            noteDamage(location, entry)
            throw .damaged(lsn)
        }
        payload.removeAll(keepingCapacity: true)
        payload.append(contentsOf: body)
        return header.kind
    }

    private mutating func noteDamage(_ location: RecordLocation, _ entry: IndexEntry) {
        segments[location.segment].isDamaged = true
        segments[location.segment].mark(.damaged, at: location.position, isCopy: location.isCopy)
        damageFound.append(
            DamagedRecord(
                segment: segments[location.segment].name, offset: Int(entry.place),
                bytes: Layout.footprint(entry.length), lsn: LSN(entry.lsn)))
    }

    private func readStaged(_ lsn: LSN, into payload: inout [UInt8]) throws(JournalError) -> RecordKind {
        guard let record = staged(lsn) else { throw .notFound(lsn) }
        payload.removeAll(keepingCapacity: true)
        payload.append(contentsOf: staging.payload(record))
        return record.kind
    }

    private func staged(_ lsn: LSN) -> StagedRecord? {
        guard lsn < nextLSN, lsn >= stagedFrom else { return nil }
        // Fresh records are staged in order, so only copies between them can push this one further back.
        let ordinal = Int(lsn.number - stagedFrom.number)
        guard ordinal < staging.records.count else { return nil }
        return staging.records[ordinal...].first { $0.lsn == lsn && !$0.isCopy }
    }

    func isStaged(_ lsn: LSN) -> Bool { staged(lsn) != nil }

    /// The live record's place; nil where it is not live or not committed yet.
    func locate(_ lsn: LSN) -> RecordLocation? {
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].base <= lsn.number { low = middle + 1 } else { high = middle }
        }
        if low > 0, let position = segments[low - 1].fresh.position(of: lsn.number) {
            switch segments[low - 1].fresh[position].state {
            case .live: return RecordLocation(segment: low - 1, position: position, isCopy: false)
            case .released, .damaged: return nil
            case .moved: break
            }
        }
        for index in segments.indices.reversed() {
            if let position = segments[index].copied.position(of: lsn.number),
                segments[index].copied[position].state == .live
            {
                return RecordLocation(segment: index, position: position, isCopy: true)
            }
        }
        return nil
    }

    /// Opens the segment's file where it is not open.
    mutating func handle(of index: Int) throws(JournalError) -> FileHandle {
        useCount += 1
        segments[index].lastUse = useCount
        if let handle = segments[index].handle { return handle }
        closeIdle()
        let path = path(.segment(segments[index].number))
        let handle = try filing { () throws(FileError) in try files.open(path, .readWrite) }
        segments[index].handle = handle
        return handle
    }

    /// Past 32 open files the one idle longest is closed; the last segment's stays.
    mutating func closeIdle() {
        let open = segments.indices.dropLast().filter { segments[$0].handle != nil }
        guard open.count >= 32, let idle = open.min(by: { segments[$0].lastUse < segments[$1].lastUse }),
            let handle = segments[idle].handle
        else { return }
        files.close(handle)
        segments[idle].handle = nil
    }

    /// Turns a disk's error into a journal's.
    func filing<Value>(_ body: () throws(FileError) -> Value) throws(JournalError) -> Value {
        do throws(FileError) {
            return try body()
        } catch {
            throw .file(error)
        }
    }
}
