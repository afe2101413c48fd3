#if CANARIES
    import Envelope
#endif

/// What a commit wrote to one segment.
struct WrittenPart {
    /// Number of the segment.
    var segment: UInt64
    /// Where the segment ended before.
    var endBefore: Int
    /// Indices of the staged records it took, and the place of each one follows from the first's.
    var records: Range<Int>
}

extension SegmentedLog {
    /// Makes everything staged durable together, all or nothing.
    ///
    /// - Throws: ``JournalError/file(_:)``; everything stays staged, the segments written to are closed as of the
    ///   commit before, and the next call writes to another segment.
    public mutating func commit() throws(JournalError) {
        guard hasStaged else { return }
        try commit(flags: 0)
    }

    /// Commits what is staged and says on the disk that all is well, so that the next opening knows the last commit
    /// for durable. Call it last; it may be called on a journal that failed before.
    public mutating func close() throws(JournalError) {
        try commit()
        guard isOpen, commitPlace != 0, place + Layout.commitRecord <= options.segmentBytes else { return }
        try commit(flags: Layout.commitCloses)
    }

    /// Commits also where only statements about segments are to be made.
    mutating func commit(flags: UInt32) throws(JournalError) {
        let mark = staging.records.count
        let segmentsBefore = segments.count
        stageControls()
        var parts: [WrittenPart] = []
        do throws(JournalError) {
            try preparePool()
            try write(flags: flags, to: &parts)
        } catch {
            staging.cut(to: mark)
            void(parts)
            giveBack(from: segmentsBefore)
            planAgain()
            throw error
        }
        acknowledged = nextCommit - 1
        pendingReleases.removeAll(keepingCapacity: true)
        pendingCuts.removeAll()
        settle(parts)
        staging.removeAll(before: place)
        stagedFrom = nextLSN
        stagedCopies = 0
        planAgain()
    }

    /// Turns pending releases, and ends that no durable record states, into records. They are made anew for each
    /// try. The last segment's end is stated by the header of the next one.
    private mutating func stageControls() {
        stage(.release, pendingReleases)
        let ends = segments.dropLast().filter { $0.endKeeper == 0 }
        stage(.end, ends.map { NumberPair(first: $0.number, second: UInt64($0.end)) } + pendingCuts)
    }

    private mutating func stage(_ kind: RecordKind, _ pairs: [NumberPair]) {
        let most = min(Layout.pairsPerRecord, options.payloadLimit / 16)
        var start = 0
        while start < pairs.count {
            let upper = min(start + most, pairs.count)
            let words = pairs[start..<upper].flatMap { [$0.first.littleEndian, $0.second.littleEndian] }
            words.withUnsafeBytes { staging.append(nextLSN, kind, $0, .init(start: nil, count: 0)) }
            start = upper
        }
    }

    /// Makes sure that the segments this commit needs are there before anything of it is written.
    private mutating func preparePool() throws(JournalError) {
        planAgain()
        while pool.count < plan.newSegments {
            try createFree()
        }
    }

    private mutating func write(flags: UInt32, to parts: inout [WrittenPart]) throws(JournalError) {
        var next = 0
        repeat {
            let footprint = next < staging.records.count ? staging.records[next].footprint : 0
            let isFull = place + footprint + Layout.commitRecord > options.segmentBytes
            if !isOpen || isFull || next == 0 && isBetterWhole {
                try beginSegment(nextStaged: next)
            }
            let range = next..<upperBound(from: next)
            next = range.upperBound
            var flags = flags
            if next < staging.records.count { flags |= Layout.commitContinues }
            if !parts.isEmpty { flags |= Layout.commitContinued }
            parts.append(
                WrittenPart(segment: segments[segments.count - 1].number, endBefore: place, records: range))
            try write(range, flags: flags)
        } while next < staging.records.count
    }

    /// True where all that is staged goes to a new segment, though the rest of this one could take a part: one wait for the
    /// disk instead of two, for an eighth of a segment at most. Either way it takes one new segment, as was planned.
    private var isBetterWhole: Bool {
        let bytes = staging.bytes + Layout.commitRecord
        let rest = options.segmentBytes - place
        return bytes > rest && rest <= options.segmentBytes / 8 && Layout.firstRecord + bytes <= options.segmentBytes
    }

    /// How many of the staged records fit the current segment.
    private func upperBound(from first: Int) -> Int {
        var end = place
        var index = first
        while index < staging.records.count {
            end += staging.records[index].footprint
            guard end + Layout.commitRecord <= options.segmentBytes else { break }
            index += 1
        }
        return index
    }

    /// One large write, the commit record, one synchronize; where they are a segment's first, its header is among what is
    /// synchronized, and then comes its name.
    private mutating func write(_ range: Range<Int>, flags: UInt32) throws(JournalError) {
        let last = segments.count - 1
        let handle = try handle(of: last)
        let seal = segments[last].seal
        let start = place
        let memory = staging.memory(range)
        let digest = sealRecords(range, by: seal)
        let commitStart = start + memory.count
        let mark = CommitMark(
            number: nextCommit, acknowledged: acknowledged, spanStart: UInt32(start), records: UInt32(range.count),
            previous: UInt32(commitPlace), flags: flags, digest: digest)
        nextCommit += 1
        let commit = commitRecord(mark, at: commitStart, by: seal)
        let whole = staging.memory(range, with: commit)
        try filing { () throws(FileError) in
            if let whole {
                try files.writeEnd(handle, whole, at: UInt64(start))
            } else {
                if !memory.isEmpty { try files.writeEnd(handle, UnsafeRawBufferPointer(memory), at: UInt64(start)) }
                try commit.write(files, handle, at: UInt64(commitStart))
            }
            try synchronize(handle)
        }
        if !isNamed { try nameSegment() }
        commitPlace = commitStart
        place = commitStart + Layout.commitRecord
        segments[last].end = place
        segments[last].lastCommit = mark.number
        acknowledgedOnDisk = max(acknowledgedOnDisk, mark.acknowledged)
    }

    /// One try: after a failure the system takes for clean what it could not write, and a second one says nothing.
    private func synchronize(_ handle: FileHandle) throws(FileError) {
        #if CANARIES
            if Canary.isPlanted(.acknowledgeBeforeSync) { return }
            if Canary.isPlanted(.retryFailedSync), (try? files.synchronize(handle)) != nil { return }
        #endif
        try files.synchronize(handle)
    }

    /// Takes back what a failed commit wrote: its segments end where they ended before, and those it began, which are
    /// empty, stand no longer in the way of the segments that its records go to next.
    private mutating func void(_ parts: [WrittenPart]) {
        for part in parts {
            isOpen = false
            guard let index = segments.lastIndex(where: { $0.number == part.segment }) else { continue }
            segments[index].end = part.endBefore
            segments[index].endKeeper = 0
        }
        let first = (staging.records.first { $0.kind < .firstReserved && !$0.isCopy }?.lsn ?? nextLSN).number
        for index in segments.indices.reversed() {
            guard segments[index].base > first else { break }
            segments[index].base = first
        }
    }

    /// Gives the segments that a failed commit began back to the pool: nothing in them counts, and where a disk fails for
    /// long they would pile up past every bound and fill it. A crash that brings one back brings what the disk has of it:
    /// the commit whole, or not at all. One that has the pool's name still is there already. One whose name cannot be
    /// changed stays, as an empty segment.
    private mutating func giveBack(from count: Int) {
        while segments.count > count, let last = segments.last {
            if isNamed {
                let renamed: Void? = try? files.rename(path(.segment(last.number)), to: path(.free(last.number)))
                guard renamed != nil else { return }
                namesAreUnsure = true
                pool.append(last.number)
            }
            isNamed = true
            if let handle = last.handle { files.close(handle) }
            segments.removeLast()
            for index in segments.indices where segments[index].endKeeper == last.number {
                segments[index].endKeeper = 0
            }
        }
    }

    /// Puts durable records into the indexes, then lets durable releases have their effect.
    private mutating func settle(_ parts: [WrittenPart]) {
        for part in parts {
            guard let index = segments.lastIndex(where: { $0.number == part.segment }) else { continue }
            var place = part.endBefore
            for record in staging.records[part.records] {
                if record.kind < .firstReserved {
                    if record.isCopy, let old = locate(record.lsn) { mark(old, .moved) }
                    let entry = IndexEntry(lsn: record.lsn, place: place, length: record.length)
                    segments[index].insert(entry, isCopy: record.isCopy)
                }
                place += record.footprint
            }
        }
        for part in parts {
            for record in staging.records[part.records] where record.kind >= .firstReserved {
                let pairs = NumberPair.read(staging.payload(record))
                if record.kind == .release { release(pairs, by: part.segment) }
                if record.kind == .end { keep(pairs, in: part.segment) }
            }
        }
    }

    mutating func mark(_ location: RecordLocation, _ state: IndexEntry.State) {
        segments[location.segment].mark(state, at: location.position, isCopy: location.isCopy)
    }

    private mutating func release(_ ranges: [NumberPair], by segment: UInt64) {
        for index in segments.indices {
            var touched = false
            for range in ranges where segments[index].release(range) { touched = true }
            if touched { segments[index].releasers.insert(segment) }
        }
    }

    private mutating func keep(_ ends: [NumberPair], in segment: UInt64) {
        for end in ends {
            if let index = segments.firstIndex(where: { $0.number == end.first }) {
                segments[index].endKeeper = segment
                segments[index].end = min(segments[index].end, Int(end.second))
            }
        }
    }
}

extension Segment {
    /// Marks what lies in the range. Records that were moved too: their bytes are still here, and would be taken
    /// for live again once both the copy and this release were gone.
    /// - Returns: true where the range touches a record of this segment.
    mutating func release(_ range: NumberPair) -> Bool {
        var touched = false
        for isCopy in [false, true] {
            let index = isCopy ? copied : fresh
            guard let last = index.entries.last, range.first <= last.lsn, range.second >= index[0].lsn else { continue }
            var position = index.lowerBound(range.first)
            while position < index.entries.count, index[position].lsn <= range.second {
                mark(.released, at: position, isCopy: isCopy)
                touched = true
                position += 1
            }
        }
        return touched
    }
}
