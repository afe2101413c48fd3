public import Journal

/// A disk in memory that knows what a crash may take: writes not synchronized, wholly or by sectors, in any order;
/// names not synchronized, each for itself. A name is synchronized with the directory it lies in, and no other.
/// A move from one directory to another happens as a whole or not at all, until one of them is synchronized.
public final class MemoryDisk: FileSystem {
    private final class Node {
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
        case makeDirectory(String, UInt16)
    }

    private struct Names {
        var files: [String: Node] = [:]
        var directories: [String: UInt16] = ["/": 0o755]

        /// A move happens as a whole.
        mutating func apply(_ change: Change) {
            switch change {
            case .set(let path, let node): files[path] = node
            case .remove(let path): files[path] = nil
            case .move(let from, let to, let node):
                files[from] = nil
                files[to] = node
            case .makeDirectory(let path, let permissions): directories[path] = permissions
            }
        }

        /// What lay in directories that are gone is gone with them.
        mutating func removeLost(_ known: [String: UInt16]) {
            func hasPlace(_ path: String) -> Bool {
                var place = path
                while place != "/" {
                    place = MemoryDisk.parent(of: place)
                    if known[place] != nil, directories[place] == nil { return false }
                }
                return true
            }
            files = files.filter { hasPlace($0.key) }
            directories = directories.filter { hasPlace($0.key) }
        }
    }

    public struct Faults {
        /// The operation, counted from 0, that fails; none where nil.
        public var failAt: Int?
        /// All that come after it fail as well.
        public var forEver = false
        public var kind = FileError.Kind.other
        /// They fail because the process is gone: the disk and the system's memory stay as they are.
        public var isKill = false
        /// The operation from which on the process is gone, whatever fails before.
        public var killAt: Int?
        /// Operations on paths that fail each time.
        public var when: ((FileError.Operation, String) -> Bool)?

        public init(
            failAt: Int? = nil, forEver: Bool = false, kind: FileError.Kind = .other, isKill: Bool = false,
            killAt: Int? = nil
        ) {
            self.failAt = failAt
            self.forEver = forEver
            self.kind = kind
            self.isKill = isKill
            self.killAt = killAt
        }
    }

    private var current = Names()
    private var medium = Names()
    /// What happened to names since, with the directory whose synchronization makes it durable.
    private var changes: [(directory: String, change: Change)] = []
    private var open: [Int32: (path: String, node: Node)] = [:]
    private var locks: [Int32: String] = [:]
    private var nextHandle: Int32 = 3
    public var faults = Faults()
    /// Operations that could have failed so far.
    public private(set) var operations = 0
    /// Locks taken so far, on the disks that this one was made of too: a number of its own for each opening.
    public private(set) var locksTaken: UInt64 = 0
    /// Bytes all files may have together.
    public var capacity = Int.max
    /// When a synchronize fails, this tells which of the pending writes got through.
    public var random = SeededGenerator(1)

    public init() {}

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    private func change(_ change: Change, in path: String) {
        current.apply(change)
        changes.append((Self.parent(of: path), change))
    }

    /// The files after a crash, on a disk with nothing open.
    public func crashed(_ seed: UInt64) -> MemoryDisk {
        var random = SeededGenerator(seed)
        let disk = MemoryDisk()
        disk.locksTaken = locksTaken
        var surviving = medium
        for (_, change) in changes where random.chance(50) { surviving.apply(change) }
        surviving.removeLost(current.directories)
        disk.current.directories = surviving.directories
        for (name, node) in surviving.files.sorted(by: { $0.key < $1.key }) {
            let copy = Node(permissions: node.permissions)
            copy.durable = Self.torn(node, &random)
            copy.bytes = copy.durable
            disk.current.files[name] = copy
        }
        disk.medium = disk.current
        return disk
    }

    /// The same files, with everything durable, as after an orderly end.
    public func settled() -> MemoryDisk {
        let disk = MemoryDisk()
        disk.locksTaken = locksTaken
        disk.current.directories = current.directories
        for (name, node) in current.files {
            let copy = Node(permissions: node.permissions)
            copy.bytes = node.bytes
            copy.durable = node.bytes
            disk.current.files[name] = copy
        }
        disk.medium = disk.current
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

    public var paths: [String] { current.files.keys.sorted() }
    public func contents(_ path: String) -> [UInt8]? { current.files[path]?.bytes }

    public func setContents(_ path: String, _ bytes: [UInt8]) {
        let node = current.files[path] ?? Node(permissions: 0o600)
        node.bytes = bytes
        node.durable = bytes
        current.files[path] = node
        medium.files[path] = node
    }

    public func setPermissions(directory: String, _ permissions: UInt16) {
        current.directories[directory] = permissions
        medium.directories[directory] = permissions
    }

    // MARK: FileSystem

    private var isKilled: Bool { operations >= faults.killAt ?? .max }

    private func step(_ operation: FileError.Operation, _ path: String) throws(FileError) {
        defer { operations += 1 }
        if isKilled { throw FileError(operation, path: path, kind: .other, reason: "the process is gone") }
        if faults.when?(operation, path) ?? false {
            throw FileError(operation, path: path, kind: faults.kind, reason: "made to fail")
        }
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

    public func open(_ path: String, _ access: FileAccess) throws(FileError) -> FileHandle {
        let handle = newHandle()
        if case .create(let permissions) = access {
            try step(.create, path)
            guard current.files[path] == nil else {
                throw FileError(.create, path: path, kind: .exists, reason: "it exists")
            }
            let node = Node(permissions: permissions)
            change(.set(path, node), in: path)
            open[handle.number] = (path, node)
        } else {
            try step(.open, path)
            guard let node = current.files[path] else {
                throw FileError(.open, path: path, kind: .missing, reason: "no such file")
            }
            open[handle.number] = (path, node)
        }
        return handle
    }

    public func close(_ handle: FileHandle) {
        open[handle.number] = nil
        locks[handle.number] = nil
    }

    public var openHandles: Int { open.count + locks.count }

    public func size(of handle: FileHandle) throws(FileError) -> UInt64 {
        let file = try node(handle)
        try step(.inspect, file.path)
        return UInt64(file.node.bytes.count)
    }

    public func read(
        _ handle: FileHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int {
        let file = try node(handle)
        try step(.read, file.path)
        let start = min(Int(offset), file.node.bytes.count)
        let count = min(buffer.count, file.node.bytes.count - start)
        file.node.bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[start..<start + count])) }
        return count
    }

    public func write(_ handle: FileHandle, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        let file = try node(handle)
        let total = current.files.values.reduce(0) { $0 + $1.bytes.count }
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

    public func synchronize(_ handle: FileHandle) throws(FileError) {
        let file = try node(handle)
        do throws(FileError) {
            try step(.synchronize, file.path)
        } catch {
            // The operation has been counted.
            if faults.isKill || operations > faults.killAt ?? .max { throw error }
            // The system forgets what it could not write: a later success says nothing about it.
            file.node.durable = Self.torn(file.node, &random)
            file.node.pending = []
            throw error
        }
        for write in file.node.pending { Self.put(&file.node.durable, write.bytes, at: write.offset) }
        file.node.pending = []
    }

    public func truncate(_ handle: FileHandle, to bytes: UInt64) throws(FileError) {
        let file = try node(handle)
        try step(.truncate, file.path)
        let keep = min(Int(bytes), file.node.bytes.count)
        file.node.bytes.removeLast(file.node.bytes.count - keep)
        file.node.durable = file.node.bytes
        file.node.pending = []
    }

    public func rename(_ path: String, to target: String) throws(FileError) {
        try step(.rename, path)
        guard let node = current.files[path] else {
            throw FileError(.rename, path: path, kind: .missing, reason: "no such file")
        }
        change(.move(from: path, to: target, node), in: target)
    }

    public func remove(_ path: String) throws(FileError) {
        try step(.remove, path)
        guard current.files[path] != nil else {
            throw FileError(.remove, path: path, kind: .missing, reason: "no such file")
        }
        change(.remove(path), in: path)
    }

    public func list(_ directory: String) throws(FileError) -> [String] {
        try step(.list, directory)
        let prefix = directory == "/" ? "/" : directory + "/"
        return (Array(current.files.keys) + Array(current.directories.keys)).filter { $0.hasPrefix(prefix) }
            .map { String($0.dropFirst(prefix.count)) }.filter { !$0.isEmpty && !$0.contains("/") }
    }

    public func attributes(of path: String) throws(FileError) -> FileAttributes? {
        try step(.inspect, path)
        if let permissions = current.directories[path] {
            return FileAttributes(isDirectory: true, permissions: permissions, bytes: 0)
        }
        guard let node = current.files[path] else { return nil }
        return FileAttributes(isDirectory: false, permissions: node.permissions, bytes: UInt64(node.bytes.count))
    }

    public func createDirectory(_ path: String, permissions: UInt16) throws(FileError) {
        try step(.createDirectory, path)
        change(.makeDirectory(path, permissions), in: path)
    }

    public func synchronizeDirectory(_ path: String) throws(FileError) {
        try step(.synchronizeDirectory, path)
        for item in changes where item.directory == path { medium.apply(item.change) }
        changes.removeAll { $0.directory == path }
        // Of a move to elsewhere only this half is sure now.
        for (place, item) in changes.enumerated() {
            guard case .move(let from, let to, let node) = item.change, Self.parent(of: from) == path else { continue }
            if medium.files[from] === node { medium.files[from] = nil }
            changes[place].change = .set(to, node)
        }
    }

    public func lock(_ path: String) throws(FileError) -> FileHandle {
        try step(.lock, path)
        guard !locks.values.contains(path) else {
            throw FileError(.lock, path: path, kind: .locked, reason: "somebody has it")
        }
        if current.files[path] == nil {
            let node = Node(permissions: 0o600)
            change(.set(path, node), in: path)
        }
        let handle = newHandle()
        locks[handle.number] = path
        locksTaken += 1
        return handle
    }
}
