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
            try writeZeros(handle, 0..<options.segmentBytes)
        }
        try files.writeEnd(handle, UnsafeRawBufferPointer(memory), at: 0)
    }

    /// Adds a zeroed file to the pool, at once. Not done beyond ``LogOptions/poolSegments`` by itself.
    mutating func createFree() throws(JournalError) {
        while try !fillFurther(options.segmentBytes) {}
    }

    /// Bytes of zeros between two commits: a commit that comes meanwhile waits no longer for them than for a commit.
    private static var zerosAtOnce: Int { 512 << 10 }

    /// Fills the pool up, a part of a file at a time, so that no commit has to wait for zeros. For idle moments.
    /// - Returns: true where more is missing.
    /// - Throws: ``JournalError/file(_:)``; the journal is as it was.
    @discardableResult
    public mutating func prepare() throws(JournalError) -> Bool {
        guard pool.count < options.poolSegments, segments.count + pool.count < options.capacity else {
            if let file = filling { giveUp(file) }
            filling = nil
            return false
        }
        return try !fillFurther(Self.zerosAtOnce) || pool.count < options.poolSegments
    }

    /// Goes on with the file that is to come into the pool, or begins one.
    /// - Returns: true where it is there now.
    private mutating func fillFurther(_ bytes: Int) throws(JournalError) -> Bool {
        if filling == nil { try beginFilling() }
        guard var file = filling else { return false }
        filling = nil
        do throws(FileError) {
            try writeZeros(file.handle, file.bytes..<min(options.segmentBytes, file.bytes + bytes))
            file.bytes += bytes
            guard file.bytes >= options.segmentBytes else {
                filling = file
                return false
            }
            try files.synchronize(file.handle)
            try files.rename(path(.new(file.number)), to: path(.free(file.number)))
        } catch {
            giveUp(file)
            throw .file(error)
        }
        files.close(file.handle)
        pool.append(file.number)
        try synchronizeNames()
        return true
    }

    /// Half a file must not take up room that is missing.
    private func giveUp(_ file: FillingFile) {
        files.close(file.handle)
        try? files.remove(path(.new(file.number)))
    }

    private mutating func beginFilling() throws(JournalError) {
        let number = nextFile
        nextFile += 1
        let handle = try filing { () throws(FileError) in
            try files.open(path(.new(number)), .create(permissions: 0o600))
        }
        filling = FillingFile(number: number, handle: handle)
    }

    private func writeZeros(_ handle: FileHandle, _ range: Range<Int>) throws(FileError) {
        let chunk = min(range.count, 1 << 20)
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: Layout.block)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        for offset in stride(from: range.lowerBound, to: range.upperBound, by: max(1, chunk)) {
            let count = min(chunk, range.upperBound - offset)
            try files.writeEnd(handle, UnsafeRawBufferPointer(rebasing: zeros[..<count]), at: UInt64(offset))
        }
    }

    /// Gives the file of a segment with nothing live back.
    mutating func recycle(_ index: Int) throws(JournalError) {
        if namesAreUnsure { try synchronizeNames() }
        let segment = segments[index]
        let name = path(.segment(segment.number))
        let keeps = !segment.isDamaged && pool.count < max(1, options.poolSegments, options.keptSegments)
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
