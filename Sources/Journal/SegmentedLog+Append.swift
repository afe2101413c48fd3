extension SegmentedLog {
    /// Stages a record whose payload is `first` followed by `second`.
    ///
    /// - Parameter urgent: May use the last segment that others must leave; for what keeps a full node working.
    /// - Returns: the record's number, for ever.
    /// - Throws: ``JournalError/full(bytesInUse:maxBytes:)``, ``JournalError/recordTooLong(bytes:limit:)``,
    ///   ``JournalError/reservedKind(_:)``, or ``JournalError/file(_:)`` where the disk has no room for another
    ///   segment; then nothing is staged.
    public mutating func append(
        _ kind: RecordKind, _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0), urgent: Bool = false
    ) throws(JournalError) -> LSN {
        guard kind < .firstReserved else { throw .reservedKind(kind) }
        let (length, overflow) = first.count.addingReportingOverflow(second.count)
        guard !overflow, length <= options.payloadLimit else {
            throw .recordTooLong(bytes: length, limit: options.payloadLimit)
        }
        var next = plan
        next.add(Layout.footprint(length), segmentBytes: options.segmentBytes)
        // One segment is kept for releases and cleaning, one more for what is urgent.
        let allowed = options.capacity - (urgent ? 1 : 2)
        guard next.newSegments == 0 || segments.count + next.newSegments <= allowed else {
            let used = (segments.count + plan.newSegments) * options.segmentBytes
            throw .full(bytesInUse: used, maxBytes: options.maxBytes)
        }
        // Made now, with one to spare for releases and cleaning: a full disk refuses here, not in the commit.
        while next.newSegments > 0, pool.count <= next.newSegments { try createFree() }
        plan = next
        let lsn = nextLSN
        nextLSN = LSN(lsn.number + 1)
        staging.append(lsn, kind, first, second)
        return lsn
    }

    /// ``append(_:_:_:urgent:)`` for a payload in one array.
    public mutating func append(
        _ kind: RecordKind, _ payload: [UInt8], urgent: Bool = false
    ) throws(JournalError) -> LSN {
        let result = payload.withUnsafeBytes { bytes -> Result<LSN, JournalError> in
            do throws(JournalError) {
                return .success(try append(kind, bytes, urgent: urgent))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Says that nobody needs the record any more; takes effect with the next commit.
    ///
    /// - Returns: false where the journal holds no such record (released already, or never there).
    @discardableResult
    public mutating func release(_ lsn: LSN) -> Bool {
        guard locate(lsn) != nil || isStaged(lsn) else { return false }
        if let last = pendingReleases.last, last.second &+ 1 == lsn.number {
            pendingReleases[pendingReleases.count - 1].second = lsn.number
        } else {
            pendingReleases.append(NumberPair(first: lsn.number, second: lsn.number))
        }
        return true
    }

    /// Plans again from the beginning, after a commit or its failure.
    mutating func planAgain() {
        plan = Placement(newSegments: 0, place: isOpen ? place : .max)
        for record in staging.records {
            plan.add(record.footprint, segmentBytes: options.segmentBytes)
        }
    }
}
