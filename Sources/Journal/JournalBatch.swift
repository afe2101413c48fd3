/// Operations for a journal, gathered in one buffer: what a ``Committer`` does together.
public struct JournalBatch: Sendable {
    /// Bytes waiting to be written at most; past it ``append(_:token:_:_:urgent:chain:)`` says no.
    public static let byteLimit = 64 << 20
    /// Operations waiting at most; past it appends are refused.
    public static let operationLimit = 1 << 20

    enum Operation: Sendable {
        case append(RecordKind, token: UInt64, bytes: Int, urgent: Bool, chain: UInt64)
        case mend(chain: UInt64)
        case release(LSN, token: UInt64?)
        case read(LSN, token: UInt64)
    }

    private(set) var operations: [Operation] = []
    /// Payloads of the appends, one behind the other.
    private(set) var bytes: [UInt8] = []

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
        let fits = bytes.isEmpty || bytes.count + count <= Self.byteLimit
        guard fits, operations.count < Self.operationLimit else { return false }
        bytes.append(contentsOf: first)
        bytes.append(contentsOf: second)
        operations.append(.append(kind, token: token, bytes: count, urgent: urgent, chain: chain))
        return true
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
        bytes.append(contentsOf: other.bytes)
        operations.append(contentsOf: other.operations)
        other.removeAll()
    }

    /// Empties it and keeps its memory, where that is not much.
    public mutating func removeAll() {
        operations.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: bytes.capacity <= 8 << 20)
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
