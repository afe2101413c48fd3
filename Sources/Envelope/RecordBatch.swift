/// Records on their way through one envelope; ``Builder`` writes the bytes, ``Reader`` reads them.
///
/// Layout (all of it in docs/protocol.md): a head of ``headSize`` bytes and the topic, then the records one behind
/// the other, each with its length before it, numbers as variable-length integers.
public enum RecordBatch {
    /// What a batch begins with: `GRB`, then the version of the layout.
    public static let magic: [UInt8] = [0x47, 0x52, 0x42]
    public static let version: UInt8 = 1
    /// Bytes of the head before the topic.
    public static let headSize = 19
    /// The fewest bytes a record takes: length, attributes, quality, time, key, value, count of headers.
    public static let smallestRecord = 7
    /// The most bytes a record takes beside its key, its value and its headers.
    static let recordOverhead = 5 + 1 + 1 + 10 + 5 + 5 + 5
    /// The most bytes a header takes beside its name and value.
    static let headerOverhead = 10

    /// Where each field of the head begins.
    enum Offset {
        static let version = 3
        static let count = 4
        static let baseTime = 8
        static let attributes = 16
        static let topicLength = 18
    }

    /// Bit of a record's attributes.
    static let historicalBit: UInt8 = 1
}

/// How far a value can be trusted, as its source says (the three classes of OPC UA's status codes).
@frozen
public struct Quality: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The byte on the wire; values this version does not name are kept as they are.
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var good: Quality { Quality(rawValue: 0) }
    @inlinable public static var uncertain: Quality { Quality(rawValue: 1) }
    @inlinable public static var bad: Quality { Quality(rawValue: 2) }

    public var description: String {
        switch self {
        case .good: "good"
        case .uncertain: "uncertain"
        case .bad: "bad"
        default: "quality-\(rawValue)"
        }
    }
}

/// A name and a value beside a record, as in Kafka: names may repeat, order is kept.
public struct RecordHeader: Hashable, Sendable {
    public var name: String
    /// nil is told from empty.
    public var value: [UInt8]?

    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    public init(_ name: String, _ value: String) {
        self.init(name, Array(value.utf8))
    }
}
