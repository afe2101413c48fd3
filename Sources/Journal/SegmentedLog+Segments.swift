#if CANARIES
    import Envelope
#endif

extension SegmentedLog {
    /// Takes a file of the pool into use, behind the last segment. Nothing of it is durable, and it keeps the pool's
    /// name, until its first commit is written: see ``nameSegment()``.
    mutating func beginSegment(nextStaged: Int) throws(JournalError) {
        isOpen = false
        if namesAreUnsure { try synchronizeNames() }
        if pool.isEmpty { try createFree() }
        // Used up by each try, so that no other use of the file has this salt.
        let number = nextFile
        nextFile += 1
        let salt = SegmentSalt.make(entropy: options.entropy, number: number)
        let free = path(.free(pool[pool.count - 1]))
        let handle = try filing { () throws(FileError) in try files.open(free, .readWrite) }
        do throws(FileError) {
            let previous = segments.last.flatMap { isSure($0) ? $0 : nil }
            try writeHeader(handle, number: number, salt: salt, previous: previous)
        } catch {
            files.close(handle)
            throw .file(error)
        }
        let firstFresh = staging.records[nextStaged...].first { $0.kind < .firstReserved && !$0.isCopy }
        var segment = Segment(number: number, salt: salt, base: (firstFresh?.lsn ?? nextLSN).number)
        segment.handle = handle
        segments.append(segment)
        isNamed = false
        closeIdle()
        isOpen = true
        place = Layout.firstRecord
        commitPlace = 0
    }

    /// Gives the last segment, whose header and first commit are durable, its own name.
    mutating func nameSegment() throws(JournalError) {
        let last = segments.count - 1
        let number = segments[last].number
        let free = path(.free(pool[pool.count - 1]))
        try filing { () throws(FileError) in try files.rename(free, to: path(.segment(number))) }
        pool.removeLast()
        // Before the name is durable: where that fails, it is a segment of a failed commit, to be given back.
        isNamed = true
        try synchronizeNames()
        if last > 0, isSure(segments[last - 1]) { segments[last - 1].endKeeper = number }
    }

    /// Of a segment whose end is not sure the next one's header says nothing: the commit behind it will.
    private func isSure(_ segment: Segment) -> Bool { !pendingCuts.contains { $0.first == segment.number } }

    private func writeHeader(
        _ handle: FileHandle, number: UInt64, salt: UInt64, previous: Segment?
    ) throws(FileError) {
        let header = SegmentHeader(
            segmentBytes: UInt32(options.segmentBytes), number: number, salt: salt, nextLSN: nextLSN,
            acknowledged: acknowledged, previous: previous?.number ?? 0, previousEnd: UInt32(previous?.end ?? 0))
        // Up to the first record, so that nothing of what the file held need be read.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Layout.firstRecord, alignment: 8)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        for place in [0, Layout.secondHeader] {
            header.write(to: UnsafeMutableRawBufferPointer(rebasing: memory[place..<place + Layout.segmentHeader]))
        }
        if try files.size(of: handle) != UInt64(options.segmentBytes) {
            try files.truncate(handle, to: 0)
            try fillWithZeros(handle)
        }
        try files.writeEnd(handle, UnsafeRawBufferPointer(memory), at: 0)
    }

    /// Adds a zeroed file to the pool. Not done beyond ``LogOptions/poolSegments`` by itself.
    mutating func createFree() throws(JournalError) {
        let number = nextFile
        nextFile += 1
        let new = path(.new(number))
        let handle = try filing { () throws(FileError) in
            try files.open(new, .create(permissions: 0o600))
        }
        do throws(FileError) {
            defer { files.close(handle) }
            try fillWithZeros(handle)
            try files.synchronize(handle)
            try files.rename(new, to: path(.free(number)))
        } catch {
            // Half a file must not take up the room that is missing already.
            try? files.remove(new)
            throw .file(error)
        }
        pool.append(number)
        try synchronizeNames()
    }

    private func fillWithZeros(_ handle: FileHandle) throws(FileError) {
        let chunk = min(options.segmentBytes, 1 << 20)
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 4096)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        var offset = 0
        while offset < options.segmentBytes {
            let count = min(chunk, options.segmentBytes - offset)
            try files.writeEnd(handle, UnsafeRawBufferPointer(rebasing: zeros[..<count]), at: UInt64(offset))
            offset += count
        }
    }

    /// Fills the pool up, so that no commit has to wait for zeros. For idle moments.
    /// - Returns: true where one file was made and more are missing.
    /// - Throws: ``JournalError/file(_:)``; the journal is as it was.
    @discardableResult
    public mutating func prepare() throws(JournalError) -> Bool {
        guard pool.count < options.poolSegments, segments.count + pool.count < options.capacity else { return false }
        try createFree()
        return pool.count < options.poolSegments
    }

    /// Gives the file of a segment with nothing live back.
    mutating func recycle(_ index: Int) throws(JournalError) {
        if namesAreUnsure { try synchronizeNames() }
        let segment = segments[index]
        let name = path(.segment(segment.number))
        let keeps = !segment.isDamaged && pool.count < max(1, options.poolSegments)
        if let handle = segment.handle {
            files.close(handle)
            segments[index].handle = nil
        }
        try filing { () throws(FileError) in
            if segment.isDamaged {
                try files.rename(name, to: path(.damaged(segment.number)))
            } else if keeps {
                try files.rename(name, to: path(.free(segment.number)))
            } else {
                try files.remove(name)
            }
        }
        segments.remove(at: index)
        for index in segments.indices { segments[index].releasers.remove(segment.number) }
        if keeps { pool.append(segment.number) }
        try synchronizeNames()
    }

    /// Makes changed names durable. Called after each change; where it fails, again before anything builds on it.
    mutating func synchronizeNames() throws(JournalError) {
        #if CANARIES
            if Canary.isPlanted(.noDirectorySync) { return }
        #endif
        namesAreUnsure = true
        try filing { () throws(FileError) in try files.synchronizeDirectory(directory) }
        namesAreUnsure = false
    }
}

/// Spreads the caller's random bits over segments (the finalizer of splitmix64).
enum SegmentSalt {
    static func make(entropy: UInt64, number: UInt64) -> UInt64 {
        var value = entropy &+ number &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
