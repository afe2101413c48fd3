/// What takes durable data away on its own. Each writes down what it took.
extension SimulatedDisk {
    /// A bit of a durable file turns over.
    /// - Returns: false where the disk has no byte.
    @discardableResult
    func rotBit() -> Bool {
        let files = names.durablePaths.filter { !(names.durableFile($0)?.durable.isEmpty ?? true) }
        guard !files.isEmpty else { return false }
        let path = files[random.below(files.count)]
        guard let inode = names.durableFile(path) else { return false }
        let place = random.below(inode.durable.count)
        let bit = UInt8(1) << UInt8(random.below(8))
        inode.durable[place] ^= bit
        if place < inode.bytes.count, !inode.pending.covers(place) { inode.bytes[place] = inode.durable[place] }
        damageLog.append(Damage(kind: .bitRot, path: path, range: place..<place + 1))
        count(.bitRot)
        return true
    }

    /// Before a synchronize: one of the writes goes to another sector of the same file. The page cache does not show
    /// it before the next boot.
    func misdirect(_ file: OpenFile) {
        let inode = file.inode
        let writes = inode.pending.entries.indices.filter { !inode.pending.entries[$0].isTruncation }
        guard !writes.isEmpty, random.chance(faults.misdirectedWrite) else { return }
        let chosen = writes[random.below(writes.count)]
        let entry = inode.pending.entries[chosen]
        // The length of a file is kept elsewhere and is right.
        let length = max(inode.durable.count, entry.offset + entry.count)
        let sectors = (length + Self.sectorBytes - 1) / Self.sectorBytes
        guard sectors > 1 else { return }
        let right = entry.offset / Self.sectorBytes
        let wrong = (right + 1 + random.below(sectors - 1)) % sectors * Self.sectorBytes
        for index in inode.pending.entries.indices where index != chosen { inode.apply(index) }
        if inode.durable.count < length { Inode.resize(&inode.durable, to: length) }
        let bytes = min(entry.count, length - wrong)
        inode.put(chosen, 0..<bytes, at: wrong)
        inode.pending.removeAll()
        damageLog.append(
            Damage(kind: .misdirectedWrite, path: file.path, range: entry.offset..<entry.offset + entry.count))
        damageLog.append(Damage(kind: .misdirectedWrite, path: file.path, range: wrong..<wrong + bytes))
        count(.misdirectedWrite)
    }

    /// What was on the medium at some time.
    struct Snapshot {
        var directories: [(path: String, permissions: UInt16)]
        var files: [(path: String, permissions: UInt16, bytes: [UInt8])]
    }

    func takeSnapshot() {
        let files = names.durablePaths.compactMap { path in
            names.durableFile(path).map { (path, $0.permissions, $0.durable) }
        }
        snapshot = Snapshot(directories: names.durableDirectories, files: files)
    }

    /// The machine was set back to its snapshot.
    /// - Returns: false where there is none.
    @discardableResult
    func rollBack() -> Bool {
        guard let old = snapshot else { return false }
        processEnded()
        names = NameTable()
        usedBytes = 0
        for directory in old.directories where directory.path != "/" {
            names.makeDirectory(directory.path, directory.permissions)
        }
        for file in old.files {
            names.set(file.path, Inode(permissions: file.permissions, durable: file.bytes))
            usedBytes += file.bytes.count
        }
        for directory in old.directories { names.synchronize(directory.path) }
        snapshot = nil
        damageLog.append(Damage(kind: .rolledBack, path: "/", range: 0..<0))
        count(.rolledBack)
        return true
    }
}
