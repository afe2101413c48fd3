/// A connection as both of its ends call it. Later ones compare greater.
public struct ConnectionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Counts the connections of a run.
    public let number: UInt64
    /// Where the network keeps it.
    let slot: Int32

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { "connection \(number)" }
}

public enum DialFailure: Hashable, Sendable { case refused, timedOut }
