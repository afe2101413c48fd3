import Envelope

/// Reads records that lie in memory, one after the other.
public struct CarriageReader: ~Copyable {
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// What begins here is no record: nothing behind it can be read.
        case noRecord(at: Int)
        /// A record's content is damaged; ``CarriageReader/next()`` goes on behind it.
        case damaged(at: Int)

        public var description: String {
            switch self {
            case .noRecord(let place): "no record begins at byte \(place)"
            case .damaged(let place): "the record at byte \(place) is damaged"
            }
        }
    }

    private let bytes: UnsafeRawBufferPointer
    /// Where the next record begins.
    public private(set) var offset = 0

    /// - Parameter bytes: records without ``CarriageRecord/magic``.
    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// - Returns: nil at the end. What it points to lies in the bytes given.
    public mutating func next() throws(Failure) -> CarriageRecord? {
        guard offset < bytes.count else { return nil }
        let start = offset
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
        guard let head = CarriageHead(rest), rest.count - CarriageHead.size >= head.length else {
            throw .noRecord(at: start)
        }
        offset += CarriageHead.size + head.length
        let payload = UnsafeRawBufferPointer(rebasing: rest[CarriageHead.size..<CarriageHead.size + head.length])
        guard let record = head.record(payload) else { throw .damaged(at: start) }
        return record
    }
}
