import Journal

extension SimulatedDisk {
    public func rename(_ path: String, to target: String) throws(FileError) {
        try begin(.rename, path)
        guard let inode = names.file(path) else {
            throw FileError(.rename, path: path, kind: .missing, reason: "no such file")
        }
        guard names.directory(NameTable.parent(of: target)) != nil else {
            throw FileError(.rename, path: target, kind: .missing, reason: "no such directory")
        }
        guard names.directory(target) == nil else {
            throw FileError(.rename, path: target, kind: .exists, reason: "it is a directory")
        }
        guard path != target else { return }
        if let replaced = names.file(target) { lose(replaced) }
        names.move(path, to: target, inode)
    }

    public func remove(_ path: String) throws(FileError) {
        try begin(.remove, path)
        guard let inode = names.file(path) else {
            let isDirectory = names.directory(path) != nil
            throw FileError(
                .remove, path: path, kind: isDirectory ? .other : .missing,
                reason: isDirectory ? "it is a directory" : "no such file")
        }
        lose(inode)
        names.remove(path)
    }

    private func lose(_ inode: Inode) {
        inode.isNamed = false
        usedBytes -= inode.bytes.count
    }

    /// In an order that tells nothing, as directories have it.
    public func list(_ directory: String) throws(FileError) -> [String] {
        try begin(.list, directory)
        guard names.directory(directory) != nil else {
            throw FileError(.list, path: directory, kind: .missing, reason: "no such directory")
        }
        var found = names.names(in: directory)
        for index in found.indices.dropLast() { found.swapAt(index, random.number(in: index...found.count - 1)) }
        return found
    }

    public func attributes(of path: String) throws(FileError) -> FileAttributes? {
        try begin(.inspect, path)
        if let permissions = names.directory(path) {
            return FileAttributes(isDirectory: true, permissions: permissions, bytes: 0)
        }
        guard let inode = names.file(path) else { return nil }
        return FileAttributes(isDirectory: false, permissions: inode.permissions, bytes: UInt64(inode.bytes.count))
    }

    public func createDirectory(_ path: String, permissions: UInt16) throws(FileError) {
        try begin(.createDirectory, path)
        guard names.directory(NameTable.parent(of: path)) != nil else {
            throw FileError(.createDirectory, path: path, kind: .missing, reason: "no such directory")
        }
        guard names.directory(path) == nil, names.file(path) == nil else {
            throw FileError(.createDirectory, path: path, kind: .exists, reason: "it exists")
        }
        names.makeDirectory(path, permissions)
    }

    public func synchronizeDirectory(_ path: String) throws(FileError) {
        try begin(.synchronizeDirectory, path)
        guard names.directory(path) != nil else {
            throw FileError(.synchronizeDirectory, path: path, kind: .missing, reason: "no such directory")
        }
        if random.chance(faults.synchronize) {
            count(.synchronizeFault)
            throw Self.fault(.synchronizeDirectory, path)
        }
        names.synchronize(path)
    }

    public func lock(_ path: String) throws(FileError) -> FileHandle {
        try begin(.lock, path)
        if let inode = names.file(path) {
            guard !isLocked(inode) else {
                throw FileError(.lock, path: path, kind: .locked, reason: "somebody has it")
            }
            return add(OpenFile(path: path, inode: inode, isWritable: true, isLock: true))
        }
        var file = try create(.lock, path, 0o600)
        file.isLock = true
        return add(file)
    }
}
