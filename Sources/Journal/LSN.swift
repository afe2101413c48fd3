/// The number of a record in its journal: 1, 2, 3, …, never used twice. Gaps are legal.
@frozen
public struct LSN: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var number: UInt64
    @inlinable public init(_ number: UInt64) { self.number = number }
    /// No record.
    public static let none = LSN(0)
    @inlinable public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { String(number) }
}

/// What a record is. The owner of the journal gives kinds below ``firstReserved``; the journal keeps the others
/// for itself.
@frozen
public struct RecordKind: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var number: UInt16
    @inlinable public init(_ number: UInt16) { self.number = number }
    @inlinable public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { String(number) }

    /// The first kind that is not the owner's to give.
    public static let firstReserved = RecordKind(0xFF00)
    /// Where a segment's valid records end.
    static let end = RecordKind(0xFFFD)
    /// Records nobody needs any more.
    static let release = RecordKind(0xFFFE)
    /// The end of what one commit wrote to one segment.
    static let commit = RecordKind(0xFFFF)
}
