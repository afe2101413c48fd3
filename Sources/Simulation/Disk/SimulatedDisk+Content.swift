import Journal

extension SimulatedDisk {
    public func open(_ path: String, _ access: FileAccess) throws(FileError) -> FileHandle {
        switch access {
        case .create(let permissions):
            try begin(.create, path)
            return add(try create(.create, path, permissions))
        case .read, .readWrite:
            try begin(.open, path)
            guard let inode = names.file(path) else {
                throw FileError(.open, path: path, kind: .missing, reason: "no such file")
            }
            var isWritable = false
            if case .readWrite = access { isWritable = true }
            return add(OpenFile(path: path, inode: inode, isWritable: isWritable, isLock: false))
        }
    }

    func create(
        _ operation: FileError.Operation, _ path: String, _ permissions: UInt16
    ) throws(FileError) -> OpenFile {
        guard names.directory(NameTable.parent(of: path)) != nil else {
            throw FileError(operation, path: path, kind: .missing, reason: "no such directory")
        }
        guard names.file(path) == nil, names.directory(path) == nil else {
            throw FileError(operation, path: path, kind: .exists, reason: "it exists")
        }
        guard freeBytes > 0 else { throw Self.noSpace(operation, path) }
        let inode = Inode(permissions: permissions)
        names.set(path, inode)
        return OpenFile(path: path, inode: inode, isWritable: true, isLock: false)
    }

    private static func noSpace(_ operation: FileError.Operation, _ path: String) -> FileError {
        FileError(operation, path: path, kind: .noSpace, reason: "no space left on device")
    }

    public func size(of handle: FileHandle) throws(FileError) -> UInt64 {
        let file = try file(handle, .inspect)
        try begin(.inspect, file.path)
        return UInt64(file.inode.bytes.count)
    }

    public func read(
        _ handle: FileHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int {
        let file = try file(handle, .read)
        try begin(.read, file.path, bytes: buffer.count)
        if random.chance(faults.read) {
            count(.readFault)
            throw Self.fault(.read, file.path)
        }
        let start = min(Int(clamping: offset), file.inode.bytes.count)
        let count = min(buffer.count, file.inode.bytes.count - start)
        file.inode.bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[start..<start + count])) }
        return count
    }

    public func write(_ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        let file = try file(handle, .write)
        guard file.isWritable, let place = Int(exactly: offset), place < Int.max - bytes.count else {
            throw FileError(.write, path: file.path, kind: .notPermitted, reason: "the handle is not for this")
        }
        let wasGone = fuse.hasBurnt
        do throws(FileError) {
            try begin(.write, file.path, bytes: bytes.count)
        } catch {
            // Where the end came inside this very write, some of it went through.
            if !wasGone {
                put(file.inode, fitting(bytes, file.inode, place).prefix(random.below(bytes.count + 1)), at: place)
            }
            throw error
        }
        if random.chance(faults.write) {
            count(.writeFault)
            put(file.inode, fitting(bytes, file.inode, place).prefix(random.below(bytes.count + 1)), at: place)
            throw Self.fault(.write, file.path)
        }
        let part = fitting(bytes, file.inode, place)
        put(file.inode, part, at: place)
        if part.count < bytes.count { throw Self.noSpace(.write, file.path) }
    }

    /// What follows in the block is as before, or zeros.
    public func writeEnd(_ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        let size = try file(handle, .write).inode.bytes.count
        let end = Int(clamping: offset) &+ bytes.count
        let rest = (4096 - end & 4095) & 4095
        guard rest > 0, end + rest <= size, random.chance(0.5) else { return try write(handle, bytes, at: offset) }
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + rest, alignment: 8)
        defer { block.deallocate() }
        block.copyMemory(from: bytes)
        UnsafeMutableRawBufferPointer(rebasing: block[bytes.count...]).initializeMemory(as: UInt8.self, repeating: 0)
        try write(handle, UnsafeRawBufferPointer(block), at: offset)
    }

    /// As much of a write as there is room for.
    private func fitting(
        _ bytes: UnsafeRawBufferPointer, _ inode: Inode, _ offset: Int
    ) -> Slice<UnsafeRawBufferPointer> {
        guard inode.isNamed else { return bytes[...] }
        let room = inode.bytes.count.addingReportingOverflow(freeBytes)
        return room.overflow ? bytes[...] : bytes.prefix(max(0, room.partialValue - offset))
    }

    private func put(_ inode: Inode, _ bytes: Slice<UnsafeRawBufferPointer>, at offset: Int) {
        guard !bytes.isEmpty else { return }
        watch?(UnsafeRawBufferPointer(rebasing: bytes))
        let before = inode.bytes.count
        inode.write(UnsafeRawBufferPointer(rebasing: bytes), at: offset)
        if inode.isNamed { usedBytes += inode.bytes.count - before }
    }

    public func truncate(_ handle: FileHandle, to bytes: UInt64) throws(FileError) {
        let file = try file(handle, .truncate)
        try begin(.truncate, file.path)
        guard file.isWritable, let count = Int(exactly: bytes) else {
            throw FileError(.truncate, path: file.path, kind: .notPermitted, reason: "the handle is not for this")
        }
        let growth = count - file.inode.bytes.count
        guard growth <= 0 || !file.inode.isNamed || growth <= freeBytes else {
            throw Self.noSpace(.truncate, file.path)
        }
        file.inode.truncate(to: count)
        if file.inode.isNamed { usedBytes += growth }
    }

    public func synchronize(_ handle: FileHandle) throws(FileError) {
        let file = try file(handle, .synchronize)
        try begin(.synchronize, file.path)
        if random.chance(faults.synchronize) {
            count(.synchronizeFault)
            failSynchronize(file.inode)
            throw Self.fault(.synchronize, file.path)
        }
        if faults.misdirectedWrite > 0 { misdirect(file) }
        file.inode.synchronize()
    }

    /// The system forgets what it could not write and takes the pages for clean: a later success says nothing about
    /// them. They may stay readable until the next boot, or be gone at once.
    private func failSynchronize(_ inode: Inode) {
        inode.applySurvivors(PowerLoss(losesWrites: true, tears: true, reorders: true), &random)
        inode.pending.removeAll()
        guard random.chance(0.5) else { return }
        let before = inode.bytes.count
        inode.forgetCache()
        if inode.isNamed { usedBytes += inode.bytes.count - before }
    }
}
