/// Bytes on their way from one reactor's thread to another's.
///
/// Unchecked: whoever holds a parcel is the only one that touches it. It changes hands through a ``Chute``, whose lock
/// orders what was done before with what is done after, and the giver does not use it again.
final class Parcel: @unchecked Sendable {
    /// Most of what is said on an idle link fits into one of these…
    static let smallBytes = 16 << 10
    /// …and large ones are what a busy relay's speed depends on: work is done by the parcel.
    static let largeBytes = 256 << 10

    private let memory: UnsafeMutableRawBufferPointer
    /// Bytes in it, from the beginning.
    private(set) var count = 0

    init(capacity: Int) { memory = .allocate(byteCount: capacity, alignment: 64) }

    deinit { memory.deallocate() }

    var capacity: Int { memory.count }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    func clear() { count = 0 }

    /// - Precondition: they fit behind what is in it.
    func append(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + bytes.count]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Reads until it is full or no more waits.
    func fill(from channel: Channel) {
        while count < memory.count {
            let read = channel.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
            guard read > 0 else { return }
            count += read
        }
    }
}

/// Empty parcels of one thread, for the next bytes.
struct ParcelPool {
    /// Empty ones kept of either size: enough that a steady flow allocates nothing, 2.5 MiB at most. What an idle time
    /// leaves beyond that goes back to the system.
    private static let (largeKept, smallKept) = (8, 32)
    private var large: [Parcel] = []
    private var small: [Parcel] = []

    /// An empty parcel with room for so many bytes, or for as many as a parcel can have.
    mutating func take(for count: Int) -> Parcel {
        if count <= Parcel.smallBytes { return small.popLast() ?? Parcel(capacity: Parcel.smallBytes) }
        return large.popLast() ?? Parcel(capacity: Parcel.largeBytes)
    }

    mutating func put(_ parcel: Parcel) {
        parcel.clear()
        if parcel.capacity == Parcel.smallBytes {
            if small.count < Self.smallKept { small.append(parcel) }
        } else if large.count < Self.largeKept {
            large.append(parcel)
        }
    }

    /// What a channel has for its owner; nil where nothing waits. Little is put into a small parcel, so that thousands
    /// of links that say a word at once do not each hold a large one.
    mutating func read(_ channel: Channel) -> Parcel? {
        let parcel = take(for: Parcel.largeBytes)
        parcel.fill(from: channel)
        if parcel.count > Parcel.smallBytes { return parcel }
        defer { put(parcel) }
        guard parcel.count > 0 else { return nil }
        let fitting = take(for: parcel.count)
        fitting.append(parcel.bytes)
        return fitting
    }
}
