/// Sixteen bytes compared as one value; the shape shared by every identifier on the wire.
///
/// Held as two words so that comparing and hashing cost two instructions, not a loop.
@frozen
public struct Bytes16: Hashable, Comparable, Sendable {
    /// Bytes 0 to 7 as they lie in memory, read as a little-endian word.
    public var low: UInt64
    /// Bytes 8 to 15.
    public var high: UInt64

    @inlinable
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// - Precondition: `bytes` holds exactly 16 bytes.
    @inlinable
    public init(_ bytes: some Collection<UInt8>) {
        precondition(bytes.count == 16, "an identifier has 16 bytes")
        var (low, high): (UInt64, UInt64) = (0, 0)
        // Each byte comes in at the top and moves down with the next ones.
        for byte in bytes {
            low = low >> 8 | high << 56
            high = high >> 8 | UInt64(byte) << 56
        }
        self.init(low: low, high: high)
    }

    /// The sixteen bytes in wire order.
    public var bytes: [UInt8] {
        (0..<16).map { index in
            index < 8
                ? UInt8(truncatingIfNeeded: low >> (8 * UInt64(index)))
                : UInt8(truncatingIfNeeded: high >> (8 * UInt64(index - 8)))
        }
    }

    /// Orders by the bytes in wire order, as memcmp does.
    @inlinable
    public static func < (left: Self, right: Self) -> Bool {
        left.low == right.low
            ? left.high.byteSwapped < right.high.byteSwapped
            : left.low.byteSwapped < right.low.byteSwapped
    }

    /// 32 lower-case hexadecimal digits.
    public var hexadecimal: String { Hexadecimal.encode(bytes) }

    /// Reads 32 hexadecimal digits of either case; nil for anything else.
    public init?(hexadecimal: String) {
        guard let bytes = Hexadecimal.decode(hexadecimal), bytes.count == 16 else { return nil }
        self.init(bytes)
    }
}

/// A node on the wire: the first 16 bytes of SHA-256 of its name in UTF-8 (computed by `NodeID(of:)` in Crypto).
@frozen
public struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var value: Bytes16
    @inlinable public init(_ value: Bytes16) { self.value = value }
    @inlinable public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public var description: String { value.hexadecimal }
}

/// A stream: random at each start of the source process, never re-used.
@frozen
public struct StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var value: Bytes16
    @inlinable public init(_ value: Bytes16) { self.value = value }
    @inlinable public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public var description: String { value.hexadecimal }
}

/// A key epoch on the wire: the first 16 bytes of the hash of its key record.
@frozen
public struct KeyID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var value: Bytes16
    @inlinable public init(_ value: Bytes16) { self.value = value }
    @inlinable public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public var description: String { value.hexadecimal }
}

/// The place of an envelope in its stream: 1, 2, 3, …; 0 means "none yet".
@frozen
public struct Sequence: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var number: UInt64
    @inlinable public init(_ number: UInt64) { self.number = number }
    public static let none = Sequence(0)
    /// The one after it; the greatest follows itself, since a peer may say any number.
    @inlinable public var next: Sequence { number == .max ? self : Sequence(number + 1) }
    @inlinable public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { String(number) }
}

/// What an envelope is, for ever: it does not change on retry, path or re-sealing.
@frozen
public struct Identity: Hashable, Sendable, CustomStringConvertible {
    public var source: NodeID
    public var stream: StreamID
    public var sequence: Sequence

    @inlinable
    public init(source: NodeID, stream: StreamID, sequence: Sequence) {
        self.source = source
        self.stream = stream
        self.sequence = sequence
    }

    public var description: String { "\(source)/\(stream)/\(sequence)" }
}

/// Strict priority of `control`, then weighted: `live` before `bulk`. History goes in `bulk`.
@frozen
public enum Lane: UInt8, CaseIterable, Comparable, Sendable, CustomStringConvertible {
    case control = 0
    case live = 1
    case bulk = 2

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    public var description: String {
        switch self {
        case .control: "control"
        case .live: "live"
        case .bulk: "bulk"
        }
    }

    /// Reads the word a configuration uses; nil for anything else.
    public init?(_ word: some StringProtocol) {
        guard let lane = Lane.allCases.first(where: { $0.description == word }) else { return nil }
        self = lane
    }
}
