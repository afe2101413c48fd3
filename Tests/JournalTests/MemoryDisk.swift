import Journal
import TestSupport

/// A disk in memory that knows what a crash may take: writes not synchronized, wholly or by sectors, in any order;
/// names not synchronized, each for itself.
final class MemoryDisk: FileSystem {
    final class Node {
        var bytes: [UInt8] = []
        var durable: [UInt8] = []
        var pending: [(offset: Int, bytes: [UInt8])] = []
        var permissions: UInt16
        init(permissions: UInt16) { self.permissions = permissions }
    }

    private enum Change {
        case set(String, Node)
        case remove(String)
        case move(from: String, to: String, Node)
    }

    struct Faults {
        /// The operation, counted from 0, that fails; none where nil.
        var failAt: Int?
        /// All that come after it fail as well.
        var forEver = false
        var kind = FileError.Kind.other
        /// They fail because the process is gone: the disk and the system's memory stay as they are.
        var isKill = false
    }

    private var names: [String: Node] = [:]
    private var durableNames: [String: Node] = [:]
    private var changes: [Change] = []
    private var directories: [String: UInt16] = [:]
    private var open: [Int32: (path: String, node: Node)] = [:]
    private var locks: [Int32: String] = [:]
    private var nextHandle: Int32 = 3
    var faults = Faults()
    /// Operations that could have failed so far.
    private(set) var operations = 0
    /// Bytes all files may have together.
    var capacity = Int.max
    /// When a synchronize fails, this tells which of the pending writes got through.
    var random = SeededGenerator(1)

    /// The files after a crash, on a disk with nothing open.
    func crashed(_ seed: UInt64) -> MemoryDisk {
        var random = SeededGenerator(seed)
        let disk = MemoryDisk()
        disk.directories = directories
        var surviving = durableNames
        for change in changes where random.chance(50) {
            switch change {
            case .set(let name, let node): surviving[name] = node
            case .remove(let name): surviving[name] = nil
            case .move(let from, let to, let node):
                surviving[from] = nil
                surviving[to] = node
            }
        }
        for (name, node) in surviving.sorted(by: { $0.key < $1.key }) {
            let copy = Node(permissions: node.permissions)
            copy.durable = Self.torn(node, &random)
            copy.bytes = copy.durable
            disk.names[name] = copy
        }
        disk.durableNames = disk.names
        return disk
    }

    /// The same files, with everything durable, as after an orderly end.
    func settled() -> MemoryDisk {
        let disk = MemoryDisk()
        disk.directories = directories
        for (name, node) in names {
            let copy = Node(permissions: node.permissions)
            copy.bytes = node.bytes
            copy.durable = node.bytes
            disk.names[name] = copy
        }
        disk.durableNames = disk.names
        return disk
    }

    private static func torn(_ node: Node, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = node.durable
        for write in node.pending {
            let style = Int.random(in: 0..<4, using: &random)
            if style == 0 { continue }
            var start = 0
            while start < write.bytes.count {
                let end = min(write.bytes.count, (write.offset + start) / 512 * 512 + 512 - write.offset)
                if style == 1 || random.chance(60) {
                    put(&bytes, Array(write.bytes[start..<end]), at: write.offset + start)
                } else if style == 2 {
                    break
                }
                start = end
            }
        }
        return bytes
    }

    private static func put(_ file: inout [UInt8], _ bytes: [UInt8], at offset: Int) {
        if file.count < offset + bytes.count {
            file.append(contentsOf: [UInt8](repeating: 0, count: offset + bytes.count - file.count))
        }
        file.withUnsafeMutableBytes { file in
            bytes.withUnsafeBytes {
                file.baseAddress!.advanced(by: offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
            }
        }
    }

    // MARK: For tests

    var paths: [String] { names.keys.sorted() }
    func contents(_ path: String) -> [UInt8]? { names[path]?.bytes }

    func setContents(_ path: String, _ bytes: [UInt8]) {
        let node = names[path] ?? Node(permissions: 0o600)
        node.bytes = bytes
        node.durable = bytes
        names[path] = node
        durableNames[path] = node
    }

    func setPermissions(directory: String, _ permissions: UInt16) { directories[directory] = permissions }

    // MARK: FileSystem

    private func step(_ operation: FileError.Operation, _ path: String) throws(FileError) {
        defer { operations += 1 }
        guard let failAt = faults.failAt, operations == failAt || (faults.forEver && operations > failAt) else {
            return
        }
        throw FileError(operation, path: path, kind: faults.kind, reason: "made to fail")
    }

    private func node(_ handle: FileHandle) throws(FileError) -> (path: String, node: Node) {
        guard let file = open[handle.number] else {
            throw FileError(.read, path: "handle \(handle.number)", kind: .other, reason: "it is not open")
        }
        return file
    }

    private func newHandle() -> FileHandle {
        nextHandle += 1
        return FileHandle(nextHandle)
    }

    func open(_ path: String, _ access: FileAccess) throws(FileError) -> FileHandle {
        let handle = newHandle()
        if case .create(let permissions) = access {
            try step(.create, path)
            guard names[path] == nil else { throw FileError(.create, path: path, kind: .exists, reason: "it exists") }
            let node = Node(permissions: permissions)
            names[path] = node
            changes.append(.set(path, node))
            open[handle.number] = (path, node)
        } else {
            try step(.open, path)
            guard let node = names[path] else {
                throw FileError(.open, path: path, kind: .missing, reason: "no such file")
            }
            open[handle.number] = (path, node)
        }
        return handle
    }

    func close(_ handle: FileHandle) {
        open[handle.number] = nil
        locks[handle.number] = nil
    }

    var openHandles: Int { open.count + locks.count }

    func size(of handle: FileHandle) throws(FileError) -> UInt64 {
        let file = try node(handle)
        try step(.inspect, file.path)
        return UInt64(file.node.bytes.count)
    }

    func read(
        _ handle: FileHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int {
        let file = try node(handle)
        try step(.read, file.path)
        let start = min(Int(offset), file.node.bytes.count)
        let count = min(buffer.count, file.node.bytes.count - start)
        file.node.bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[start..<start + count])) }
        return count
    }

    func write(_ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        let file = try node(handle)
        let total = names.values.reduce(0) { $0 + $1.bytes.count }
        let growth = max(0, Int(offset) + bytes.count - file.node.bytes.count)
        guard total + growth <= capacity else {
            throw FileError(.write, path: file.path, kind: .noSpace, reason: "no space left on device")
        }
        var written = Array(bytes)
        var failure: FileError?
        do throws(FileError) {
            try step(.write, file.path)
        } catch {
            failure = error
            written.removeLast(written.count - written.count / 2)
        }
        if !written.isEmpty {
            Self.put(&file.node.bytes, written, at: Int(offset))
            file.node.pending.append((Int(offset), written))
        }
        if let failure { throw failure }
    }

    func synchronize(_ handle: FileHandle) throws(FileError) {
        let file = try node(handle)
        do throws(FileError) {
            try step(.synchronize, file.path)
        } catch {
            if faults.isKill { throw error }
            // The system forgets what it could not write: a later success says nothing about it.
            file.node.durable = Self.torn(file.node, &random)
            file.node.pending = []
            throw error
        }
        for write in file.node.pending { Self.put(&file.node.durable, write.bytes, at: write.offset) }
        file.node.pending = []
    }

    func truncate(_ handle: FileHandle, to bytes: UInt64) throws(FileError) {
        let file = try node(handle)
        try step(.truncate, file.path)
        let keep = min(Int(bytes), file.node.bytes.count)
        file.node.bytes.removeLast(file.node.bytes.count - keep)
        file.node.durable = file.node.bytes
        file.node.pending = []
    }

    func rename(_ path: String, to target: String) throws(FileError) {
        try step(.rename, path)
        guard let node = names[path] else {
            throw FileError(.rename, path: path, kind: .missing, reason: "no such file")
        }
        names[path] = nil
        names[target] = node
        changes.append(.move(from: path, to: target, node))
    }

    func remove(_ path: String) throws(FileError) {
        try step(.remove, path)
        guard names[path] != nil else {
            throw FileError(.remove, path: path, kind: .missing, reason: "no such file")
        }
        names[path] = nil
        changes.append(.remove(path))
    }

    func list(_ directory: String) throws(FileError) -> [String] {
        try step(.list, directory)
        let prefix = directory + "/"
        return names.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    func attributes(of path: String) throws(FileError) -> FileAttributes? {
        try step(.inspect, path)
        if let permissions = directories[path] {
            return FileAttributes(isDirectory: true, permissions: permissions, bytes: 0)
        }
        guard let node = names[path] else { return nil }
        return FileAttributes(isDirectory: false, permissions: node.permissions, bytes: UInt64(node.bytes.count))
    }

    func createDirectory(_ path: String, permissions: UInt16) throws(FileError) {
        try step(.createDirectory, path)
        directories[path] = permissions
    }

    func synchronizeDirectory(_ path: String) throws(FileError) {
        try step(.synchronizeDirectory, path)
        durableNames = names
        changes = []
    }

    func lock(_ path: String) throws(FileError) -> FileHandle {
        try step(.lock, path)
        guard !locks.values.contains(path) else {
            throw FileError(.lock, path: path, kind: .locked, reason: "somebody has it")
        }
        if names[path] == nil {
            let node = Node(permissions: 0o600)
            names[path] = node
            changes.append(.set(path, node))
        }
        let handle = newHandle()
        locks[handle.number] = path
        return handle
    }
}
