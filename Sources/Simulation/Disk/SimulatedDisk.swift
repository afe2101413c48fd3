import Envelope
import Journal

/// A disk in memory that knows what of it is on the medium, and that fails as disks do.
///
/// What holds: bytes are on the medium once `synchronize` came back without an error, names once
/// `synchronizeDirectory` did; until then a power loss takes any part of them. ``durable(_:)`` tells at every moment
/// what is on the medium under a name. What is lost against these rules is in ``damageLog``.
public final class SimulatedDisk: FileSystem {
    static let sectorBytes = 512

    /// Probabilities of each operation; all 0 on a disk that works.
    struct Faults {
        var write = 0.0
        var read = 0.0
        var synchronize = 0.0
        var misdirectedWrite = 0.0
    }

    struct Costs {
        var operation: Int64 = 0
        var mebibyte: Int64 = 0
        var synchronize: Int64 = 0
        /// Everything takes so many times as long.
        var factor: Int64 = 1
    }

    struct OpenFile {
        var path: String
        var inode: Inode
        var isWritable: Bool
        var isLock: Bool
    }

    // Not checked for overlapping access when it runs, as `World` says.
    @exclusivity(unchecked) var names = NameTable()
    @exclusivity(unchecked) private var open: [OpenFile?] = []
    /// Bytes of all named files.
    @exclusivity(unchecked) var usedBytes = 0
    var snapshot: Snapshot?

    let fuse: Fuse
    @exclusivity(unchecked) var random: SeededRandom
    @exclusivity(unchecked) var faults = Faults()
    @exclusivity(unchecked) var costs = Costs()
    /// Bytes there is room for. Writes beyond get in part of what they bring and fail.
    @exclusivity(unchecked) public internal(set) var capacity: Int
    /// Time that the operations since the last ``takeLatency()`` would have taken.
    @exclusivity(unchecked) private var spent: Int64 = 0
    public private(set) var counts = FaultCounts()
    /// Told of every fault as it happens.
    var faultHappened: (FaultKind) -> Void = { _ in }
    /// Sees what is written.
    @exclusivity(unchecked) var watch: ((UnsafeRawBufferPointer) -> Void)?
    /// Durable data that was lost on its own, in order: what an oracle must excuse, and nothing else.
    public internal(set) var damageLog: [Damage] = []
    /// Operations so far.
    @exclusivity(unchecked) public private(set) var operations = 0

    public convenience init(seed: UInt64, capacity: Int = .max) {
        self.init(SeededRandom(seed: seed), Fuse(), capacity: capacity)
    }

    init(_ random: SeededRandom, _ fuse: Fuse, capacity: Int = .max) {
        self.random = random
        self.fuse = fuse
        self.capacity = capacity
    }

    // MARK: The model

    /// What the medium has under a name: as of the last good `synchronize` of the file and `synchronizeDirectory` of
    /// its directory, and of any damage since. nil where the name itself is not durable.
    public func durable(_ path: String) -> [UInt8]? { names.durableFile(path)?.durable }

    /// Names of files that are durable, in order.
    public var durablePaths: [String] { names.durablePaths }

    /// What a process would read.
    public func contents(_ path: String) -> [UInt8]? { names.file(path)?.bytes }

    /// The time that a disk would have taken for what was asked of it since the last call. The program lets it pass
    /// with ``Host/after(_:token:)`` before it takes the operations for done.
    public func takeLatency() -> Duration {
        let time = spent * costs.factor
        spent = 0
        return .nanoseconds(time)
    }

    /// The free bytes that are left.
    public var freeBytes: Int { max(0, capacity - usedBytes) }

    // MARK: Handles

    /// Before every operation.
    func begin(_ operation: FileError.Operation, _ path: String, bytes: Int = 0) throws(FileError) {
        operations += 1
        if fuse.burn() { throw Self.gone(operation, path) }
        spent += costs.operation
        if bytes > 0 { spent += Int64(bytes) * costs.mebibyte >> 20 }
        if operation == .synchronize || operation == .synchronizeDirectory { spent += costs.synchronize }
    }

    func count(_ kind: FaultKind) {
        counts[kind] += 1
        faultHappened(kind)
    }

    static func gone(_ operation: FileError.Operation, _ path: String) -> FileError {
        FileError(operation, path: path, kind: .other, reason: "the process is gone")
    }

    static func fault(_ operation: FileError.Operation, _ path: String) -> FileError {
        FileError(operation, path: path, kind: .other, reason: "input/output error")
    }

    /// The lowest free number, as the system gives it.
    func add(_ file: OpenFile) -> FileHandle {
        let index = open.firstIndex { $0 == nil } ?? open.count
        if index == open.count { open.append(file) } else { open[index] = file }
        return FileHandle(Int32(index) + 3)
    }

    func file(_ handle: FileHandle, _ operation: FileError.Operation) throws(FileError) -> OpenFile {
        let index = Int(handle.number) - 3
        guard open.indices.contains(index), let file = open[index] else {
            throw FileError(operation, path: "handle \(handle.number)", kind: .other, reason: "it is not open")
        }
        return file
    }

    public func close(_ handle: FileHandle) {
        let index = Int(handle.number) - 3
        if open.indices.contains(index) { open[index] = nil }
    }

    func isLocked(_ inode: Inode) -> Bool { open.contains { $0?.isLock == true && $0?.inode === inode } }

    /// Handles that are open, locks among them.
    public var openHandles: Int { open.count { $0 != nil } }

    /// The process is gone and with it its handles and locks. What it wrote is in the page cache.
    func processEnded() {
        open = []
        spent = 0
    }
}

/// Durable data that was lost on its own.
public struct Damage: Hashable, Sendable, CustomStringConvertible {
    public var kind: FaultKind
    /// The file; `/` where it is the whole disk.
    public var path: String
    /// The bytes of the file that are not what was written; empty where it is the whole disk.
    public var range: Range<Int>

    public var description: String { "\(kind) at \(path) \(range)" }
}
