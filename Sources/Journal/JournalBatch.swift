/// Operations for a journal, gathered: what a ``Committer`` does together. Long payloads in arrays are not copied into it
/// but held on to.
public struct JournalBatch: Sendable {
    /// Bytes waiting to be written at most; past it ``append(_:token:_:_:urgent:chain:)`` says no.
    public static let byteLimit = 64 << 20
    /// Operations waiting at most; past it appends are refused.
    public static let operationLimit = 1 << 20

    enum Operation: Sendable {
        /// The payload is the next `bytes` of the copied ones and then what is held in that place, if any.
        case append(RecordKind, token: UInt64, bytes: Int, held: Int?, urgent: Bool, chain: UInt64)
        case mend(chain: UInt64)
        case release(LSN, token: UInt64?)
        case read(LSN, token: UInt64)
    }

    /// The end of an array: a payload's last part.
    struct Held: Sendable {
        var array: [UInt8]
        var from: Int
        var bytes: ArraySlice<UInt8> { array[from...] }
    }

    /// Bytes from which on an array is held on to: less is copied as fast as it is counted.
    private static let heldBytes = 4096

    private(set) var operations: [Operation] = []
    /// Payloads of the appends, but for what is held.
    private(set) var copied = PayloadChunks()
    private(set) var held: [Held] = []
    private var bytesHeld = 0

    public init() {}

    public var isEmpty: Bool { operations.isEmpty }

    /// Asks for a record whose payload is `first` followed by `second`; both are copied now.
    /// - Parameter chain: appends of one chain become durable in their order or not at all: once one is refused, all
    ///   later ones are too, until ``mend(chain:)``. 0 for an append that stands alone.
    /// - Returns: false where too much is waiting already; then nothing was taken and no completion comes.
    @discardableResult
    public mutating func append(
        _ kind: RecordKind, token: UInt64, _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0), urgent: Bool = false,
        chain: UInt64 = 0
    ) -> Bool {
        let count = first.count + second.count
        guard takes(count) else { return false }
        copied.append(first, second)
        operations.append(.append(kind, token: token, bytes: count, held: nil, urgent: urgent, chain: chain))
        return true
    }

    /// The same for a payload of which the second part is the end of an array.
    @discardableResult
    public mutating func append(
        _ kind: RecordKind, token: UInt64, _ first: UnsafeRawBufferPointer, _ array: [UInt8], from: Int,
        urgent: Bool = false, chain: UInt64 = 0
    ) -> Bool {
        let end = Held(array: array, from: from)
        guard end.bytes.count >= Self.heldBytes else {
            return end.bytes.withUnsafeBytes {
                append(kind, token: token, first, $0, urgent: urgent, chain: chain)
            }
        }
        guard takes(first.count + end.bytes.count) else { return false }
        copied.append(first, UnsafeRawBufferPointer(start: nil, count: 0))
        bytesHeld += end.bytes.count
        operations.append(
            .append(kind, token: token, bytes: first.count, held: held.count, urgent: urgent, chain: chain))
        held.append(end)
        return true
    }

    private func takes(_ count: Int) -> Bool {
        let waiting = copied.count + bytesHeld
        return (waiting == 0 || waiting + count <= Self.byteLimit) && operations.count < Self.operationLimit
    }

    /// Lets appends of a chain in again. To be asked for by who appends what was refused again, in its order.
    public mutating func mend(chain: UInt64) { operations.append(.mend(chain: chain)) }

    /// Asks to forget a record.
    /// - Parameter token: nil where no completion is wanted.
    public mutating func release(_ lsn: LSN, token: UInt64? = nil) {
        operations.append(.release(lsn, token: token))
    }

    /// Asks for a record's bytes.
    public mutating func read(_ lsn: LSN, token: UInt64) {
        operations.append(.read(lsn, token: token))
    }

    /// Puts what another batch holds behind what this one holds, and empties the other.
    public mutating func take(_ other: inout JournalBatch) {
        if isEmpty {
            swap(&self, &other)
            return other.removeAll()
        }
        copied.take(&other.copied)
        for var operation in other.operations {
            if case .append(let kind, let token, let bytes, let place?, let urgent, let chain) = operation {
                operation = .append(
                    kind, token: token, bytes: bytes, held: place + held.count, urgent: urgent, chain: chain)
            }
            operations.append(operation)
        }
        held.append(contentsOf: other.held)
        bytesHeld += other.bytesHeld
        other.removeAll()
    }

    /// Empties it and keeps its memory, where that is not much.
    public mutating func removeAll() {
        operations.removeAll(keepingCapacity: true)
        held.removeAll(keepingCapacity: true)
        bytesHeld = 0
        copied.removeAll()
    }

    /// Shows each operation in its order, and what was copied of the payload of an append.
    @inline(__always)
    func walk(_ body: (Operation, UnsafeRawBufferPointer) -> Void) {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        var (next, chunk) = (0, 0)
        while next < operations.count {
            copied.withBytes(of: chunk) { bytes in
                var offset = 0
                while next < operations.count {
                    let operation = operations[next]
                    guard case .append(_, _, let count, _, _, _) = operation else {
                        body(operation, nothing)
                        next += 1
                        continue
                    }
                    // A chunk holds whole payloads.
                    guard offset + count <= bytes.count else { return }
                    body(operation, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
                    offset += count
                    next += 1
                }
            }
            chunk += 1
        }
    }
}

/// What became of one operation.
public struct JournalCompletion: Sendable {
    public enum Outcome: Sendable {
        /// The record is durable.
        case durable
        /// The release is durable.
        case released
        case bytes(RecordKind, [UInt8])
        /// Nothing was done: full, too long, not found, damaged, or the disk is failing.
        case refused(JournalError)
        /// A commit failed; what it held is not durable, is kept and tried again every second. Token and lsn are 0.
        case stalled(JournalError)
        /// The commit that stalled went through. Token and lsn are 0.
        case resumed
    }

    /// The number the caller gave.
    public var token: UInt64
    public var lsn: LSN
    public var outcome: Outcome

    public init(token: UInt64, lsn: LSN, outcome: Outcome) {
        self.token = token
        self.lsn = lsn
        self.outcome = outcome
    }
}
