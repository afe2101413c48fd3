/// The names on a disk: as processes see them, and as the medium has them, with what is between the two.
struct NameTable {
    enum Change {
        case set(String, Inode)
        case remove(String)
        case move(from: String, to: String, Inode)
        case makeDirectory(String, UInt16)
    }

    /// A change and the directory whose synchronization makes it durable.
    private struct Pending {
        var directory: String
        var change: Change
    }

    private struct Names {
        var files: [String: Inode] = [:]
        var directories: [String: UInt16] = ["/": 0o755]

        /// A move happens as a whole.
        mutating func apply(_ change: Change) {
            switch change {
            case .set(let path, let inode): files[path] = inode
            case .remove(let path): files[path] = nil
            case .move(let from, let to, let inode):
                files[from] = nil
                files[to] = inode
            case .makeDirectory(let path, let permissions): directories[path] = permissions
            }
        }
    }

    private var current = Names()
    private var medium = Names()
    private var pending: [Pending] = []

    static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "/" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    // MARK: Looking

    func file(_ path: String) -> Inode? { current.files[path] }
    func directory(_ path: String) -> UInt16? { current.directories[path] }
    func durableFile(_ path: String) -> Inode? { medium.files[path] }
    /// Sorted: a table's own order differs from process to process.
    var paths: [String] { current.files.keys.sorted() }
    var durablePaths: [String] { medium.files.keys.sorted() }
    var durableDirectories: [(path: String, permissions: UInt16)] {
        medium.directories.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func names(in directory: String) -> [String] {
        let prefix = directory == "/" ? "/" : directory + "/"
        let all =
            current.files.keys.filter { $0.hasPrefix(prefix) }
            + current.directories.keys.filter { $0.hasPrefix(prefix) }
        return all.map { String($0.dropFirst(prefix.count)) }.filter { !$0.isEmpty && !$0.contains("/") }.sorted()
    }

    // MARK: Changing

    mutating func set(_ path: String, _ inode: Inode) { change(.set(path, inode), in: path) }
    mutating func remove(_ path: String) { change(.remove(path), in: path) }
    mutating func move(_ path: String, to target: String, _ inode: Inode) {
        change(.move(from: path, to: target, inode), in: target)
    }
    mutating func makeDirectory(_ path: String, _ permissions: UInt16) {
        change(.makeDirectory(path, permissions), in: path)
    }

    private mutating func change(_ change: Change, in path: String) {
        current.apply(change)
        pending.append(Pending(directory: Self.parent(of: path), change: change))
    }

    mutating func synchronize(_ directory: String) {
        for item in pending where item.directory == directory { medium.apply(item.change) }
        pending.removeAll { $0.directory == directory }
    }

    /// The power goes: of what was not synchronized only what `survives` says has got to the medium. Files whose
    /// directory is gone are gone.
    mutating func losePower(_ survives: (_ index: Int, _ count: Int) -> Bool) {
        for (index, item) in pending.enumerated() where survives(index, pending.count) { medium.apply(item.change) }
        pending = []
        let lost = medium.files.keys.filter { !hasPlace($0) } + medium.directories.keys.filter { !hasPlace($0) }
        for path in lost.sorted() {
            medium.files[path] = nil
            medium.directories[path] = nil
        }
        current = medium
    }

    private func hasPlace(_ path: String) -> Bool {
        var place = path
        while place != "/" {
            place = Self.parent(of: place)
            if medium.directories[place] == nil { return false }
        }
        return true
    }
}
